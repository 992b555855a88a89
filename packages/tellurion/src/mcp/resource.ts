// Resources of a server: what it has to read, for programs and, as two tools, for models. Addresses are checked against
// nothing but their length: what they lead to is the server's business, and its answer is a stranger's.

import { TellurionError } from '../error/error.ts'
import type { Json } from '../schema/json.ts'
import { createTool, type AnyTool } from '../tool/tool.ts'
import { cleanLine, cleanText } from './clean-text.ts'
import type { LinkRequest } from './link-request.ts'
import type { McpResource, McpResourceContent, McpResourceTemplate } from './shown.ts'
import type { McpServer } from './server.ts'
import { unknownEffects } from './server-tool.ts'
import { partsValue, contentParts, type ContentBlock } from './tool-result.ts'

const maxListed = 1_000
const longestURI = 2_000

/** What a server has to read. */
export async function listResources(
  server: McpServer,
  request: LinkRequest,
): Promise<{ readonly resources: readonly McpResource[]; readonly templates: readonly McpResourceTemplate[] }> {
  return server.use(async (link) => {
    if (!link.has('resources')) return { resources: [], templates: [] }
    const resources = await link.listResources(request)
    // Not every server with resources knows templates.
    const templates = await link.listResourceTemplates(request).catch((error: unknown) => {
      if (error instanceof TellurionError && error.data?.['mcpCode'] === methodNotFound) return []
      throw error
    })
    return {
      resources: resources.slice(0, maxListed).map((each) => ({ uri: textOf(each, 'uri'), ...described(each) })),
      templates: templates
        .slice(0, maxListed)
        .map((each) => ({ uriTemplate: textOf(each, 'uriTemplate'), ...described(each) })),
    }
  }, request)
}

const methodNotFound = -32_601

/** The contents of a resource. Rejects with `mcp_failed` where there is none. */
export async function readResource(
  server: McpServer,
  uri: string,
  request: LinkRequest,
): Promise<readonly McpResourceContent[]> {
  if (typeof uri !== 'string' || uri === '' || uri.length > longestURI) {
    throw new TellurionError('invalid_value', `The address of a resource has 1 to ${longestURI} characters.`)
  }
  const { contents } = await server.use((link) => link.readResource(uri, request), request)
  return contents.slice(0, maxListed).map((content) => {
    const {
      uri: from,
      mimeType,
      text,
      blob,
    } = content as { uri?: unknown; mimeType?: unknown; text?: unknown; blob?: unknown }
    return {
      uri: typeof from === 'string' ? from : uri,
      ...(typeof mimeType === 'string' ? { mediaType: cleanLine(mimeType, 100) } : {}),
      ...(typeof text === 'string' ? { text: text.toWellFormed() } : {}),
      ...(typeof blob === 'string' ? { data: blob } : {}),
    }
  })
}

/** The tools by which a model lists and reads what a server has. */
export function resourceTools(server: McpServer): Record<string, AnyTool> {
  const { timeout = 30_000, trustAnnotations = false } = server.options
  // Reading changes nothing where the server is believed; but an address can carry something out.
  const effects = trustAnnotations ? ({ mode: 'read', risk: ['exfiltrating'] } as const) : unknownEffects
  const common = { timeout, trust: 'untrusted', effects } as const
  return {
    [`${server.name}_listResources`]: createTool({
      ...common,
      description: `List what the MCP server ${server.name} has to read: addresses, and templates of addresses.`,
      inputSchema: { type: 'object', properties: {}, additionalProperties: false },
      execute: async (_, { abortSignal }) =>
        (await listResources(server, { signal: abortSignal, timeout: Infinity })) as unknown as Json,
    }),
    [`${server.name}_readResource`]: createTool({
      ...common,
      description: `Read one resource of the MCP server ${server.name} by its address.`,
      inputSchema: {
        type: 'object',
        properties: {
          uri: { type: 'string', description: 'The address, as listResources gives it.', maxLength: longestURI },
        },
        required: ['uri'],
        additionalProperties: false,
      },
      execute: async (input, { abortSignal }) => {
        const { uri } = input as { uri: string }
        const contents = await readResource(server, uri, { signal: abortSignal, timeout: Infinity })
        return partsValue(contentParts(contents.map(blockOf)))
      },
    }),
  }
}

function blockOf({ uri, mediaType, text, data }: McpResourceContent): ContentBlock {
  if (text === undefined && mediaType?.startsWith('image/') === true)
    return { type: 'image', data, mimeType: mediaType }
  return { type: 'resource', resource: { uri, mimeType: mediaType, text, blob: data } }
}

function described(value: unknown): { name: string; description?: string; mediaType?: string } {
  const description = textOf(value, 'description')
  const mediaType = textOf(value, 'mimeType')
  return {
    name: cleanLine(textOf(value, 'title') || textOf(value, 'name'), 200),
    ...(description === '' ? {} : { description: cleanText(description, 1_000) }),
    ...(mediaType === '' ? {} : { mediaType: cleanLine(mediaType, 100) }),
  }
}

function textOf(value: unknown, key: string): string {
  const text = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
  return typeof text === 'string' ? text.slice(0, longestURI * 2).toWellFormed() : ''
}
