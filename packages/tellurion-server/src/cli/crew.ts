// Who works under a configuration: its agents, or the demo agent with the model that it names; and the runtime's options
// that follow from it.

import { TellurionError, type Model } from 'tellurion'
import { compactContext } from 'tellurion/agent'
import { timeout } from 'tellurion/model'
import type { AnyAgent, RuntimeOptions } from 'tellurion/runtime'
import type { System } from 'tellurion/world'
import type { LoadedConfig } from '../config/load.ts'
import { namedModel } from '../config/model-variable.ts'
import type { Configuration } from '../config/schema.ts'
import { demoAgent } from '../demo/demo-agent.ts'
import { openFileRoot } from '../demo/file-root.ts'
import { UsageError } from './fault.ts'
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
}

/** Makes the agents. Whatever is wrong with them is a `UsageError`; nothing is sent. */
export async function crewOf(loaded: LoadedConfig, flags: CrewFlags): Promise<Crew> {
  const { root = '.', ask = false, demoDelay = 0 } = flags
  try {
    const { name, env } = namedModel(loaded)
    const choice = chooseModel({ name, env, demoDelay })
    const model = tuned(choice.model, loaded.settings.model)
    const { agents } = loaded.settings
    if (agents === undefined) {
      const files = await openFileRoot(root).catch((error: unknown) => refuseRoot(error))
      const systems = compacting(loaded.settings.context)
      return { agents: [demoAgent({ model, root: files, ask, systems })], choice, root: files.path }
    }
    const own = typeof agents === 'function' ? await agents({ model, env }) : agents
    if (!Array.isArray(own) || own.length === 0) {
      throw new TellurionError(
        'invalid_configuration',
        'agents: there is no agent in it; write a list with one at least.',
      )
    }
    return { agents: own, choice, root: undefined }
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function refuseRoot(error: unknown): never {
  throw new UsageError(`--root ${error instanceof Error ? error.message : String(error)}`, { cause: error })
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
