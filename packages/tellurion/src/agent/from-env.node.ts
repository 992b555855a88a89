// An agent from the environment: which model it talks to is said by variables and `.env`, not by code.

import { checkOptions } from '../error/option.ts'
import { demoModel } from '../model/demo-model.ts'
import { processEnvironment, type Environment } from '../model/endpoint.ts'
import { modelFromEnv } from '../model/environment.ts'
import { Agent, type AgentOptions } from './agent.ts'
import { boundedBy, contextFromEnv } from './context-from-env.ts'
import { loadDotEnv } from './dot-env.node.ts'

/** What makes an agent whose model the environment names. */
export interface FromEnvOptions extends Omit<AgentOptions, 'name' | 'model'> {
  /** Default `agent`. */
  readonly name?: string
  /** Default: the environment of the process. */
  readonly env?: Environment
  /** The `.env` file that completes it; false for none. Default: `.env` in the working directory, if there is one. */
  readonly dotEnv?: string | false
}

const known = ['name', 'instructions', 'tools', 'stopWhen', 'approval', 'budget', 'systems', 'env', 'dotEnv']

/**
 * Makes an agent with the model that the environment and `.env` name, the environment winning (`LLM_*`, `LOOM_PROVIDER`
 * and `LOOM_MODEL`, `DEFAULT_MODEL_PROVIDER`, or a vendor's key), or with the built-in demo model when they name none.
 * `MAX_CONTEXT_LENGTH` and `CONTEXT_COMPRESSION_THRESHOLD` keep its context below them, as `compactContext` does. Throws
 * as `Agent`, `model()` and `loadDotEnv` do; nothing is sent yet.
 */
export function agentFromEnv(options: FromEnvOptions = {}): Agent {
  checkOptions('agentFromEnv', options, known)
  const { env = processEnvironment(), dotEnv, name = 'agent', systems = [], ...rest } = options
  const whole = { ...fileOf(dotEnv), ...env }
  const model = modelFromEnv(whole) ?? demoModel()
  return new Agent({ ...rest, name, model, systems: boundedBy(contextFromEnv(whole), systems) })
}

function fileOf(dotEnv: string | false | undefined): Environment {
  if (dotEnv === false) return {}
  return dotEnv === undefined ? loadDotEnv('.env', { optional: true }) : loadDotEnv(dotEnv)
}
