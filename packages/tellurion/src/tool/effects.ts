// What a tool does to the world outside: what may run beside it, what a crash may do to it, and what it risks.

import { TellurionError, suggestion } from '../error/error.ts'

/** What may run beside a call: reads run together, `exclusive` runs alone. */
export type EffectMode = 'read' | 'write' | 'exclusive'
/** What may be done when a crash leaves a call's outcome unknown: run it again, again under its key, or ask a person. */
export type Repeat = 'safe' | 'keyed' | 'never'
/** What harm a call could do when the model was fed by strangers. */
export type Risk = 'destructive' | 'exfiltrating'

/** Effects as a tool declares them. */
export interface EffectOptions<Input = unknown> {
  readonly mode: EffectMode
  /**
   * The files or other places that a call touches, in any spelling. A `read` waits for their writer, a `write` also for
   * their readers, in all runs that share the locks. A `write` without paths runs alone in its run; a `read` without
   * paths waits for nobody but those that run alone.
   */
  readonly paths?: ((input: Input) => readonly string[]) | undefined
  /** Default `safe` for `read`, else `never`. */
  readonly repeat?: Repeat | undefined
  /** Default none for `read`, else both. A function says it of one call. */
  readonly risk?: readonly Risk[] | ((input: Input) => readonly Risk[]) | undefined
}

/** Effects with every default filled in. */
export interface Effects {
  readonly mode: EffectMode
  readonly repeat: Repeat
  /** What any call could risk. */
  readonly risk: readonly Risk[]
  /** Whether the tool said itself what it risks. */
  readonly declared: boolean
}

const modes: readonly EffectMode[] = ['read', 'write', 'exclusive']
const repeats: readonly Repeat[] = ['safe', 'keyed', 'never']
const risks: readonly Risk[] = ['destructive', 'exfiltrating']
const known = ['mode', 'paths', 'repeat', 'risk']

/** The places of one call, checked. Throws `invalid_option` when the tool's `paths` gives anything but a list of texts. */
export function checkPaths(paths: unknown, what: string): readonly string[] {
  if (Array.isArray(paths) && paths.every((path) => typeof path === 'string')) return paths as readonly string[]
  throw new TellurionError('invalid_option', `effects.paths of ${what} must return a list of paths.`)
}

/** Fills in defaults; nothing declared is `exclusive`, never repeated, and risky. Throws `unknown_option`. */
export function normaliseEffects(effects: unknown, what: string): Effects {
  if (effects === undefined) return fill({ mode: 'exclusive' })
  if (typeof effects === 'string') return fill({ mode: oneOf(effects, modes, `effects of ${what}`) })
  if (typeof effects !== 'object' || effects === null || Array.isArray(effects)) {
    throw new TellurionError(
      'invalid_option',
      `effects of ${what} must be 'read', 'write', 'exclusive' or { mode, … }.`,
    )
  }
  for (const key of Object.keys(effects)) {
    if (!known.includes(key)) {
      throw new TellurionError('unknown_option', `effects of ${what} have no '${key}'.${suggestion(key, known)}`)
    }
  }
  const { mode, paths, repeat, risk } = effects as Record<string, unknown>
  if (paths !== undefined && typeof paths !== 'function') {
    throw new TellurionError(
      'invalid_option',
      `effects.paths of ${what} must be a function from the input to a list of paths.`,
    )
  }
  return fill({
    mode: oneOf(mode, modes, `effects.mode of ${what}`),
    repeat: repeat === undefined ? undefined : oneOf(repeat, repeats, `effects.repeat of ${what}`),
    risk: risk === undefined ? undefined : typeof risk === 'function' ? risks : checkRisk(risk, what),
  })
}

/** The risks of a tool or of one call, checked. Throws `invalid_option` and `unknown_option`. */
export function checkRisk(risk: unknown, what: string): readonly Risk[] {
  if (!Array.isArray(risk)) {
    throw new TellurionError('invalid_option', `effects.risk of ${what} must be a list such as ['destructive'].`)
  }
  return risk.map((each) => oneOf(each, risks, `effects.risk of ${what}`))
}

function fill({
  mode,
  repeat,
  risk,
}: {
  mode: EffectMode
  repeat?: Repeat | undefined
  risk?: readonly Risk[] | undefined
}): Effects {
  const reads = mode === 'read'
  const declared = risk !== undefined
  return { mode, repeat: repeat ?? (reads ? 'safe' : 'never'), risk: risk ?? (reads ? [] : risks), declared }
}

function oneOf<Name extends string>(value: unknown, names: readonly Name[], what: string): Name {
  const found = names.find((name) => name === value)
  if (found !== undefined) return found
  const hint = typeof value === 'string' ? suggestion(value, names) : ` Known: ${names.join(', ')}.`
  throw new TellurionError('unknown_option', `${what}: ${JSON.stringify(value) ?? String(value)} is not known.${hint}`)
}
