// What an MCP server does for its clients, as others hold it.

import type { Identity } from './identity.ts'

/** An MCP server, made by `createMcpServer`. */
export interface McpServer {
  /**
   * Answers a request of streamable HTTP on behalf of `identity`, which the caller vouches for, as it does for `Host`
   * and `Origin`; the server's own route `/mcp` has checked them. Throws `request_too_large`, `rate_limited` and
   * `runtime_closed`.
   */
  handle(request: Request, options: { readonly identity: Identity }): Promise<Response>
  /** Serves one client over streams, such as standard input and output. */
  serve(options: McpStreams & { readonly identity: Identity }): Promise<McpConnection>
  /** Ends sessions and connections. Runs that calls began go on in the runtime. */
  close(): Promise<void>
}

/** Where a client is read and written. */
export interface McpStreams {
  /** A stream of Node, such as `process.stdin`. */
  readonly input: { pause(): unknown; resume(): unknown }
  /** A stream of Node, such as `process.stdout`. */
  readonly output: { write(text: string): unknown; end(): unknown }
}

/** A client that is served. */
export interface McpConnection {
  /** Resolves when the client has closed its end, or sent more than a message may be long. */
  readonly ended: Promise<void>
  close(): Promise<void>
}
