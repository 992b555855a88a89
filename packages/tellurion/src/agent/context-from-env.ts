// The context as the environment bounds it: the reference's names for a window and for when it is summarised.

import { TellurionError } from '../error/error.ts'
import { firstSet, type Environment } from '../model/endpoint.ts'
import type { System } from '../world/world.ts'
import { compactContext } from './compact-context.ts'
import { CompactionConfig, type CompactionSettings } from './context-component.ts'

const windowName = 'MAX_CONTEXT_LENGTH'
const thresholdName = 'CONTEXT_COMPRESSION_THRESHOLD'

/**
 * `MAX_CONTEXT_LENGTH` is the window in tokens; `CONTEXT_COMPRESSION_THRESHOLD` says from when it is summarised: up to 1
 * a fraction of the window, above that tokens. Undefined when neither is set. Throws `invalid_configuration`.
 */
export function contextFromEnv(env: Environment): CompactionSettings | undefined {
  const window = numberOf(env, windowName)
  const threshold = numberOf(env, thresholdName)
  if (window === undefined && threshold === undefined) return undefined
  if (window !== undefined && !Number.isInteger(window)) throw wrong(windowName, window, 'a whole number of tokens')
  if (threshold !== undefined && threshold > 1 && !Number.isInteger(threshold)) {
    throw wrong(thresholdName, threshold, 'a fraction up to 1, or a whole number of tokens')
  }
  return {
    ...(window === undefined ? {} : { window }),
    ...(threshold === undefined ? {} : threshold > 1 ? { threshold } : { stages: { summarise: threshold } }),
  }
}

/** Systems under what the environment says; what a program says of its own compaction wins. */
export function boundedBy(settings: CompactionSettings | undefined, systems: readonly System[]): readonly System[] {
  if (settings === undefined) return systems
  const own = systems.find(({ name }) => name === 'compaction')
  if (own === undefined) return [...systems, compactContext(settings)]
  return systems.map((system) =>
    system === own ? { ...own, initial: own.initial?.map(completed(settings)) ?? [] } : system,
  )
}

/** Completes the settings of a compaction, and leaves other components alone. */
function completed(settings: CompactionSettings) {
  return (init: NonNullable<System['initial']>[number]) => {
    if (init.component !== CompactionConfig) return init
    const given = init.value as CompactionSettings
    const { window, ...when } = settings
    const decided = given.stages?.summarise !== undefined || given.threshold !== undefined
    const stages = decided ? given.stages : { ...when.stages, ...given.stages }
    return CompactionConfig({
      ...(window === undefined ? {} : { window }),
      ...(decided ? {} : when),
      ...given,
      ...(stages === undefined || Object.keys(stages).length === 0 ? {} : { stages }),
    })
  }
}

function numberOf(env: Environment, name: string): number | undefined {
  const text = firstSet(env, [name])
  if (text === undefined) return undefined
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw wrong(name, text, 'a number above 0')
}

function wrong(name: string, value: string | number, what: string): TellurionError {
  return new TellurionError('invalid_configuration', `${name} must be ${what}, not '${value}'.`)
}
