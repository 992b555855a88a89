// The version of this package, out of its manifest.

import { readFileSync } from 'node:fs'

/** Such as `1.2.3`. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return (manifest as { version: string }).version
}
