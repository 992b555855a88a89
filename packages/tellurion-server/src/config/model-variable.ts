// Which model the configuration names, told as the room of models reads it: by variables. What the environment itself
// chooses goes before what the file says, and a choice goes before a mere key.

import { modelNamedByEnv, vendors, type Environment, type Vendor } from 'tellurion/model'
import type { Source } from './layer.ts'
import type { LoadedConfig } from './load.ts'

/** A model as `--model` names it, or the variables that do. */
export interface NamedModel {
  /** `vendor/name` or `demo`, where it was named outright. */
  readonly name: string | undefined
  readonly env: Environment
}

const variables = {
  name: 'LLM_MODEL',
  provider: 'LLM_PROVIDER',
  baseURL: 'LLM_BASE_URL',
  apiKey: 'LLM_API_KEY',
} as const

/** What names the model. Throws what `modelNamedByEnv` throws. */
export function namedModel({ settings, env, sourceOf }: LoadedConfig): NamedModel {
  const { model, keys } = settings
  const from = (kind: Source['kind']): Environment =>
    Object.fromEntries(
      (Object.keys(variables) as (keyof typeof variables)[]).flatMap((name) => {
        const value = model[name]
        if (value === undefined || sourceOf(`model.${name}`)?.kind !== kind) return []
        return [[variables[name], typeof value === 'string' ? value : value.reveal()]]
      }),
    )
  const whole = { ...keysOf(keys), ...env, ...from('call') }
  const said = sourceOf('model.name')?.kind
  if (said === 'call') {
    // With a base URL a name is its server's, whatever it looks like, but for those that can only be ours.
    const isOurs = model.baseURL === undefined || /^demo$|^local\//.test(model.name ?? '')
    return { name: isOurs ? model.name : undefined, env: whole }
  }
  if (isChosen(env)) return { name: undefined, env: whole }
  return { name: said === 'file' && model.name === 'demo' ? 'demo' : undefined, env: { ...from('file'), ...whole } }
}

/** Whether the environment chooses a model, and does not just hold a key. */
function isChosen(env: Environment): boolean {
  const because = modelNamedByEnv(env)?.because
  return because !== undefined && !Object.values<Vendor>(vendors).some(({ keyNames }) => keyNames.includes(because))
}

function keysOf(keys: LoadedConfig['settings']['keys']): Environment {
  return Object.fromEntries(
    Object.entries(keys).flatMap(([vendor, key]) => {
      const variable = vendors[vendor as keyof typeof vendors].keyNames[0]
      return key === undefined || variable === undefined ? [] : [[variable, key.reveal()]]
    }),
  )
}
