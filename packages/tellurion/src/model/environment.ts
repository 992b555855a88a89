// Which model the environment names. A pure reading of variables; `.env` files are read elsewhere.

import { suggestion, TellurionError } from '../error/error.ts'
import type { Model } from '../port/model.ts'
import { firstSet, processEnvironment, type Environment, type ModelOptions } from './endpoint.ts'
import { model } from './named-model.ts'
import { vendorNamed, vendors, type Vendor } from './vendor.ts'

/** What the environment says about the model to use. It holds names of variables, never their secrets. */
export interface NamedByEnvironment {
  /** `vendor/model`, for `model()`. */
  readonly name: string
  /** The variable that decided. */
  readonly because: string
  /** The variable that holds the key, where it is not one of the vendor's own. */
  readonly keyName?: string
}

/**
 * The name of the model that the environment asks for, or undefined when it asks for none. In this order:
 * 1. `LLM_MODEL`, `LLM_BASE_URL`, `LLM_API_KEY`, `LLM_PROVIDER`: a server of one's own where there is a base URL, else
 *    the provider, else the vendor that `LLM_MODEL` begins with, else OpenAI;
 * 2. `LOOM_PROVIDER` and `LOOM_MODEL`;
 * 3. `DEFAULT_MODEL_PROVIDER`, if its key is set;
 * 4. the first vendor with a key, in the order of the table.
 * Throws `unknown_provider` and `invalid_configuration`, naming the variable.
 */
export function modelNamedByEnv(env: Environment): NamedByEnvironment | undefined {
  return byLLM(env) ?? byLoom(env) ?? byDefaultProvider(env) ?? byKey(env)
}

/** The model that the environment asks for, ready for use; undefined when it asks for none. Throws as `model()` does. */
export function modelFromEnv(
  env: Environment = processEnvironment(),
  options: Omit<ModelOptions, 'env'> = {},
): Model | undefined {
  const named = modelNamedByEnv(env)
  if (named === undefined) return undefined
  const apiKey = named.keyName === undefined ? undefined : firstSet(env, [named.keyName])
  return model(named.name, { ...(apiKey === undefined ? {} : { apiKey }), ...options, env })
}

function byLLM(env: Environment): NamedByEnvironment | undefined {
  const because = ['LLM_MODEL', 'LLM_BASE_URL', 'LLM_PROVIDER', 'LLM_API_KEY'].find((name) => firstSet(env, [name]))
  if (because === undefined) return undefined
  const wanted = firstSet(env, ['LLM_MODEL'])
  const provider = firstSet(env, ['LLM_PROVIDER'])
  const key = firstSet(env, ['LLM_API_KEY']) === undefined ? {} : { keyName: 'LLM_API_KEY' }
  if (firstSet(env, ['LLM_BASE_URL']) !== undefined) {
    if (wanted === undefined) throw incomplete('LLM_BASE_URL is set but LLM_MODEL is not: set LLM_MODEL as well')
    return { name: `local/${wanted}`, because, ...key }
  }
  if (provider !== undefined) {
    return { name: fullName(provider, wanted, { env, provider: 'LLM_PROVIDER', model: 'LLM_MODEL' }), because, ...key }
  }
  return { name: prefixed(wanted) ?? `openai/${wanted ?? vendors.openai.defaultModel}`, because, ...key }
}

function byLoom(env: Environment): NamedByEnvironment | undefined {
  const provider = firstSet(env, ['LOOM_PROVIDER'])
  const wanted = firstSet(env, ['LOOM_MODEL'])
  if (provider === undefined && wanted === undefined) return undefined
  if (provider === undefined) return { name: prefixed(wanted) ?? `openai/${wanted}`, because: 'LOOM_MODEL' }
  const names = { env, provider: 'LOOM_PROVIDER', model: 'LOOM_MODEL' }
  return { name: fullName(provider, wanted, names), because: 'LOOM_PROVIDER' }
}

function byDefaultProvider(env: Environment): NamedByEnvironment | undefined {
  const because = 'DEFAULT_MODEL_PROVIDER'
  const provider = firstSet(env, [because])
  if (provider === undefined) return undefined
  const row = rowOf(provider, because)
  if (row.needsKey && firstSet(env, row.keyNames) === undefined) return undefined
  const names = { env, provider: because, model: row.modelNames[0] ?? because }
  return { name: fullName(provider, undefined, names), because }
}

function byKey(env: Environment): NamedByEnvironment | undefined {
  for (const [vendor, row] of Object.entries<Vendor>(vendors)) {
    const because = row.keyNames.find((name) => firstSet(env, [name]))
    const wanted = firstSet(env, row.modelNames) ?? row.defaultModel
    const reachable = row.baseURL ?? firstSet(env, row.baseURLNames)
    if (because !== undefined && wanted !== undefined && reachable !== undefined) {
      return { name: `${vendor}/${wanted}`, because }
    }
  }
  return undefined
}

/** `vendor/model` when the text begins with a vendor of the table. */
function prefixed(text: string | undefined): string | undefined {
  const slash = text?.indexOf('/') ?? -1
  return text !== undefined && slash > 0 && vendorNamed(text.slice(0, slash)) !== undefined ? text : undefined
}

/** `names`: the variables that said so, and the one to set where no model is known. */
function fullName(
  provider: string,
  wanted: string | undefined,
  { env, ...names }: { env: Environment; provider: string; model: string },
): string {
  const vendor = provider.toLowerCase()
  const row = rowOf(provider, names.provider)
  const name = wanted ?? firstSet(env, row.modelNames) ?? row.defaultModel
  if (name === undefined)
    throw incomplete(`${names.provider} is '${provider}', which has no default: set ${names.model}`)
  return name.startsWith(`${vendor}/`) ? name : `${vendor}/${name}`
}

function rowOf(provider: string, variable: string): Vendor {
  const row = vendorNamed(provider.toLowerCase())
  if (row !== undefined) return row
  const advice = suggestion(provider, Object.keys(vendors))
  throw new TellurionError('unknown_provider', `${variable} is '${provider}', and no vendor is called that.${advice}`)
}

function incomplete(message: string): TellurionError {
  return new TellurionError('invalid_configuration', `${message}.`)
}
