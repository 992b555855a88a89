// What an MCP server offers: tools of a toolbox, agents as tools, prompts and resources. Checked once, when it is made.

import { TellurionError } from 'tellurion'
import type { Runtime } from 'tellurion/runtime'
import { createToolbox, toolContent, type DecideOptions, type Toolbox, type Tools } from 'tellurion/tool'

/** Text, or parts of text, images and files. */
export type McpContent = string | Parameters<typeof toolContent>[0]

/** What may be filled into a prompt. */
export interface McpArgument {
  readonly description?: string
  /** Default false. */
  readonly required?: boolean
  /** What a person who has typed `begun` may have meant, the likeliest first; 100 are shown at most. */
  complete?(begun: string): readonly string[] | Promise<readonly string[]>
}

/** A prompt: a template that a person picks in their client. */
export interface McpPrompt {
  readonly description: string
  readonly arguments?: Readonly<Record<string, McpArgument>>
  /** The prompt with its arguments filled in; only those that are declared come, and all that are required. */
  render(filled: Readonly<Record<string, string>>): McpContent | Promise<McpContent>
}

/** A resource, or with `{parameters}` in its address a family of them. */
export interface McpResource {
  readonly name: string
  readonly description?: string
  readonly mediaType: string
  /** Its content: text, or bytes. `filled` has the parameters of the address, decoded. */
  read(filled: Readonly<Record<string, string>>): string | Uint8Array | Promise<string | Uint8Array>
}

/** What an MCP server offers. */
export interface McpOffer {
  /** Tools that clients call by themselves. */
  readonly tools?: Tools
  /** What decides on calls of `tools`. A call that it would ask a person about does not run. Default: the tools' own `needsApproval`. */
  readonly authority?: Pick<DecideOptions, 'approval' | 'safeMode' | 'permissions'>
  /**
   * Whether the person at a client is asked about such calls, by clients that can. Only where clients ask people indeed:
   * one that answers by itself approves by itself. Default false.
   */
  readonly askClient?: boolean
  /** Agents that clients ask, each as a tool of its name: a list, or what each is good for by name. Default: all there are. */
  readonly agents?: readonly string[] | Readonly<Record<string, string>>
  /** Prompts by name. */
  readonly prompts?: Readonly<Record<string, McpPrompt>>
  /** Resources by address, such as `notes://today` or `notes://{day}`. */
  readonly resources?: Readonly<Record<string, McpResource>>
  /** How to use it all, for the client's model. */
  readonly instructions?: string
}

/** An offer that was checked. */
export interface CheckedOffer {
  readonly toolbox: Toolbox
  readonly authority: NonNullable<McpOffer['authority']>
  readonly askClient: boolean
  /** What is said of each agent; undefined where nothing was. */
  readonly agents: ReadonlyMap<string, string | undefined>
  readonly prompts: Readonly<Record<string, McpPrompt>>
  readonly resources: Readonly<Record<string, McpResource>>
  readonly instructions: string | undefined
}

const known = ['tools', 'authority', 'askClient', 'agents', 'prompts', 'resources', 'instructions']

/** The tools that stand beside agents. */
export const runTools = ['getRun', 'cancelRun'] as const

/**
 * Checks an offer; `agents` are those it has where it names none. Throws `unknown_option`, `unknown_agent`,
 * `duplicate_tool` for a tool with the name of an agent or of the tools of runs, and `invalid_option`.
 */
export function checkOffer(
  offer: McpOffer,
  { runtime, agents: all }: { readonly runtime: Runtime | undefined; readonly agents: readonly string[] },
): CheckedOffer {
  for (const key of Object.keys(offer)) {
    if (known.includes(key)) continue
    throw new TellurionError('unknown_option', `An MCP server offers no '${key}'. Known: ${known.join(', ')}.`)
  }
  const { tools = {}, authority = {}, askClient = false, prompts = {}, resources = {}, instructions } = offer
  if (typeof askClient !== 'boolean') throw new TellurionError('invalid_option', 'askClient must be true or false.')
  const toolbox = createToolbox(tools)
  const agents = agentsOf(offer.agents ?? all)
  for (const name of agents.keys()) {
    if (runtime === undefined) {
      throw new TellurionError('invalid_option', `The agent '${name}' needs a runtime to run in: give one.`)
    }
    runtime.agents.get(name)
  }
  for (const name of [...agents.keys(), ...(agents.size === 0 ? [] : runTools)]) {
    const twice = toolbox.get(name) !== undefined || (agents.has(name) && runTools.some((own) => own === name))
    if (!twice) continue
    const text = `The MCP server would have two tools named '${name}': an agent, or the tools of runs, and another; rename one of them.`
    throw new TellurionError('duplicate_tool', text)
  }
  for (const [name, { description, render }] of Object.entries(prompts)) {
    if (/^[\w.-]{1,64}$/.test(name) && typeof description === 'string' && typeof render === 'function') continue
    const text = `The prompt '${name}' needs a name of letters, digits, '_', '-' and '.', a description, and render().`
    throw new TellurionError('invalid_option', text)
  }
  for (const [uri, { name, mediaType, read }] of Object.entries(resources)) {
    const shaped = typeof name === 'string' && typeof mediaType === 'string' && typeof read === 'function'
    if (shaped && isAddress(uri)) continue
    const text = `The resource '${uri}' needs an address such as notes://{day}, a name, a mediaType, and read().`
    throw new TellurionError('invalid_option', text)
  }
  return { toolbox, authority, askClient, agents, prompts, resources, instructions }
}

/** Whether an address can be one of a resource: its parameters are words with something between them. */
function isAddress(uri: string): boolean {
  const fixed = uri.replaceAll(/\{\w+\}/g, 'x')
  return URL.canParse(fixed) && !/[{}]/.test(fixed) && !uri.includes('}{')
}

function agentsOf(agents: NonNullable<McpOffer['agents']>): ReadonlyMap<string, string | undefined> {
  return Array.isArray(agents)
    ? new Map((agents as readonly string[]).map((name) => [name, undefined]))
    : new Map(Object.entries(agents as Readonly<Record<string, string>>))
}
