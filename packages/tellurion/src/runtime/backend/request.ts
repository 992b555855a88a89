// What a store refuses before it writes: ids of a form that is not allowed. Misuse throws; races are results.

import { TellurionError } from '../../error/error.ts'
import type { NewMail, NewRun, RunStore } from '../run-store.ts'

const id = /^[a-zA-Z0-9_-]{1,64}$/

/** Throws `invalid_option` unless `value` is an id as clients may give them. */
export function checkId(what: string, value: string): void {
  // A pattern would take null and numbers for texts.
  if (typeof value === 'string' && id.test(value)) return
  const shown =
    typeof value === 'string' ? JSON.stringify(value.slice(0, 80).toWellFormed()) : `of type ${typeof value}`
  throw new TellurionError(
    'invalid_option',
    `The ${what} id ${shown} is not allowed: use 1 to 64 letters, digits, '_' and '-'.`,
  )
}

/** Throws `invalid_option` unless `value` is an opaque key: 1 to 256 printable characters. */
function checkKey(what: string, value: string): void {
  if (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= 256 &&
    value.isWellFormed() &&
    !/\p{C}/u.test(value)
  )
    return
  throw new TellurionError('invalid_option', `The ${what} must have 1 to 256 printable characters.`)
}

/** Throws for a run that no store may create. */
export function checkNewRun(run: NewRun): void {
  checkId('run', run.id)
  checkId('agent', run.agent)
  checkId('session', run.session)
  checkId('branch', run.newBranch)
  checkId('user', run.user)
  const { state } = run
  if (state !== undefined && !(Number.isSafeInteger(state.header?.tick) && state.header.tick >= 0)) {
    throw new TellurionError('invalid_snapshot', 'The state that a run begins with has no tick.')
  }
  for (const [what, value] of [
    ['priority', run.priority],
    ['instant from which it may begin', run.availableAt],
  ] as const) {
    if (!Number.isSafeInteger(value)) {
      throw new TellurionError('invalid_option', `The ${what} of a run must be a whole number, not ${String(value)}.`)
    }
  }
  if (run.tenant !== undefined) checkId('tenant', run.tenant)
  if (run.parent !== undefined) checkId('parent run', run.parent)
  if (run.idempotencyKey !== undefined) checkKey('idempotency key', run.idempotencyKey)
}

/** Throws for an inbox item that no store may take. */
export function checkMail(mail: NewMail): void {
  checkKey('mail id', mail.id)
  if (mail.aside !== undefined) checkId('branch', mail.aside)
}

/** Throws for a session that no store may create. */
export function checkNewSession({ id, user, newBranch }: Parameters<RunStore['createSession']>[0]): void {
  checkId('session', id)
  checkId('user', user)
  checkId('branch', newBranch)
}
