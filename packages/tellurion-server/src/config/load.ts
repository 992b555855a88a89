// Loading the configuration: what a call gives wins over the environment, that over `.env`, that over the file, and that
// over the defaults. Everything is checked where it stands, so that a mistake is told by the name that a person wrote.

import { basename, resolve } from 'node:path'
import { loadDotEnv, suggestion, TellurionError } from 'tellurion'
import type { Environment } from 'tellurion/model'
import type { z } from 'zod'
import { findConfigFile, readConfigFile } from './file.ts'
import { given, merged, type Layer, type Source } from './layer.ts'
import { namesAt, settingsOf, type Setting } from './row.ts'
import { configurationSchema, type Configuration, type ConfigurationInput } from './schema.ts'
import { fileVariable, variableLayer } from './variable.ts'

/** Where the configuration is looked for. */
export interface LoadOptions {
  /** What the caller says itself; it wins over everything. */
  readonly given?: ConfigurationInput
  /** Default: the environment of the process. */
  readonly env?: Environment
  /** The folder of `.env` and of the configuration file. Default: the working directory. */
  readonly folder?: string
  /** The `.env` file; false for none. Default: `.env` in the folder, if there is one. */
  readonly dotEnv?: string | false
  /** The configuration file; false for none. Default: what TELLURION_CONFIG names, else `tellurion.config.*`, if any. */
  readonly file?: string | false
}

/** The configuration and where it came from. */
export interface LoadedConfig {
  readonly settings: Configuration
  /** The file that was read. */
  readonly file: string | undefined
  /** The environment, `.env` included. */
  readonly env: Environment
  /** Who gave a setting, such as `server.port`; undefined for a default. */
  sourceOf(path: string): Source | undefined
}

/** Every setting there is, for documentation and for whoever explains a configuration. */
export const settings = (): Setting[] => settingsOf(configurationSchema)

/**
 * Reads and checks the whole configuration. Throws `unknown_option`, suggesting the nearest name, and
 * `invalid_configuration`; both name the variable, the option, or the file and its setting. Secrets show in neither.
 */
export async function loadConfig(options: LoadOptions = {}): Promise<LoadedConfig> {
  const { folder = '.', dotEnv, given: own = {}, env: variables = process.env } = options
  const fromFile = dotEnv === false ? {} : dotEnvOf(folder, dotEnv)
  const env = { ...fromFile, ...filled(variables) }
  const known = settings()
  const file = fileOf(folder, options.file, env)
  const layers: Layer[] = [ownLayer(own, known), variableLayer(env, known)]
  if (file !== undefined) layers.push(fileLayer(basename(file), await readConfigFile(file)))
  for (const layer of layers) checked(layer, known)
  const { value, sources } = merged(layers, known)
  const whole: Layer = { kind: 'call', value, nameOf: (path) => path.join('.') }
  return { settings: checked(whole, known), file, env, sourceOf: (path) => sources.get(path) }
}

function dotEnvOf(folder: string, path: string | undefined): Environment {
  return path === undefined ? loadDotEnv(resolve(folder, '.env'), { optional: true }) : loadDotEnv(path)
}

/** Variables that are set to something: an empty one does not hide what `.env` says. */
function filled(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()))
}

function fileOf(folder: string, file: LoadOptions['file'], env: Environment): string | undefined {
  if (file === false) return undefined
  const named = file ?? env[fileVariable]?.trim()
  return named ? resolve(folder, named) : findConfigFile(folder)
}

function ownLayer(value: ConfigurationInput, known: readonly Setting[]): Layer {
  const optionOf = (path: string): string | undefined =>
    known.find((setting) => setting.path.join('.') === path)?.option
  return { kind: 'call', value, nameOf: (path) => optionOf(path.join('.')) ?? path.join('.') }
}

function fileLayer(name: string, value: unknown): Layer {
  return { kind: 'file', value, nameOf: (path) => (path.length === 0 ? name : `${name}: ${path.join('.')}`) }
}

/** The layer's value, read. Throws with the first thing that is wrong with it. */
function checked(layer: Layer, known: readonly Setting[]): Configuration {
  let result: ReturnType<typeof configurationSchema.safeParse>
  try {
    result = configurationSchema.safeParse(layer.value)
  } catch (error) {
    throw new TellurionError('invalid_configuration', `${layer.nameOf([])}: it cannot be read.`, { cause: error })
  }
  const issue = result.error?.issues[0]
  if (issue === undefined) return result.data as Configuration
  throw issue.code === 'unrecognized_keys' ? unknownName(layer, issue, known) : wrongValue(layer, issue, known)
}

function unknownName(
  layer: Layer,
  { path, keys }: { path: PropertyKey[]; keys: string[] },
  known: readonly Setting[],
): TellurionError {
  const [key = ''] = keys
  const where = layer.nameOf([...path, key])
  // Perhaps it is in the wrong place, or goes by the name of its variable.
  const meant = known.filter((each) => each.path.at(-1) === key || each.variables?.includes(key))
  const elsewhere = meant.map((each) => `'${each.path.join('.')}'`).join(' or ')
  const hint = elsewhere === '' ? suggestion(key, namesAt(configurationSchema, path)) : ` Did you mean ${elsewhere}?`
  return new TellurionError('unknown_option', `${where}: there is no such setting.${hint}`)
}

function wrongValue(layer: Layer, { path, message }: z.core.$ZodIssue, known: readonly Setting[]): TellurionError {
  const row = known.find((setting) => setting.path.every((name, index) => path[index] === name))
  const shown = row?.secret === true ? '' : shownAs(given(layer.value, path))
  return new TellurionError('invalid_configuration', `${layer.nameOf(path)} ${message}${shown}.`)
}

/** The beginning of a text, without control characters and what stands before the host of an address. */
function plain(text: string): string {
  return text
    .replace(/\/\/[^/@]*@/g, '//…@')
    .slice(0, 60)
    .replace(/[^\x20-\x7e\xa0-\uffff]/g, ' ')
}

/** A wrong value behind the words that say what is right; only short plain ones. */
function shownAs(value: unknown): string {
  if (value === '') return ''
  if (typeof value === 'string') return `, not '${plain(value)}'`
  return typeof value === 'number' || typeof value === 'boolean' ? `, not ${value}` : ''
}
