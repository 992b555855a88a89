// Which store a command works on: the one that an option names, else DATABASE_URL, else a file under ./data.

import { existsSync } from 'node:fs'
import { TellurionError } from 'tellurion'
import type { Environment } from 'tellurion/model'
import type { BackendOpener } from 'tellurion/runtime'
import { sqlite } from 'tellurion/sqlite'
import { UsageError } from './fault.ts'
import { inertLine } from '../terminal/inert.ts'

/** Where runs are kept when nothing says so. */
export const defaultStore = 'sqlite:./data/tellurion.db'

/** A store by its path. */
export interface StoreChoice {
  readonly path: string
  readonly open: BackendOpener
}

/** Chooses; nothing is opened. Throws a `UsageError` for what is no store of this version. */
export function chooseStore(name: string | undefined, env: Environment): StoreChoice {
  const variable = env['DATABASE_URL']?.trim()
  const url = name ?? (variable || defaultStore)
  try {
    const path = pathOf(url)
    return { path, open: sqlite(path) }
  } catch (error) {
    if (!(error instanceof UsageError) || name !== undefined || !variable) throw error
    throw new UsageError(`DATABASE_URL: ${error.message}`)
  }
}

/** Throws unless the store's file is there: commands that only look do not make one. */
export function mustExist({ path }: StoreChoice): void {
  if (existsSync(path)) return
  const text = `There is no store at ${path}: 'tellurion runs start' makes one, and --store names another.`
  throw new TellurionError('store_unavailable', text)
}

/** `sqlite:./x` and `sqlite:///./x` are the relative path `./x`; `sqlite:/x` and `sqlite:////x` the absolute `/x`. */
function pathOf(url: string): string {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+]+):(.*)$/i.exec(url) ?? []
  const kind = scheme.toLowerCase()
  if (kind === 'sqlite') {
    const path = rest.replace(/^\/\/\//, '')
    if (path !== '' && !path.startsWith('//') && !/[?#\0]/.test(path) && path !== ':memory:') return path
    throw new UsageError(`'${inertLine(url)}' names no file: write ${defaultStore}.`)
  }
  if (/^(?:rediss?|postgres(?:ql)?)$/.test(kind)) {
    throw new UsageError(`A store on ${kind}:// is not available yet; use a file: --store ${defaultStore}.`)
  }
  if (kind === 'memory' || url === 'memory') {
    throw new UsageError(`A store in memory would end with this command; use a file: --store ${defaultStore}.`)
  }
  throw new UsageError(`'${inertLine(url).slice(0, 200)}' is no store: write ${defaultStore}.`)
}
