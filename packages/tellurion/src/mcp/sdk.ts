// The official package that speaks the protocol, loaded when the first server is connected to: a program without MCP
// servers neither needs nor loads it.

import { TellurionError } from '../error/error.ts'

/** What the package exports. */
export type Sdk = typeof import('@modelcontextprotocol/client')

let loading: Promise<Sdk> | undefined

/** The package; rejects with `missing_package` where it is not installed. */
export function loadSdk(): Promise<Sdk> {
  loading ??= import('@modelcontextprotocol/client').catch((cause: unknown) => {
    loading = undefined
    throw new TellurionError(
      'missing_package',
      'MCP servers need the official client: npm install @modelcontextprotocol/client',
      { cause },
    )
  })
  return loading
}
