// What sandboxed code may take, and in which languages it is written. Every limit has a default; whoever runs code may
// tighten what the sandbox was made with, never widen it.

import { TellurionError } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'

/** A language that sandboxes run. */
export type Language = 'python' | 'javascript' | 'bash'

/** All of them. */
export const languages: readonly Language[] = ['python', 'javascript', 'bash']

/** Programs by language: absolute paths on the host. */
export type Interpreters = { readonly [Each in Language]?: string | undefined }

/** What code may take at most. */
export interface SandboxLimits {
  /** Milliseconds for one piece of code. Default 30,000. */
  readonly timeout?: number | undefined
  /** Bytes of memory, files in memory included. Default 256 MiB; QuickJS takes at most 64 MiB of them. */
  readonly memory?: number | undefined
  /** Processes and threads. Default 64. */
  readonly processes?: number | undefined
  /** Bytes of output that are kept, of stdout and stderr each. Default 256 KiB; code that goes on far past it is ended. */
  readonly maxOutput?: number | undefined
  /** Bytes of the folder that the code works in, and as many for its temporary files. Default 64 MiB. */
  readonly disk?: number | undefined
  /** Bytes of all files that are read back after one piece of code. Default 16 MiB, at most 100 files. */
  readonly artifacts?: number | undefined
}

/** Limits with nothing left out. */
export type FullLimits = { readonly [Name in keyof SandboxLimits]-?: number }

const MiB = 1024 * 1024

const defaults: FullLimits = {
  timeout: 30_000,
  memory: 256 * MiB,
  processes: 64,
  maxOutput: MiB / 4,
  disk: 64 * MiB,
  artifacts: 16 * MiB,
}

/** The least that makes sense: interpreters need something themselves. */
const least: FullLimits = { timeout: 1, memory: 16 * MiB, processes: 16, maxOutput: 1, disk: 65_536, artifacts: 0 }

const names = Object.keys(defaults) as readonly (keyof FullLimits)[]

/** Limits that were given, and the defaults of the rest. Throws `unknown_option` and `invalid_option`. */
export function fullLimits(given: SandboxLimits = {}): FullLimits {
  checkOptions('limits of a sandbox', given, names)
  for (const name of names) checkWhole(`limits.${name}`, given[name], { least: least[name] })
  return combine(defaults, given, (_, wished) => wished)
}

/** What holds when somebody asks for less: the tighter of each. What is asked for below the least is the least. */
export function tighter(limits: FullLimits, wished: SandboxLimits = {}): FullLimits {
  checkOptions('limits', wished, names)
  for (const name of names) {
    const value = wished[name]
    if (value === undefined || value > 0) continue
    throw new TellurionError('invalid_option', `limits.${name} must be a number above 0, not ${String(value)}.`)
  }
  return combine(limits, wished, (limit, wish, name) => Math.min(limit, Math.max(wish, least[name])))
}

function combine(
  limits: FullLimits,
  given: SandboxLimits,
  choose: (limit: number, given: number, name: keyof FullLimits) => number,
): FullLimits {
  const pairs = names.map((name) => {
    const value = given[name]
    return [name, value === undefined ? limits[name] : choose(limits[name], value, name)] as const
  })
  return Object.fromEntries(pairs) as FullLimits
}
