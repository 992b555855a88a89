// A hostile program: what it tries, and how it must end. One that gets through prints ESCAPED; whatever else it prints,
// it has been contained.

import type { End, Execution, Language } from 'tellurion/sandbox'

/** A program and what is expected of it. */
export interface Program {
  readonly name: string
  readonly code: string
  /** How it must end; any of them where several are right. Default `finished`. */
  readonly end?: End | readonly End[]
  /** What it must have printed, on either stream: that it was refused, so that one that never tried is noticed. */
  readonly says?: RegExp
  /** Files that must be read back, by name, or how many; `any` where that is chance. Default: none. */
  readonly artifacts?: readonly string[] | number | 'any'
  /** What must be said of files that are not read back. */
  readonly refuses?: RegExp
  /** It ends its interpreter or fills its folder, so it gets one of its own. */
  readonly alone?: true
  /** Milliseconds, where it is to be stopped. */
  readonly timeout?: number
}

/** Programs of one language, in one kind of sandbox. */
export interface Corpus {
  readonly language: Language
  readonly programs: readonly Program[]
}

/** What is wrong with how a program ended; undefined where it is contained as expected. */
export function complaint(
  program: Program,
  execution: Execution,
  { secrets, isWeak }: { readonly secrets: readonly string[]; readonly isWeak: boolean },
): string | undefined {
  const { end, stdout, stderr, artifacts, refused } = execution
  const said = `${stdout}\n${stderr}`
  const ends = [program.end ?? 'finished'].flat()
  // Without a cgroup memory is refused to each process, which may end in several ways.
  if (isWeak && ends.includes('memory')) ends.push('finished', 'killed', 'timeout')
  if (!ends.includes(end)) return `ended as ${end}, not ${ends.join(' or ')}: ${said.slice(0, 300)}`
  if (said.includes('ESCAPED')) return `escaped: ${said.slice(0, 300)}`
  const leaked = [said, ...artifacts.map(({ bytes }) => Buffer.from(bytes).toString('latin1'))]
  const secret = secrets.find((each) => leaked.some((text) => text.includes(each)))
  if (secret !== undefined) return `told a secret: ${secret}`
  if (program.says !== undefined && !program.says.test(said))
    return `did not say ${program.says}: ${said.slice(0, 300)}`
  const names = artifacts.map(({ name }) => name)
  const expected = program.artifacts ?? []
  const isExpected =
    typeof expected === 'number' ? names.length === expected : expected === 'any' || `${expected}` === `${names}`
  if (!isExpected) return `handed over ${names.join(', ') || 'nothing'}`
  const reasons = refused.map(({ name, reason }) => `${name}: ${reason}`).join('; ')
  if (program.refuses !== undefined && !program.refuses.test(reasons)) return `refused ${reasons || 'nothing'}`
  return undefined
}
