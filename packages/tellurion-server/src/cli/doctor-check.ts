// What a doctor looks at: each check says how something stands and, where it does not stand well, how to mend it. Nothing
// is made, sent to a model, or written.

import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { loadDotEnv, suggestion } from 'tellurion'
import { estimateTokens, loadTokenCounter, vendors, type Vendor } from 'tellurion/model'
import { createRuntime } from 'tellurion/runtime'
import { originOf } from 'tellurion/tool'
import { settings, type LoadedConfig } from '../config/load.ts'
import { Secret } from 'tellurion/secret'
import { systemMessage } from '../config/system-message.ts'
import { isOpenToOthers, readToken } from '../config/token.ts'
import { usersOf } from '../config/user.ts'
import { crewOf, storeOf, toolProblems, type Crew } from './crew.ts'
import { serverURL } from './server-address.ts'
import { clientOf } from './status.ts'
import { describeServer, openToolServers } from './tool-server.ts'

/** How something stands. A problem keeps the server from working as configured; a warning is worth knowing. */
export interface Finding {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'problem'
  readonly detail: string
  /** What to do about it. */
  readonly mend?: string
}

const needed = 24
const wait = 2000

/** Whether this Node is new enough. */
export function checkNode(version: string = process.versions.node): Finding {
  const name = 'node'
  if (Number(version.split('.')[0]) >= needed) return { name, state: 'ok', detail: version }
  return { name, state: 'problem', detail: `${version} is too old`, mend: `Install Node ${needed} or newer.` }
}

/** Which settings are given, by whom, and what looks like a slip of the finger in `.env`. */
export function checkConfiguration(loaded: LoadedConfig, folder = '.'): Finding {
  const name = 'configuration'
  const given = settings().flatMap(({ path }) => loaded.sourceOf(path.join('.')) ?? [])
  const others = given.filter(({ kind }) => kind !== 'file').map((source) => source.name)
  const inFile = given.length - others.length
  const detail = [
    loaded.file === undefined ? 'no file' : `${loaded.file}: ${inFile} setting${inFile === 1 ? '' : 's'}`,
    others.length === 0 ? 'no variables' : others.join(', '),
  ].join('; ')
  const slips = slipsIn(loadDotEnv(resolve(folder, '.env'), { optional: true }))
  if (slips.length > 0) {
    return { name, state: 'warning', detail, mend: `Nothing reads these of .env: ${slips.join(' ')}` }
  }
  const open = loaded.file !== undefined && holdsSecrets(loaded) && isOpenToOthers(loaded.file)
  if (!open) return { name, state: 'ok', detail }
  return { name, state: 'warning', detail, mend: `It holds secrets, and others can read it: chmod 600 ${loaded.file}` }
}

/** Where the log goes. */
export function checkLog({ settings: { log } }: LoadedConfig): Finding {
  const name = 'log'
  if (log.file === 'none') return { name, state: 'ok', detail: 'standard error' }
  const why = whyNotWritable(log.file)
  if (why === undefined) return { name, state: 'ok', detail: `${log.file} from ${log.level} on` }
  const mend = 'Give it a place with LOG_FILE, or none with LOG_FILE=none.'
  return { name, state: 'problem', detail: `${log.file}: ${why}`, mend }
}

/** Whether the store can be opened and written, without making one. */
export async function checkStore(loaded: LoadedConfig): Promise<Finding> {
  const name = 'store'
  let path: string
  try {
    const store = storeOf(loaded)
    path = store.path
    const why = whyNotWritable(path)
    if (why !== undefined) {
      return {
        name,
        state: 'problem',
        detail: `${path}: ${why}`,
        mend: 'Give the process the right, or another DATABASE_URL.',
      }
    }
    if (!existsSync(path)) return { name, state: 'ok', detail: `${path}, made at the first start` }
    await using runtime = await createRuntime({ store: store.open, agents: [], work: false, patience: { grace: 0 } })
    const { runs, sessions } = await runtime.count()
    const total = Object.values(runs).reduce((sum, count) => sum + count, 0)
    return { name, state: 'ok', detail: `${path}: ${total} runs, ${sessions} sessions` }
  } catch (error) {
    return { name, state: 'problem', detail: wordsOf(error), mend: 'Mend DATABASE_URL, or put a backup in its place.' }
  }
}

/** A Redis server that is named and not used; nothing where none is named. */
export function checkRedis({ settings: { store } }: LoadedConfig): readonly Finding[] {
  if (store.redis === undefined) return []
  const detail = 'REDIS_URL is not used: there is no store on Redis yet'
  return [{ name: 'redis', state: 'warning', detail, mend: 'Runs are kept where DATABASE_URL says.' }]
}

/** Who may ask. */
export function checkToken(loaded: LoadedConfig): Finding {
  const name = 'token'
  const { token, tokenFile } = loaded.settings.server
  try {
    const users = usersOf(loaded, new Secret('a token to count with'))
    const more = users.length === 1 ? '' : `; ${users.length - 1} users more`
    if (token !== undefined) {
      return { name, state: 'ok', detail: `${loaded.sourceOf('server.token')?.name ?? 'given'}${more}` }
    }
    if (readToken(tokenFile) === undefined) {
      const why = whyNotWritable(tokenFile)
      if (why === undefined) return { name, state: 'ok', detail: `made at the first start in ${tokenFile}${more}` }
      return {
        name,
        state: 'problem',
        detail: `${tokenFile}: ${why}`,
        mend: 'Set TELLURION_TOKEN or TELLURION_TOKEN_FILE.',
      }
    }
    const detail = `${tokenFile}${more}`
    if (!isOpenToOthers(tokenFile)) return { name, state: 'ok', detail }
    return { name, state: 'warning', detail, mend: `Others on this machine can read it: chmod 600 ${tokenFile}` }
  } catch (error) {
    return { name, state: 'problem', detail: wordsOf(error) }
  }
}

/** Which model answers, which keys there are, and which agents. */
export async function checkAgents(loaded: LoadedConfig): Promise<readonly Finding[]> {
  const found = Object.entries<Vendor>(vendors).filter(([, { keyNames }]) =>
    keyNames.some((key) => loaded.env[key]?.trim()),
  )
  const keys = `keys: ${found.map(([vendor]) => vendor).join(', ') || 'none'}`
  try {
    const crew = await crewOf(loaded, {})
    const { agents, choice, root } = crew
    const names = agents.map((agent) => ('key' in agent ? agent.key : agent.name))
    const model: Finding =
      choice.isDemo && choice.because === undefined && root !== undefined
        ? {
            name: 'model',
            state: 'warning',
            detail: `the built-in demo; ${keys}`,
            mend: 'For a real model set OPENAI_API_KEY, ANTHROPIC_API_KEY or another key, or LLM_BASE_URL and LLM_MODEL.',
          }
        : { name: 'model', state: 'ok', detail: `${choice.model.name} (${choice.because ?? 'the demo'}); ${keys}` }
    const who = {
      name: 'agents',
      state: 'ok',
      detail: root === undefined ? names.join(', ') : 'the demo agent',
    } as const
    return [model, who, toolsOf(crew, loaded)]
  } catch (error) {
    return [{ name: 'model', state: 'problem', detail: wordsOf(error) }]
  }
}

/** What was found in the folder of tools, and where from. */
function toolsOf(crew: Crew, loaded: LoadedConfig): Finding {
  const name = 'tools'
  const { folder } = loaded.settings.tools
  if (folder === undefined) return { name, state: 'ok', detail: 'no folder of tools' }
  const { tools } = crew.found
  const found = tools.names().map((each) => `${each} (${originOf(tools.get(each)) ?? folder})`)
  const detail = `${folder}: ${found.length === 0 ? 'nothing found' : found.join(', ')}`
  const problems = toolProblems(crew, loaded)
  if (problems.length > 0) return { name, state: 'problem', detail, mend: problems.join(' ') }
  if (found.length > 0) return { name, state: 'ok', detail }
  return {
    name,
    state: 'warning',
    detail,
    mend: 'Tools are in files named like weather.tool.ts; see docs/tool-discovery.md.',
  }
}

/** How each MCP server stands; nothing where none is configured. What they offer is looked at and not pinned. */
export async function checkToolServers(loaded: LoadedConfig): Promise<readonly Finding[]> {
  try {
    await using servers = await openToolServers(loaded, { look: true })
    return (servers?.mcp.status() ?? []).map((status): Finding => {
      const { server, state, quarantined } = status
      const finding = { name: `mcp ${server}`, detail: describeServer(status) }
      if (state !== 'ready') {
        const mend = `Mend mcpServers.${server}; 'tellurion mcp-servers' shows what it last said.`
        return { ...finding, state: 'problem', mend }
      }
      if (quarantined.length === 0) return { ...finding, state: 'ok' }
      return { ...finding, state: 'warning', mend: `'tellurion mcp-servers' shows what differs, and how to accept it.` }
    })
  } catch (error) {
    return [{ name: 'mcp', state: 'problem', detail: wordsOf(error), mend: 'Mend mcpServers of the configuration.' }]
  }
}

/** Whether a server runs, or can. */
export async function checkServer(loaded: LoadedConfig): Promise<Finding> {
  const name = 'server'
  const { host, port, url: given } = loaded.settings.server
  const address = { url: serverURL(loaded.settings.server), token: undefined }
  try {
    const { status, version } = await clientOf(address).health({ signal: AbortSignal.timeout(wait) })
    return { name, state: status === 'ok' ? 'ok' : 'warning', detail: `${version} runs at ${address.url}, ${status}` }
  } catch (error) {
    if (given !== undefined)
      return { name, state: 'problem', detail: wordsOf(error), mend: 'Mend TELLURION_URL, or start it there.' }
  }
  const code = await codeOfListening(host, port)
  if (code === undefined) return { name, state: 'ok', detail: `none runs; ${host}:${port} is free` }
  const what = code === 'EADDRINUSE' ? 'something else listens there' : systemMessage({ code })
  const mend = 'Choose another address with SERVER_HOST and SERVER_PORT; port 0 is a free one.'
  return { name, state: 'problem', detail: `${host}:${port}: ${what}`, mend }
}

/** What else could be there. */
export async function checkTokenizer(): Promise<Finding> {
  const name = 'tokenizer'
  if ((await loadTokenCounter()) !== estimateTokens) return { name, state: 'ok', detail: 'gpt-tokenizer' }
  return { name, state: 'ok', detail: 'estimates; npm install gpt-tokenizer counts exactly' }
}

/** Names of `.env` that are nearly those of settings. */
function slipsIn(env: Readonly<Record<string, string>>): string[] {
  const known = settings().flatMap(({ variables = [] }) => variables)
  return Object.keys(env).flatMap((name) => {
    if (known.includes(name) || Object.values<Vendor>(vendors).some((row) => namesOf(row).includes(name))) return []
    const near = suggestion(name, known)
    return near.startsWith(' Did you mean') && name.length > 5 ? [`${name}.${near}`] : []
  })
}

function namesOf({ keyNames, baseURLNames, modelNames }: Vendor): string[] {
  return [...keyNames, ...baseURLNames, ...modelNames]
}

function holdsSecrets({ sourceOf }: LoadedConfig): boolean {
  return settings().some(({ path, secret }) => secret === true && sourceOf(path.join('.'))?.kind === 'file')
}

/** Why a file could not be written; undefined where it could be, also where it would have to be made. */
function whyNotWritable(file: string): string | undefined {
  let place = resolve(file)
  if (existsSync(place) && !statSync(place).isFile()) return 'it is no file'
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place)
  try {
    if (place !== resolve(file) && !statSync(place).isDirectory()) return 'a part of its path is no folder'
    accessSync(place, constants.W_OK)
    return undefined
  } catch (error) {
    return systemMessage(error)
  }
}

/** What the system says against listening; undefined when it lets us. */
function codeOfListening(host: string, port: number): Promise<string | undefined> {
  return new Promise((tell) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => tell(error.code ?? 'unknown error'))
    server.listen(port, host, () => server.close(() => tell(undefined)))
  })
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
