// Who works under a configuration: its agents, or the demo agent with the model that it names; and the runtime's options
// that follow from it.

import { join } from 'node:path'
import { TellurionError, type Model } from 'tellurion'
import { compactContext } from 'tellurion/agent'
import { timeout } from 'tellurion/model'
import type { AnyAgent, RuntimeOptions } from 'tellurion/runtime'
import { createToolbox, discoverTools, type DiscoveredTools } from 'tellurion/tool'
import type { System } from 'tellurion/world'
import type { LoadedConfig } from '../config/load.ts'
import { namedModel } from '../config/model-variable.ts'
import type { Configuration } from '../config/schema.ts'
import { demoAgent } from '../demo/demo-agent.ts'
import { openFileRoot } from '../demo/file-root.ts'
import { UsageError } from './fault.ts'
import type { ToolServers } from './tool-server.ts'
import { chooseModel, type ModelChoice } from './model-choice.ts'
import { chooseStore, type StoreChoice } from './store-choice.ts'

/** Options of the demo agent. */
export interface CrewFlags {
  readonly root?: string
  readonly ask?: boolean
  /** Milliseconds before each word of the demo model. */
  readonly demoDelay?: number
}

/** The agents and what they talk to. */
export interface Crew {
  readonly agents: readonly AnyAgent[]
  readonly choice: ModelChoice
  /** The folder whose files the demo agent may read; undefined where the configuration brings agents of its own. */
  readonly root: string | undefined
  /** The tools of the folder that the configuration names, and what was passed over there. */
  readonly found: DiscoveredTools
}

/**
 * Makes the agents; with MCP servers their tools are among those of the folder. Whatever is wrong with them is a
 * `UsageError`; nothing is sent.
 */
export async function crewOf(loaded: LoadedConfig, flags: CrewFlags, servers?: ToolServers): Promise<Crew> {
  const { root = '.', ask = false, demoDelay = 0 } = flags
  try {
    const { name, env } = namedModel(loaded)
    const choice = chooseModel({ name, env, demoDelay })
    const model = tuned(choice.model, loaded.settings.model)
    const { agents } = loaded.settings
    const found = await foundTools(loaded)
    const tools = servers === undefined ? found.tools : servers.mcp.toolbox(found.tools)
    if (agents === undefined) {
      const files = await openFileRoot(root).catch((error: unknown) => refuseRoot(error))
      const systems = compacting(loaded.settings.context)
      return { agents: [demoAgent({ model, root: files, ask, tools, systems })], choice, root: files.path, found }
    }
    const own = typeof agents === 'function' ? await agents({ model, env, tools }) : agents
    if (!Array.isArray(own) || own.length === 0) {
      throw new TellurionError(
        'invalid_configuration',
        'agents: there is no agent in it; write a list with one at least.',
      )
    }
    return { agents: own, choice, root: undefined, found }
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error })
  }
}

/** The tools of the configured folder. Throws, naming the setting, where the folder cannot be used. */
async function foundTools({ settings: { tools }, sourceOf }: LoadedConfig): Promise<DiscoveredTools> {
  if (tools.folder === undefined) return { tools: createToolbox(), problems: [] }
  try {
    return await discoverTools({ folder: tools.folder })
  } catch (error) {
    throw new UsageError(`${sourceOf('tools.folder')?.name ?? 'tools.folder'}: ${messageOf(error)}`, { cause: error })
  }
}

/** What was passed over in the folder of tools, a line each. */
export function toolProblems({ found }: Crew, { settings }: LoadedConfig): readonly string[] {
  return found.problems.map(({ path, message }) => `${join(settings.tools.folder ?? '', path)}: ${message}.`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function refuseRoot(error: unknown): never {
  throw new UsageError(`--root ${messageOf(error)}`, { cause: error })
}

/** The store of the configuration. Throws a `UsageError` that says where its name comes from. */
export function storeOf({ settings, sourceOf }: LoadedConfig): StoreChoice {
  try {
    return chooseStore(settings.store.url, {})
  } catch (error) {
    const source = sourceOf('store.url')
    if (!(error instanceof UsageError) || source === undefined || source.kind === 'call') throw error
    throw new UsageError(`${source.name}: ${error.message}`, { cause: error })
  }
}

/** What the configuration says of a runtime. */
export function runtimeOptionsOf({
  runs,
  budgets,
}: Configuration): Pick<
  RuntimeOptions,
  'maxConcurrent' | 'maxSessions' | 'patience' | 'retention' | 'caps' | 'budgets'
> {
  const { maxConcurrent, maxSessions, timeout: longest, sessionIdle, keepPast } = runs
  const { toolTimeout, subAgents, subAgentTimeout } = runs
  const accounts = { user: filled(budgets.user), tenant: filled(budgets.tenant) }
  return {
    maxConcurrent,
    maxSessions,
    patience: { timeout: longest, idle: sessionIdle, grace: 7000 },
    caps: { subAgents, subAgentTimeout, ...(toolTimeout === undefined ? {} : { toolTimeout }) },
    ...(keepPast === undefined ? {} : { retention: { past: keepPast } }),
    budgets: {
      ...(accounts.user === undefined ? {} : { user: accounts.user }),
      ...(accounts.tenant === undefined ? {} : { tenant: accounts.tenant }),
    },
  }
}

/** An account with what is set of it; undefined where nothing is. */
function filled<T extends object>(account: T): { readonly [K in keyof T]: NonNullable<T[K]> } | undefined {
  const entries = Object.entries(account).filter(([, value]) => value !== undefined)
  return entries.length === 0
    ? undefined
    : (Object.fromEntries(entries) as { readonly [K in keyof T]: NonNullable<T[K]> })
}

/** The model with the settings that go into each request, and with an end to its silence. */
function tuned(model: Model, { temperature, maxOutputTokens, streamTimeout }: Configuration['model']): Model {
  const { name, stream } = timeout(model, { idle: streamTimeout })
  const settings = {
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
  }
  return { name, stream: (request, options) => stream({ ...settings, ...request }, options) }
}

/** Compaction as the environment bounds it, under the names of the reference. */
function compacting({ window, threshold }: Configuration['context']): readonly System[] {
  if (window === undefined && threshold === undefined) return []
  const when = threshold === undefined ? {} : threshold > 1 ? { threshold } : { stages: { summarise: threshold } }
  return [compactContext({ ...(window === undefined ? {} : { window }), ...when })]
}
