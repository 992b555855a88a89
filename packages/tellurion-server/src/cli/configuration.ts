// The configuration as commands ask for it: their options are what a call gives, and whatever is wrong with it is wrong
// usage.

import { loadConfig, type LoadedConfig } from '../config/load.ts'
import { UsageError } from './fault.ts'
import type { Host } from './setting.ts'

/** Options that set the configuration, as commander gives them. */
export interface ConfigFlags {
  /** The configuration file. */
  readonly config?: string
  readonly host?: string
  readonly port?: string
  readonly url?: string
  readonly store?: string
  readonly concurrency?: string
  readonly model?: string
}

/** Loads the configuration. Throws a `UsageError` in the words of whatever is wrong. */
export async function configurationOf(flags: ConfigFlags, host: Pick<Host, 'env'>): Promise<LoadedConfig> {
  const { config, url, port, store, concurrency, model } = flags
  const server = { ...only('host', flags.host), ...only('port', port), ...only('url', url) }
  const given = {
    server,
    store: only('url', store),
    runs: only('maxConcurrent', concurrency),
    model: only('name', model),
  }
  try {
    return await loadConfig({ given, env: host.env, ...(config === undefined ? {} : { file: config }) })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function only<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [N in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: Value }
}
