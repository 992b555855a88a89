import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { given } from './layer.ts'
import { loadConfig, settings, type LoadedConfig, type LoadOptions } from './load.ts'
import type { ConfigurationInput } from './schema.ts'
import { Secret } from 'tellurion/secret'

const root = mkdtempSync(join(tmpdir(), 'config-'))
after(() => rmSync(root, { recursive: true }))

/** A folder with these files. */
function folderWith(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(root, 'f-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const load = (options: LoadOptions & { files?: Readonly<Record<string, string>> } = {}): Promise<LoadedConfig> => {
  const { files, ...rest } = options
  return loadConfig({ folder: folderWith(files), env: {}, ...rest })
}

const valueAt = ({ settings: all }: LoadedConfig, path: readonly string[]): unknown => {
  const value = given(all, path)
  return value instanceof Secret ? value.reveal() : value
}

/** A text for each setting that the environment can give, and what it reads as. */
const samples: Readonly<Record<string, readonly [text: string, value: unknown]>> = {
  'server.host': ['0.0.0.0', '0.0.0.0'],
  'server.port': ['9000', 9000],
  'server.token': ['token-0123456789', 'token-0123456789'],
  'server.tokenFile': ['./secret/token', './secret/token'],
  'server.url': ['https://agents.example.com', 'https://agents.example.com'],
  'server.hosts': ['a.example, b.example', ['a.example', 'b.example']],
  'server.origins': ['https://a.example', ['https://a.example']],
  'store.url': ['sqlite:///./x.db', 'sqlite:///./x.db'],
  'store.redis': ['redis://localhost:6379/0', 'redis://localhost:6379/0'],
  'runs.maxConcurrent': ['3', 3],
  'runs.timeout': ['10m', 600_000],
  'runs.toolTimeout': ['60s', 60_000],
  'runs.subAgents': ['2', 2],
  'runs.subAgentTimeout': ['1h', 3_600_000],
  'runs.maxSessions': ['7', 7],
  'runs.sessionIdle': ['2d', 172_800_000],
  'runs.keepPast': ['30d', 2_592_000_000],
  'model.name': ['openai/gpt-5', 'openai/gpt-5'],
  'model.provider': ['anthropic', 'anthropic'],
  'model.baseURL': ['http://localhost:11434/v1', 'http://localhost:11434/v1'],
  'model.apiKey': ['k-1', 'k-1'],
  'model.temperature': ['0.7', 0.7],
  'model.maxOutputTokens': ['4096', 4096],
  'model.streamTimeout': ['30s', 30_000],
  'context.window': ['8000', 8000],
  'context.threshold': ['0.8', 0.8],
  'tools.folder': ['./tools', './tools'],
  'tools.mcp': ['true', true],
  'tools.askClient': ['on', true],
  'tools.pins': ['./pins.db', './pins.db'],
  'log.level': ['WARNING', 'warn'],
  'log.format': ['TEXT', 'text'],
  'log.file': ['./x.log', './x.log'],
  'log.maxSize': ['10MB', 10_000_000],
  'log.maxFiles': ['3', 3],
}

describe('every variable', () => {
  for (const { path, variables = [] } of settings()) {
    const name = path.join('.')
    const sample = path[0] === 'keys' ? (['k-1', 'k-1'] as const) : samples[name]
    for (const variable of variables)
      test(`${variable} gives ${name}`, async () => {
        const [text, value] = sample ?? assert.fail(`there is no sample for ${name}`)
        const loaded = await load({ env: { [variable]: text } })
        assert.deepEqual(valueAt(loaded, path), value)
        assert.deepEqual(loaded.sourceOf(name), { kind: 'environment', name: variable })
      })
  }

  test('of the reference is among them', () => {
    const names = settings().flatMap(({ variables = [] }) => variables)
    const reference =
      'OPENAI_API_KEY ANTHROPIC_API_KEY DEEPSEEK_API_KEY QWEN_API_KEY DEFAULT_MODEL_PROVIDER SERVER_HOST SERVER_PORT DATABASE_URL REDIS_URL MAX_CONCURRENT_TASKS MAX_CONTEXT_LENGTH CONTEXT_COMPRESSION_THRESHOLD LOG_LEVEL LOG_FORMAT LOG_FILE LLM_API_KEY LLM_BASE_URL LLM_MODEL LOOM_PROVIDER LOOM_MODEL'
    assert.deepEqual(
      reference.split(' ').filter((name) => !names.includes(name)),
      [],
    )
  })

  test('belongs to one setting, but for what names a key and a model', () => {
    const names = settings().flatMap(({ variables = [] }) => variables)
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    )
  })

  test('that is empty counts as not set', async () => {
    const loaded = await load({ env: { SERVER_PORT: ' ', LOG_LEVEL: '' }, files: { '.env': 'SERVER_PORT=9001' } })
    assert.deepEqual([loaded.settings.server.port, loaded.settings.log.level], [9001, 'info'])
  })
})

describe('defaults', () => {
  test('are those of the documentation', async () => {
    const { settings: all } = await load()
    assert.deepEqual(all, {
      server: {
        host: '127.0.0.1',
        port: 8000,
        tokenFile: './data/token',
        hosts: [],
        origins: [],
        limits: {},
      },
      store: { url: 'sqlite:./data/tellurion.db' },
      runs: {
        maxConcurrent: 10,
        timeout: 300_000,
        subAgents: 5,
        subAgentTimeout: 600_000,
        maxSessions: 1000,
        sessionIdle: 86_400_000,
      },
      model: { streamTimeout: 120_000 },
      keys: {},
      context: {},
      tools: { mcp: false, askClient: false, pins: './data/mcp-pins.db' },
      mcpServers: {},
      log: { level: 'info', format: 'json', file: './data/logs/agent.log', maxSize: 100_000_000, maxFiles: 5 },
      users: [],
      budgets: { user: {}, tenant: {} },
    })
  })

  test('have no source', async () => assert.equal((await load()).sourceOf('server.port'), undefined))
})

describe('precedence', () => {
  const files = { '.env': 'SERVER_PORT=3', 'tellurion.config.json': '{ "server": { "port": 4, "host": "::1" } }' }
  const levels: readonly [LoadOptions, number, string][] = [
    [{ given: { server: { port: '1' } }, env: { SERVER_PORT: '2' } }, 1, '--port'],
    [{ env: { SERVER_PORT: '2' } }, 2, 'SERVER_PORT'],
    [{}, 3, 'SERVER_PORT'],
    [{ dotEnv: false }, 4, 'tellurion.config.json: server.port'],
  ]
  for (const [options, port, source] of levels)
    test(`${source} gives ${port}`, async () => {
      const loaded = await load({ files, ...options })
      assert.equal(loaded.settings.server.port, port)
      assert.equal(loaded.sourceOf('server.port')?.name, source)
      // Its neighbour comes from the file all the same: the rule is for each setting.
      assert.equal(loaded.settings.server.host, '::1')
    })

  test('without a file the default holds', async () =>
    assert.equal((await load({ files, dotEnv: false, file: false })).settings.server.port, 8000))

  test('a list is not mixed', async () => {
    const { settings: all } = await load({
      files: { 'tellurion.config.json': '{ "server": { "hosts": ["a", "b"] } }' },
      env: { SERVER_HOSTS: 'c' },
    })
    assert.deepEqual(all.server.hosts, ['c'])
  })
})

describe('what is wrong is one line with the name that a person wrote', () => {
  const bad: readonly [what: string, options: Parameters<typeof load>[0], code: string, message: RegExp][] = [
    [
      'a variable',
      { env: { SERVER_PORT: '80x' } },
      'invalid_configuration',
      /^SERVER_PORT must be a whole number from 0 to 65535, not '80x'\.$/,
    ],
    [
      'a variable of .env',
      { files: { '.env': 'LOG_LEVEL=loud' } },
      'invalid_configuration',
      /^LOG_LEVEL must be one of debug, info, warn, error, not 'loud'\.$/,
    ],
    ['a broken .env', { files: { '.env': 'oops' } }, 'invalid_configuration', /\.env:1: write NAME=value/],
    ['an option', { given: { server: { port: '-1' } } }, 'invalid_configuration', /^--port must be .*, not '-1'\.$/],
    [
      'an argument',
      { given: { log: { maxFiles: 1.5 } } },
      'invalid_configuration',
      /^log\.maxFiles must be a whole number/,
    ],
    [
      'a variable of ours that there is not',
      { env: { TELLURION_TOKN: 'x' } },
      'unknown_option',
      /^No setting is read from TELLURION_TOKN\. Did you mean 'TELLURION_TOKEN'\?$/,
    ],
    [
      'a file that is not there',
      { file: 'absent.json' },
      'invalid_configuration',
      /absent\.json: there is no such file\.$/,
    ],
    [
      'a file that a variable names',
      { env: { TELLURION_CONFIG: 'gone.ts' } },
      'invalid_configuration',
      /gone\.ts: there is no such file\.$/,
    ],
    [
      'two files',
      { files: { 'tellurion.config.json': '{}', 'tellurion.config.ts': '' } },
      'invalid_configuration',
      /^tellurion\.config\.ts and tellurion\.config\.json: there may be only one of them/,
    ],
  ]
  for (const [what, options, code, message] of bad)
    test(what, () => assert.rejects(load(options), { name: 'TellurionError', code, message }))

  const inFile: readonly [json: unknown, code: string, message: RegExp][] = [
    [
      { server: { prot: 1 } },
      'unknown_option',
      /^tellurion\.config\.json: server\.prot: there is no such setting\. Did you mean 'port'\?$/,
    ],
    [{ sever: {} }, 'unknown_option', /^tellurion\.config\.json: sever: .*Did you mean 'server'\?$/],
    [{ zzz: {} }, 'unknown_option', /Known: server, store, /],
    [{ port: 8000 }, 'unknown_option', /: port: there is no such setting\. Did you mean 'server\.port'\?$/],
    [{ SERVER_HOST: 'x' }, 'unknown_option', /Did you mean 'server\.host'\?$/],
    [{ log: { port: 8000 } }, 'unknown_option', /: log\.port: .*Did you mean 'server\.port'\?$/],
    [
      { server: 4 },
      'invalid_configuration',
      /^tellurion\.config\.json: server must be an object with settings, not 4\.$/,
    ],
    [{ server: [] }, 'invalid_configuration', /server must be an object with settings\.$/],
    [{ server: null }, 'invalid_configuration', /server must be an object with settings\.$/],
    [[], 'invalid_configuration', /^tellurion\.config\.json must be an object with settings\.$/],
    ['x', 'invalid_configuration', /must be an object with settings/],
    [
      { server: { limits: { requests: 0 } } },
      'invalid_configuration',
      /server\.limits\.requests must be a whole number/,
    ],
    [
      { runs: { timeout: 300 } },
      'invalid_configuration',
      /runs\.timeout must be a duration with its unit, .*, not 300\.$/,
    ],
    [{ agents: {} }, 'invalid_configuration', /agents must be a list of agents, or a function/],
    [
      { users: [{ name: 'ada', token: 'short-hush', scopes: ['read'] }] },
      'invalid_configuration',
      /users\.0\.token must have at least 16 characters\.$/,
    ],
    [
      { users: [{ name: 'a b', token: 'long-enough-token', scopes: ['read'] }] },
      'invalid_configuration',
      /users\.0\.name must be 1 to 64 letters/,
    ],
    [
      { users: [{ name: 'ada', scopes: ['read'] }] },
      'invalid_configuration',
      /users\.0 must have one of token, tokenHash .* and tokenVariable/,
    ],
    [
      { users: [{ name: 'ada', token: 'long-enough-token', tokenVariable: 'X', scopes: ['read'] }] },
      'invalid_configuration',
      /users\.0 must have one of token/,
    ],
    [
      { users: [{ name: 'ada', token: 'long-enough-token', scopes: ['raed'] }] },
      'invalid_configuration',
      /users\.0\.scopes\.0 must be one of read, write, admin/,
    ],
    [
      { users: [{ name: 'ada', token: 'long-enough-token', scopes: [] }] },
      'invalid_configuration',
      /must name at least one of read, write, admin/,
    ],
    [
      { users: [{ name: 'ada', tokn: 'long-enough-token', scopes: ['read'] }] },
      'unknown_option',
      /users\.0\.tokn: .*Did you mean 'token'\?$/,
    ],
    [{ budgets: { user: { tokns: 1 } } }, 'unknown_option', /budgets\.user\.tokns: .*Did you mean 'tokens'\?$/],
    [{ keys: { opnai: 'x' } }, 'unknown_option', /keys\.opnai: .*Did you mean 'openai'\?$/],
    [{ constructor: 1 }, 'unknown_option', /constructor: there is no such setting/],
  ]
  for (const [json, code, message] of inFile)
    test(JSON.stringify(json), () =>
      assert.rejects(load({ files: { 'tellurion.config.json': JSON.stringify(json) } }), { code, message }),
    )

  test('a __proto__ is refused and reaches nothing', async () => {
    const files = { 'tellurion.config.json': '{ "server": { "__proto__": { "port": 1 } } }' }
    await assert.rejects(load({ files }), { code: 'unknown_option' })
    assert.equal(({} as { port?: number }).port, undefined)
  })
})

test('no message and no print of a configuration shows a secret', async () => {
  const hush = 'hush-0123456789 not a token'
  const wrong: readonly ConfigurationInput[] = [
    { server: { token: hush } },
    { keys: { openai: hush } },
    { model: { apiKey: hush } },
    { users: [{ name: 'ada', token: hush, scopes: ['read'] }] },
    { users: [{ name: 'ada', token: 'hush', scopes: ['read'] }] },
  ]
  for (const given of wrong)
    await assert.rejects(
      load({ given }),
      (error: Error) => !inspect(error).includes('hush-') && /must/.test(error.message),
    )
  const loaded = await load({
    given: { server: { token: 'hush-0123456789-x' } },
    env: { OPENAI_API_KEY: 'hush-1' },
  })
  assert.doesNotMatch(inspect(loaded.settings, { depth: 9 }) + JSON.stringify(loaded.settings), /hush/)
})
