// The door `tellurion/mcp`.

export { createMcp } from './mcp.ts'
export type { Mcp, McpOptions, McpRequest } from './mcp.ts'
export type {
  McpHandler,
  McpHandlerContext,
  McpHttpServer,
  McpServerOptions,
  McpServerSettings,
  McpStdioServer,
} from './server-options.ts'
export type { McpServerState, McpServerStatus } from './status.ts'
export type { PinnedHashes, Quarantined } from './pin.ts'
export type { Unfit } from './offer.ts'
export type { McpResource, McpResourceContent, McpResourceTemplate } from './shown.ts'
export type { McpPrompt, McpPromptMessage } from './shown.ts'
