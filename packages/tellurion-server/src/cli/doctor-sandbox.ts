// What a doctor finds of the sandbox: its level on this machine, and each probe of its self-test that failed.

import { createSandbox, type SandboxLevel } from 'tellurion/sandbox'
import type { Finding } from './doctor-check.ts'

const meanings: Readonly<Record<SandboxLevel, string>> = {
  full: 'every layer works',
  'weak-limits': 'memory and processes are bounded one by one, not together',
  'wasm-only': 'JavaScript in QuickJS; no Python, no Bash',
  none: 'no code is run',
}

/** The level first, then what keeps it from being higher. Starts a sandbox, looks at it, and ends it. */
export async function checkSandbox(make: typeof createSandbox = createSandbox): Promise<readonly Finding[]> {
  await using sandbox = await make()
  const { level, languages, probes } = sandbox
  const runs = languages.length === 0 ? '' : `; ${languages.join(', ')}`
  const summary: Finding = {
    name: 'sandbox',
    state: level === 'full' ? 'ok' : 'warning',
    detail: `${level}: ${meanings[level]}${runs}`,
  }
  const failed = probes.filter(({ passed }) => !passed)
  return [
    summary,
    ...failed.map(({ name, detail, mend }): Finding => {
      const finding = { name: `sandbox ${name}`, state: 'warning', detail } as const
      return mend === undefined ? finding : { ...finding, mend }
    }),
  ]
}
