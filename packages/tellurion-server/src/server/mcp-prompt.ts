// Prompts over MCP: listed, and filled in with checked arguments.

import { ProtocolError, ProtocolErrorCode, type Server } from '@modelcontextprotocol/server'
import type { Log } from 'tellurion/trace'
import { blocksOf } from './mcp-content.ts'
import { bounded, guarded } from './mcp-failure.ts'
import type { McpOffer, McpPrompt } from './mcp-offer.ts'

/** Most completions of one argument that are shown. */
const mostValues = 100

/** Whether a prompt has something to complete. */
export function completes(prompts: NonNullable<McpOffer['prompts']>): boolean {
  const all = Object.values(prompts).flatMap(({ arguments: takes = {} }) => Object.values(takes))
  return all.some(({ complete }) => complete !== undefined)
}

/** Adds prompts to a server; nothing where there are none. */
export function addPrompts(server: Server, prompts: NonNullable<McpOffer['prompts']>, log: Log): void {
  const entries = Object.entries(prompts)
  if (entries.length === 0) return
  const listings = entries.map(([name, { description, arguments: takes = {} }]) => ({
    name,
    description,
    arguments: Object.entries(takes).map(([argument, { description: about, required = false }]) => ({
      name: argument,
      required,
      ...(about === undefined ? {} : { description: about }),
    })),
  }))
  server.setRequestHandler('prompts/list', () => ({ prompts: listings }))
  server.setRequestHandler('prompts/get', async ({ params: { name, arguments: given = {} } }) => {
    const prompt = promptOf(prompts, name)
    const known = filled(name, prompt, given)
    const content = await guarded(log, name, async () => blocksOf(bounded(await prompt.render(known), 'The prompt')))
    return {
      description: prompt.description,
      messages: content.map((block) => ({ role: 'user' as const, content: block })),
    }
  })
  if (!completes(prompts)) return
  server.setRequestHandler('completion/complete', async ({ params: { ref, argument } }) => {
    if (ref.type !== 'ref/prompt') return { completion: { values: [] } }
    const { arguments: takes = {} } = promptOf(prompts, ref.name)
    const values = await guarded(log, ref.name, () => takes[argument.name]?.complete?.(argument.value))
    const shown = (values ?? []).slice(0, mostValues)
    return { completion: { values: shown, total: values?.length ?? 0, hasMore: shown.length < (values?.length ?? 0) } }
  })
}

function promptOf(prompts: NonNullable<McpOffer['prompts']>, name: string): McpPrompt {
  const prompt = Object.hasOwn(prompts, name) ? prompts[name] : undefined
  if (prompt === undefined) throw invalid(`There is no prompt '${name.slice(0, 64).toWellFormed()}'.`)
  return prompt
}

/** The arguments that a prompt takes. Throws for one that is missing or that it does not take. */
function filled(
  name: string,
  { arguments: takes = {} }: McpPrompt,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  for (const argument of Object.keys(given)) {
    if (!Object.hasOwn(takes, argument)) throw invalid(`The prompt '${name}' takes no '${argument.slice(0, 64)}'.`)
  }
  for (const [argument, { required = false }] of Object.entries(takes)) {
    if (required && !Object.hasOwn(given, argument)) throw invalid(`The prompt '${name}' needs '${argument}'.`)
  }
  return { ...given }
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message)
}
