// Settings that the environment gives, as a file would write them. Variables that begin with TELLURION_ are ours alone, so
// one that nobody knows is a mistake; all others may belong to somebody else.

import { suggestion, TellurionError } from 'tellurion'
import type { Environment } from 'tellurion/model'
import type { Setting } from './row.ts'
import { placed, type Layer } from './layer.ts'

/** The variable that names the configuration file. */
export const fileVariable = 'TELLURION_CONFIG'

/** The settings that the environment gives. Throws `unknown_option` for a TELLURION_ variable that there is not. */
export function variableLayer(env: Environment, settings: readonly Setting[]): Layer {
  refuseUnknown(env, settings)
  const value = {}
  const names = new Map<string, string>()
  for (const { path, variables = [] } of settings) {
    const name = variables.find((variable) => env[variable]?.trim())
    if (name === undefined) continue
    placed(value, path, env[name])
    names.set(path.join('.'), name)
  }
  return { kind: 'environment', value, nameOf: (path) => names.get(path.slice(0, 2).join('.')) ?? 'the environment' }
}

function refuseUnknown(env: Environment, settings: readonly Setting[]): void {
  const known = [fileVariable, ...settings.flatMap(({ variables = [] }) => variables)]
  const ours = known.filter((name) => name.startsWith('TELLURION_'))
  for (const name of Object.keys(env)) {
    if (!name.startsWith('TELLURION_') || ours.includes(name)) continue
    throw new TellurionError('unknown_option', `No setting is read from ${name}.${suggestion(name, ours)}`)
  }
}
