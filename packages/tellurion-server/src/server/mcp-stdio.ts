// MCP over standard input and output: one client, which is whoever started the process.

import type { Readable, Writable } from 'node:stream'
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import type { Identity } from './identity.ts'
import type { MakeInstance } from './mcp-instance.ts'
import type { McpConnection, McpStreams } from './mcp-serving.ts'
import type { McpSetting } from './mcp-setting.ts'

/** Serves one client on behalf of an identity. Nothing else may write to `output`. */
export function serveMcpStdio(
  setting: McpSetting,
  makeInstance: MakeInstance,
  { input, output, identity }: McpStreams & { readonly identity: Identity },
): McpConnection {
  const transport = new StdioServerTransport(input as unknown as Readable, output as unknown as Writable, {
    maxBufferSize: setting.limits.body,
  })
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const handle = serveStdio(() => makeInstance(identity), {
    transport,
    onerror: (error) => setting.log.info('mcp.error', { error: error.message }),
  })
  const { onclose } = transport
  const close = (): void => {
    onclose?.()
    resolve()
  }
  Object.assign(transport, { onclose: close })
  return { ended, close: () => handle.close() }
}
