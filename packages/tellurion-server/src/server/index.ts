// The door `tellurion-server/server`: a runtime behind HTTP, with or without a socket.

export { createServer } from './server.ts'
export type { Server, ServerOptions } from './server.ts'
export type { HandleOptions } from './handler.ts'
export type { GrantedScope, Identity, KnownIdentity } from './identity.ts'
export type { CapName, Limits } from './limit.ts'
export { createMcpServer } from './mcp-server.ts'
export type { McpServerOptions } from './mcp-server.ts'
export type { McpConnection, McpServer, McpStreams } from './mcp-serving.ts'
export type { McpArgument, McpContent, McpOffer, McpPrompt, McpResource } from './mcp-offer.ts'
export type { Address } from './address.ts'
export type { Network } from './setting.ts'
