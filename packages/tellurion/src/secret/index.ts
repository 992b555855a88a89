// The door `tellurion/secret`.

export { isRevealing, redacted, revealed, Secret } from './secret.ts'
export type { Revealing } from './secret.ts'
export { createRedactor } from './redactor.ts'
export type { Redactor } from './redactor.ts'
export type { RedactedStream } from './redacted-stream.ts'
