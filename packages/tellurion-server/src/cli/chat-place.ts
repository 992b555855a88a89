// Where a chat takes place: on a server elsewhere, or in this process with the agents of the configuration, in memory
// unless a store is named.

import { memory, systemIds } from 'tellurion/runtime'
import type { LoadedConfig } from '../config/load.ts'
import { inertLine } from '../terminal/inert.ts'
import { connectTo, embed, placeOf, type Connection, type ConnectionFlags, type Tries } from './connection.ts'
import { crewOf, runtimeOptionsOf, storeOf, type CrewFlags } from './crew.ts'
import { describeChoice } from './model-choice.ts'
import { redactorOf } from './redaction.ts'
import type { Host } from './setting.ts'
import { describeServer, openToolServers } from './tool-server.ts'
import type { Chatting } from './turn.ts'

/** Options of the commands that chat. */
export interface ChatFlags extends ConnectionFlags, CrewFlags {
  /** Whom to ask; default the first. */
  readonly agent?: string
  /** The conversation to go on with; default a new one. */
  readonly session?: string
}

/** A place to chat. */
export interface ChatPlace extends Chatting, AsyncDisposable {
  /** Who answers, and what it may do. */
  readonly introduction: readonly string[]
  /** Whether what is said is still there when the command has ended. */
  readonly isKept: boolean
}

/** How a place is opened. */
export interface ChatPlaceOptions {
  /** Milliseconds before each word of the demo. */
  readonly demoDelay?: number
  /** How patient its client is with a server elsewhere. */
  readonly tries?: Tries
}

/** Opens it. Whatever is wrong with options is a `UsageError`. */
export async function openChat(
  flags: ChatFlags,
  host: Host,
  { demoDelay = 0, tries }: ChatPlaceOptions = {},
): Promise<ChatPlace> {
  const { loaded, url } = await placeOf(flags, host)
  const { connection, introduction } =
    url === undefined ? await openHere(loaded, flags, { host, demoDelay }) : elsewhere(url, loaded, { ...flags, tries })
  return {
    client: connection.client,
    session: flags.session ?? systemIds('session'),
    agent: flags.agent,
    introduction,
    isKept: url !== undefined || flags.store !== undefined,
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}

interface Opened {
  readonly connection: Connection
  readonly introduction: readonly string[]
}

function elsewhere(
  url: string,
  loaded: LoadedConfig,
  { agent, tries }: ChatFlags & { readonly tries: Tries | undefined },
): Opened {
  const whom = agent === undefined ? '' : ` ${inertLine(agent)} of`
  return {
    connection: connectTo(url, loaded, tries),
    introduction: [`Talking to${whom} the server at ${inertLine(url)}.`],
  }
}

async function openHere(
  loaded: LoadedConfig,
  flags: ChatFlags,
  { host, demoDelay }: { readonly host: Host; readonly demoDelay: number },
): Promise<Opened> {
  await using stack = new AsyncDisposableStack()
  const servers = await openToolServers(loaded)
  if (servers !== undefined) stack.use(servers)
  const crew = await crewOf(loaded, { ...flags, demoDelay }, servers)
  const connection = await embed(
    {
      ...runtimeOptionsOf(loaded.settings),
      store: flags.store === undefined ? memory() : storeOf(loaded).open,
      agents: crew.agents,
      // A person sits here and sees what fails: nothing is tried again behind their back.
      retry: { maxRetries: 0 },
      user: 'local',
      ports: { redactor: redactorOf(loaded) },
    },
    flags,
    host,
  )
  const names = connection.runtime?.agents.keys().map(inertLine).join(', ')
  const introduction =
    crew.root === undefined
      ? [`Agents: ${names}.`]
      : [...describeChoice(crew.choice), `It may read files under ${inertLine(crew.root)} (others: --root DIR).`]
  const standing = (servers?.mcp.status() ?? []).map(
    (status) => `MCP server ${inertLine(status.server)}: ${inertLine(describeServer(status))}.`,
  )
  stack.use(connection)
  const closing = stack.move()
  return {
    connection: { ...connection, [Symbol.asyncDispose]: () => closing.disposeAsync() },
    introduction: [...introduction, ...standing],
  }
}
