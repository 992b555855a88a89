// Probes: what the self-test of a sandbox looked at, and what it found.

/** What a probe looks at. `engine` is QuickJS, looked at where the others leave something to be run by it. */
export type ProbeName =
  | 'namespaces'
  | 'identity'
  | 'files'
  | 'network'
  | 'inheritance'
  | 'filter'
  | 'limits'
  | 'survivors'
  | 'engine'

/** One finding of the self-test. */
export interface Probe {
  readonly name: ProbeName
  readonly passed: boolean
  /** What was found. */
  readonly detail: string
  /** What to do about it. */
  readonly mend?: string
}
