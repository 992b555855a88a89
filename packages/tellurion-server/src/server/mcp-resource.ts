// Resources over MCP: listed, and read by their address. A family of them is one address with `{parameters}`.

import { ResourceNotFoundError, type Server } from '@modelcontextprotocol/server'
import type { Log } from 'tellurion/trace'
import { bounded, guarded } from './mcp-failure.ts'
import type { McpOffer, McpResource } from './mcp-offer.ts'

/** Adds resources to a server; nothing where there are none. */
export function addResources(server: Server, resources: NonNullable<McpOffer['resources']>, log: Log): void {
  const entries = Object.entries(resources)
  if (entries.length === 0) return
  const fixed = entries.filter(([uri]) => !uri.includes('{'))
  const families = entries
    .filter(([uri]) => uri.includes('{'))
    .map(([uri, resource]) => ({ pattern: patternOf(uri), resource }))
  server.setRequestHandler('resources/list', () => ({
    resources: fixed.map(([uri, resource]) => ({ uri, ...aboutOf(resource) })),
  }))
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: entries
      .filter(([uri]) => uri.includes('{'))
      .map(([uriTemplate, resource]) => ({ uriTemplate, ...aboutOf(resource) })),
  }))
  server.setRequestHandler('resources/read', async ({ params: { uri } }) => {
    const found = find(uri)
    if (found === undefined) throw new ResourceNotFoundError(uri.slice(0, 500).toWellFormed())
    const { resource, filled } = found
    const content = await guarded(log, uri, async () => bounded(await resource.read(filled), 'The resource'))
    const about = { uri, mimeType: resource.mediaType }
    return {
      contents: [
        typeof content === 'string'
          ? { ...about, text: content.toWellFormed() }
          : { ...about, blob: Buffer.from(content).toString('base64') },
      ],
    }
  })

  const find = (uri: string): { resource: McpResource; filled: Readonly<Record<string, string>> } | undefined => {
    const own = Object.hasOwn(resources, uri) && !uri.includes('{') ? resources[uri] : undefined
    if (own !== undefined) return { resource: own, filled: {} }
    for (const { pattern, resource } of families) {
      const filled = decoded(pattern.exec(uri)?.groups)
      if (filled !== undefined) return { resource, filled }
    }
    return undefined
  }
}

function aboutOf({ name, description, mediaType }: McpResource): {
  name: string
  mimeType: string
  description?: string
} {
  return { name, mimeType: mediaType, ...(description === undefined ? {} : { description }) }
}

/** An address with parameters as a pattern; a parameter is one segment. */
function patternOf(uri: string): RegExp {
  const parts = uri.split(/\{(\w+)\}/)
  const source = parts.map((part, index) =>
    index % 2 === 1 ? `(?<${part}>[^/?#]{1,200})` : part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'),
  )
  return new RegExp(`^${source.join('')}$`)
}

/** Parameters as they are meant; undefined for what is not well encoded, or was not met. */
function decoded(groups: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  if (groups === undefined) return undefined
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]))
  } catch {
    return undefined
  }
}
