// The schema of the whole configuration. It is the one place that knows which settings there are, what they are called,
// what they accept and what holds without them.

import type { Model } from 'tellurion'
import { vendors, type Environment, type Vendor, type VendorName } from 'tellurion/model'
import type { AnyAgent } from 'tellurion/runtime'
import type { Toolbox } from 'tellurion/tool'
import { z } from 'zod'
import { address, duration, flag, list, number, oneOf, secret, size, text, whole } from './kind.ts'
import { group, setting, wrongShape } from './row.ts'

/** What a function under `agents` is given. */
export interface AgentContext {
  /** The model that the configuration names, with its settings. */
  readonly model: Model
  /** The environment, `.env` included. */
  readonly env: Environment
  /** The tools of the folder and of the MCP servers that the configuration names; it follows what servers offer. */
  readonly tools: Toolbox
}

/** Agents, or what makes them. */
export type ConfiguredAgents =
  | readonly AnyAgent[]
  | ((context: AgentContext) => readonly AnyAgent[] | Promise<readonly AnyAgent[]>)

const server = group({
  host: setting(text().prefault('127.0.0.1'), 'The address to listen on. `0.0.0.0` is every address of the machine.', {
    variables: ['SERVER_HOST'],
    option: '--host',
  }),
  port: setting(whole(0, 65_535).prefault(8000), 'The port to listen on; 0 takes a free one.', {
    variables: ['SERVER_PORT'],
    option: '--port',
  }),
  token: setting(secret(16).optional(), 'The token of the user `local`, who may do everything.', {
    variables: ['TELLURION_TOKEN'],
    secret: true,
    otherwise: 'made at the first start',
  }),
  tokenFile: setting(
    text().prefault('./data/token'),
    'Where the token is kept that is made when none is given; only its owner can read it.',
    { variables: ['TELLURION_TOKEN_FILE'] },
  ),
  url: setting(address().optional(), 'Where the commands find a server, such as `https://agents.example.com`.', {
    variables: ['TELLURION_URL'],
    option: '--server',
    otherwise: 'the address and port above',
  }),
  hosts: setting(
    list().prefault([]),
    'Names under which the server is reached, such as `agents.example.com`, beside its own addresses.',
    { variables: ['SERVER_HOSTS'], otherwise: 'none' },
  ),
  origins: setting(
    list().prefault([]),
    'Origins of web pages that may use the server, such as `https://app.example.com`.',
    { variables: ['SERVER_ORIGINS'], otherwise: 'none' },
  ),
  limits: setting(
    z
      .record(z.string(), whole(1, Number.MAX_SAFE_INTEGER), { error: 'must be an object of numbers by name' })
      .prefault({}),
    'Other values for caps of the server, such as `{ requests: 12000 }`; `/api/v1/limits` lists them.',
    { otherwise: 'the server’s own' },
  ),
})

const store = group({
  url: setting(text().prefault('sqlite:./data/tellurion.db'), 'Where runs, sessions and events are kept.', {
    variables: ['DATABASE_URL'],
    option: '--store',
  }),
  redis: setting(
    secret().optional(),
    'The reference’s address of a Redis server. There is no store on Redis yet: `serve` and `doctor` say so.',
    { variables: ['REDIS_URL'], secret: true, otherwise: 'none' },
  ),
})

const runs = group({
  maxConcurrent: setting(whole(1, 10_000).prefault(10), 'Runs at work at one time in a process.', {
    variables: ['MAX_CONCURRENT_TASKS'],
    option: '--concurrency',
  }),
  timeout: setting(
    duration().prefault('300s'),
    'The longest a run may be at work; waiting for people does not count.',
    {
      variables: ['TASK_TIMEOUT'],
    },
  ),
  toolTimeout: setting(duration().optional(), 'The longest a tool call may take, whatever its tool says.', {
    variables: ['TOOL_TIMEOUT'],
    otherwise: 'what the tool says, else `30s`',
  }),
  subAgents: setting(whole(1, 100).prefault(5), 'Sub-agents that one agent may have at work at one time.', {
    variables: ['MAX_SUB_AGENTS'],
  }),
  subAgentTimeout: setting(duration().prefault('600s'), 'The longest a sub-agent may take, whatever its tool says.', {
    variables: ['SUB_AGENT_TIMEOUT'],
  }),
  maxSessions: setting(whole(1, 1_000_000).prefault(1000), 'Named sessions that a user may have.', {
    variables: ['MAX_SESSIONS'],
  }),
  sessionIdle: setting(
    duration().prefault('24h'),
    'After so long without use a session without a live run is deleted.',
    {
      variables: ['SESSION_IDLE'],
    },
  ),
  keepPast: setting(
    duration().optional(),
    'After so long, what lies before the newest snapshots of ended runs is deleted.',
    { variables: ['KEEP_PAST'], otherwise: 'never' },
  ),
})

const model = group({
  name: setting(text().optional(), 'The model: `vendor/name`, or with a base URL a name that its server knows.', {
    variables: ['LLM_MODEL', 'LOOM_MODEL'],
    option: '--model',
    otherwise: 'the first vendor with a key, else the demo',
  }),
  provider: setting(text().optional(), 'The vendor, where the name does not say it.', {
    variables: ['LLM_PROVIDER', 'LOOM_PROVIDER', 'DEFAULT_MODEL_PROVIDER'],
    otherwise: 'none',
  }),
  baseURL: setting(text().optional(), 'The address of an OpenAI-compatible server of one’s own.', {
    variables: ['LLM_BASE_URL'],
    otherwise: 'the vendor’s',
  }),
  apiKey: setting(secret().optional(), 'The key, where it is not one of `keys`.', {
    variables: ['LLM_API_KEY'],
    secret: true,
    otherwise: 'none',
  }),
  temperature: setting(number(0, 2).optional(), 'How freely the model chooses its words.', {
    variables: ['LLM_TEMPERATURE'],
    otherwise: 'the model’s own',
  }),
  maxOutputTokens: setting(whole(1, 10_000_000).optional(), 'The longest reply, in tokens.', {
    variables: ['LLM_MAX_TOKENS'],
    otherwise: 'the model’s own',
  }),
  streamTimeout: setting(duration().prefault('120s'), 'The longest silence of a model before and in its reply.', {
    variables: ['STREAM_TIMEOUT'],
  }),
})

const keyed = Object.entries<Vendor>(vendors).filter(([vendor]) => vendor !== 'local')

const keys = group(
  Object.fromEntries(
    keyed.map(([vendor, { keyNames }]) => [
      vendor,
      setting(secret().optional(), `The key of ${vendor}.`, { variables: keyNames, secret: true, otherwise: 'none' }),
    ]),
  ) as Record<Exclude<VendorName, 'local'>, z.ZodOptional<ReturnType<typeof secret>>>,
)

const context = group({
  window: setting(whole(1, 100_000_000).optional(), 'Tokens that a conversation may take up before it is compacted.', {
    variables: ['MAX_CONTEXT_LENGTH'],
    otherwise: 'no compaction',
  }),
  threshold: setting(
    number(0.000_001, 100_000_000).optional(),
    'When it is summarised: up to 1 a fraction of the window, above that tokens.',
    { variables: ['CONTEXT_COMPRESSION_THRESHOLD'], otherwise: 'no compaction, else `0.92`' },
  ),
})

const tools = group({
  folder: setting(
    text().optional(),
    'A folder of tools: its files `*.tool.ts`, `*.tool.js` and `*.tool.mjs` are loaded, and no other. What they say is run.',
    { variables: ['TOOLS_DIR'], otherwise: 'none' },
  ),
  mcp: setting(flag().prefault(false), 'Whether MCP clients may call the tools of the folder by themselves.', {
    variables: ['MCP_TOOLS'],
    option: '--tools',
  }),
  askClient: setting(
    flag().prefault(false),
    'Whether calls of MCP clients that ask a person ask the one at the client. Only where clients do ask people.',
    { variables: ['MCP_ASK_CLIENT'], option: '--ask-client' },
  ),
  pins: setting(text().prefault('./data/mcp-pins.db'), 'Where it is kept which tools of MCP servers were let in.', {
    variables: ['MCP_PINS'],
  }),
})

const texts = (what: string) => z.record(z.string(), z.string(), { error: `must be ${what} by name` })

/** A server of the Model Context Protocol, in the words that other programs use for it too. */
const mcpServer = z
  .strictObject(
    {
      command: text().optional(),
      args: z.array(z.string(), { error: 'must be a list of texts' }).optional(),
      env: texts('texts').optional(),
      passEnv: list().optional(),
      cwd: text().optional(),
      read: list().optional(),
      write: list().optional(),
      network: flag().optional(),
      allowUnisolated: flag().optional(),
      url: text().optional(),
      headers: texts('texts').optional(),
      headerVariables: texts('names of variables').optional(),
      allowPrivate: flag().optional(),
      timeout: duration().optional(),
      connectTimeout: duration().optional(),
      lazy: flag().optional(),
      acceptNew: flag().optional(),
      trustAnnotations: flag().optional(),
      only: list().optional(),
      resourceTools: flag().optional(),
      logLevel: oneOf(['debug', 'info', 'warning', 'error']).optional(),
    },
    { error: wrongShape },
  )
  .refine(({ command, url }) => (command === undefined) !== (url === undefined), {
    error: 'must have either a command, with args, or a url',
  })

const levels = ['debug', 'info', 'warn', 'error'] as const
const levelNames = { warning: 'warn', critical: 'error', fatal: 'error', trace: 'debug' } as const

const log = group({
  level: setting(oneOf(levels, levelNames).prefault('info'), `The least level that is logged: ${levels.join(', ')}.`, {
    variables: ['LOG_LEVEL'],
  }),
  format: setting(oneOf(['json', 'text']).prefault('json'), 'A JSON object a line, or lines for a person.', {
    variables: ['LOG_FORMAT'],
  }),
  file: setting(text().prefault('./data/logs/agent.log'), 'The log file; `none` logs to standard error instead.', {
    variables: ['LOG_FILE'],
  }),
  maxSize: setting(size(1_000, 1_000_000_000_000).prefault('100MB'), 'When the file has this size, a new one begins.', {
    variables: ['LOG_MAX_SIZE'],
  }),
  maxFiles: setting(whole(0, 1000).prefault(5), 'How many older files are kept beside it.', {
    variables: ['LOG_MAX_FILES'],
  }),
})

const scopes = ['read', 'write', 'admin'] as const
const id = () => text().regex(/^[a-zA-Z0-9_-]{1,64}$/, { error: "must be 1 to 64 letters, digits, '_' and '-'" })

const user = z
  .strictObject(
    {
      name: id(),
      token: secret(16).optional(),
      tokenHash: text()
        .regex(/^[0-9a-fA-F]{64}$/, { error: 'must be the SHA-256 of a token in hex' })
        .optional(),
      tokenVariable: text().optional(),
      scopes: z.array(oneOf(scopes), { error: `must be a list of ${scopes.join(', ')}` }).min(1, {
        error: `must name at least one of ${scopes.join(', ')}`,
      }),
      tenant: id().optional(),
    },
    { error: wrongShape },
  )
  .refine((each) => [each.token, each.tokenHash, each.tokenVariable].filter((way) => way !== undefined).length === 1, {
    error: 'must have one of token, tokenHash (its SHA-256 in hex) and tokenVariable (the variable that holds it)',
  })

const amount = (what: string) => setting(number(0, 1e15).optional(), what, { otherwise: 'no limit' })

const account = (whose: string) =>
  group({
    modelCalls: amount(`Model calls of ${whose}.`),
    toolCalls: amount(`Tool calls of ${whose}.`),
    tokens: amount(`Tokens of ${whose}.`),
    cost: amount(`What ${whose} may cost, in the unit of the models’ prices.`),
    per: setting(duration().optional(), 'How long the account lasts; then a new one begins.', {
      otherwise: 'for ever',
    }),
  })

const agents = z.custom<ConfiguredAgents>((value) => Array.isArray(value) || typeof value === 'function', {
  error: 'must be a list of agents, or a function that gives one; a .json file cannot hold any',
})

/** The whole configuration as a file may hold it. */
export const configurationSchema = z.strictObject(
  {
    server,
    store,
    runs,
    model,
    keys,
    context,
    tools,
    log,
    users: setting(
      z.array(user, { error: 'must be a list of users' }).max(10_000).prefault([]),
      'Who else may use the server: `{ name, scopes, tenant? }` with one of `token`, `tokenHash` and `tokenVariable`. Scopes are `read`, `write` and `admin`.',
      { secret: true, otherwise: 'none' },
    ),
    budgets: group({ user: account('each user'), tenant: account('each tenant') }),
    mcpServers: setting(
      z.record(z.string(), mcpServer, { error: 'must be servers by name' }).prefault({}),
      'Servers of the Model Context Protocol whose tools agents get, by name; see [mcp.md](mcp.md).',
      { secret: true, otherwise: 'none' },
    ),
    agents: setting(
      agents.optional(),
      'The agents, or a function from `{ model, env, tools }` to them. Only in a `.ts` or `.js` file.',
      { otherwise: 'the demo agent' },
    ),
  },
  { error: wrongShape },
)

/** What a configuration file holds; everything may be left out. */
export type ConfigurationInput = z.input<typeof configurationSchema>

/** The whole configuration: read, checked, with its defaults. Durations are milliseconds, sizes bytes. */
export type Configuration = z.output<typeof configurationSchema>

/** The configuration as written, for a type check and completion in an editor; it is given back as it is. */
export function defineConfig(configuration: ConfigurationInput): ConfigurationInput {
  return configuration
}
