// Layers of configuration: what one source says, unread, and the rule by which a higher one wins, setting by setting.

import type { Setting } from './row.ts'

/** Who gave a setting, and under which name: `SERVER_PORT`, `--port`, `tellurion.config.json: server.port`. */
export interface Source {
  readonly kind: 'call' | 'environment' | 'file'
  readonly name: string
}

/** What one source says. */
export interface Layer {
  readonly kind: Source['kind']
  /** In the shape of a configuration file, with parts left out. */
  readonly value: unknown
  /** What people call the setting at a path in this source. */
  nameOf(path: readonly PropertyKey[]): string
}

/** Settings of several layers as one value, and for each setting that is given its source. */
export interface Merged {
  readonly value: object
  readonly sources: ReadonlyMap<string, Source>
}

/** Merges layers, the highest first: each setting comes whole from the first layer that gives it. */
export function merged(layers: readonly Layer[], settings: readonly Setting[]): Merged {
  const value = {}
  const sources = new Map<string, Source>()
  for (const { path } of settings) {
    const layer = layers.find((each) => given(each.value, path) !== undefined)
    if (layer === undefined) continue
    placed(value, path, given(layer.value, path))
    sources.set(path.join('.'), { kind: layer.kind, name: layer.nameOf(path) })
  }
  return { value, sources }
}

/** What stands at a path, of own properties only. */
export function given(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value
  for (const name of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, name)) return undefined
    here = (here as Record<PropertyKey, unknown>)[name]
  }
  return here
}

/** Puts something at a path, making the objects on the way. */
export function placed(root: object, path: readonly string[], value: unknown): void {
  let here = root as Record<string, unknown>
  for (const name of path.slice(0, -1)) here = (here[name] ??= {}) as Record<string, unknown>
  here[path.at(-1) ?? ''] = value
}
