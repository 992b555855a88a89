// The level of the sandbox of this machine, found out once while the server already works, for /health.

import { createSandbox, type SandboxLevel } from 'tellurion/sandbox'

/** What is known of the sandbox by now. */
export interface SandboxCheck extends AsyncDisposable {
  /** For the checks of /health: nothing until the self-test is over. */
  current(): { readonly sandbox?: { readonly ok: boolean; readonly detail: SandboxLevel } }
}

/** Starts the self-test, and ends what it started. Nobody waits for it but who closes. */
export function checkSandboxLevel(make: typeof createSandbox = createSandbox): SandboxCheck {
  let level: SandboxLevel | undefined
  const looking = make()
    .then(async (sandbox) => {
      await sandbox.close()
      level = sandbox.level
    })
    .catch(() => {
      level = 'none'
    })
  return {
    current: () => (level === undefined ? {} : { sandbox: { ok: level !== 'none', detail: level } }),
    [Symbol.asyncDispose]: () => looking,
  }
}
