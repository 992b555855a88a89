// Whose is it: runs and sessions by their ids, for those they belong to. What is another's is answered like what is not
// there.

import { TellurionError } from 'tellurion'
import type { RunRecord, SessionRecord } from 'tellurion/runtime'
import { may, type Identity } from './identity.ts'
import type { Call } from './setting.ts'

/** Whether an identity may see what belongs to a user. */
export function owns(identity: Identity, { user }: { readonly user: string }): boolean {
  return identity.user === user || may(identity, 'admin')
}

/** The run of an id. Throws `unknown_run`. */
export async function ownRun({ setting, identity }: Call, id: string): Promise<RunRecord> {
  const record = await setting.runtime.run(id).record()
  if (owns(identity, record)) return record
  throw new TellurionError('unknown_run', `There is no run '${id}'.`)
}

/** The session of an id. Throws `unknown_session`. */
export async function ownSession({ setting, identity }: Call, id: string): Promise<SessionRecord> {
  const session = await setting.runtime.getSession(id)
  if (session !== undefined && owns(identity, session)) return session
  throw new TellurionError('unknown_session', `There is no session '${id}'.`)
}

/** Throws `unknown_session` for a session of somebody else; one that is not there may be made. */
export async function mayUseSession({ setting, identity }: Call, id: string): Promise<void> {
  const session = await setting.runtime.getSession(id)
  if (session === undefined || owns(identity, session)) return
  throw new TellurionError('unknown_session', `There is no session '${id}'.`)
}

/** Whose runs and sessions a list shows: the identity's own, or everybody's for an admin. */
export function listed(identity: Identity): { readonly user?: string } {
  return may(identity, 'admin') ? {} : { user: identity.user }
}
