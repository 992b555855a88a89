import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test, type TestContext } from 'node:test'
import { Agent } from 'tellurion'
import { agentComponents, CompactionConfig } from 'tellurion/agent'
import { createRuntime, memory } from 'tellurion/runtime'
import { createRawServer, openAILanguage, scriptedModel, serveWire, type WireServer } from 'tellurion/testing'
import { World } from 'tellurion/world'
import { loadConfig, type LoadedConfig } from '../config/load.ts'
import type { ConfigurationInput } from '../config/schema.ts'
import { crewOf, runtimeOptionsOf, storeOf, toolProblems, type Crew } from './crew.ts'

const folder = mkdtempSync(join(tmpdir(), 'crew-'))
after(() => rmSync(folder, { recursive: true }))

const load = (given: ConfigurationInput = {}, env = {}): Promise<LoadedConfig> => loadConfig({ given, env, folder })
const crew = async (given?: ConfigurationInput, env = {}): Promise<Crew> =>
  crewOf(await load(given, env), { root: folder })

async function served(t: TestContext): Promise<{ server: WireServer; env: Record<string, string> }> {
  const server = await serveWire(openAILanguage, { steps: [{ text: 'Yes.' }, { finish: 'stop' }] })
  t.after(() => server.close())
  return { server, env: { LLM_BASE_URL: server.baseURL, LLM_MODEL: 'm' } }
}

/** Asks the first agent of a crew. */
async function ask({ agents: [agent] }: Crew, question: string): Promise<string> {
  assert.ok(agent instanceof Agent)
  return (await agent.generate(question)).text
}

describe('the crew of a configuration', () => {
  test('is the demo agent where there is none', async () => {
    const found = await crew()
    const { agents, choice, root } = found
    assert.deepEqual([agents.length, choice.isDemo, root], [1, true, folder])
    assert.equal(await ask(found, 'what is 12*7?'), '12*7 = 84.')
  })

  test('sends the settings of the model with each request', async (t) => {
    const { server, env } = await served(t)
    const settings = { LLM_TEMPERATURE: '0.7', LLM_MAX_TOKENS: '4096' }
    assert.equal(await ask(await crew({}, { ...env, ...settings }), 'hi'), 'Yes.')
    const body = JSON.parse(server.requests[0]?.body ?? '') as { temperature?: number; max_tokens?: number }
    assert.deepEqual([body.temperature, body.max_tokens], [0.7, 4096])
  })

  test('leaves to the model what nobody set', async (t) => {
    const { server, env } = await served(t)
    await ask(await crew({}, env), 'hi')
    assert.deepEqual(
      Object.keys(JSON.parse(server.requests[0]?.body ?? '') as object).filter((name) => /temperature|max/.test(name)),
      [],
    )
  })

  test('gives up a model that is silent for too long', async (t) => {
    const server = await createRawServer(() => ({ ending: 'mute' }))
    t.after(() => server.close())
    const env = { LLM_BASE_URL: `${server.url}/v1`, LLM_MODEL: 'm', STREAM_TIMEOUT: '30ms' }
    await assert.rejects(ask(await crew({}, env), 'hi'), { code: 'model_timeout' })
  })

  test('compacts within the window that the environment names', async (t) => {
    const { env } = await served(t)
    const compaction = async (more: object): Promise<unknown> => {
      const { agents } = await crew({}, { ...env, ...more })
      const world = new World({ components: agentComponents })
      const entity = (agents[0] as Agent).furnish(world)
      return world.systemNames().includes('compaction') ? world.get(entity, CompactionConfig) : 'none'
    }
    assert.equal(await compaction({}), 'none')
    assert.deepEqual(await compaction({ MAX_CONTEXT_LENGTH: '8000' }), { window: 8000 })
    assert.deepEqual(await compaction({ CONTEXT_COMPRESSION_THRESHOLD: '0.8' }), { stages: { summarise: 0.8 } })
    assert.deepEqual(await compaction({ CONTEXT_COMPRESSION_THRESHOLD: '6000' }), { threshold: 6000 })
    await assert.rejects(crew({}, { CONTEXT_COMPRESSION_THRESHOLD: '1.5' }), {
      name: 'UsageError',
      message: /threshold/,
    })
  })

  test('is what a function of the file gives for the model and the environment', async (t) => {
    const { env } = await served(t)
    const { agents, root } = await crew(
      { agents: async ({ model, env: seen }) => [new Agent({ name: String(seen['NAME']), model })] },
      { ...env, NAME: 'guide' },
    )
    assert.deepEqual([(agents[0] as Agent).name, root], ['guide', undefined])
    assert.equal(await ask({ agents } as unknown as Crew, 'hi'), 'Yes.')
  })

  const wrong: readonly [what: string, given: ConfigurationInput, message: RegExp][] = [
    ['no agent', { agents: [] }, /there is no agent in it/],
    ['a function that gives none', { agents: () => [] }, /there is no agent in it/],
    ['a function that gives something else', { agents: (() => 1) as never }, /there is no agent in it/],
    [
      'a function that throws',
      {
        agents: () => {
          throw new Error('no luck')
        },
      },
      /^no luck$/,
    ],
    ['a model that there is not', { model: { name: 'opnai/x' } }, /Did you mean 'openai'\?/],
  ]
  for (const [what, given, message] of wrong)
    test(`cannot be ${what}`, () => assert.rejects(crew(given), { name: 'UsageError', message }))
})

describe('the runtime of a configuration', () => {
  test('has its limits', async () => {
    const { settings } = await load({
      runs: {
        maxConcurrent: 3,
        timeout: '5s',
        toolTimeout: '1s',
        subAgents: 2,
        maxSessions: 4,
        keepPast: '1d',
        sessionIdle: '1h',
      },
      budgets: { user: { tokens: 100, per: '24h' } },
    })
    assert.deepEqual(runtimeOptionsOf(settings), {
      maxConcurrent: 3,
      maxSessions: 4,
      patience: { timeout: 5000, idle: 3_600_000, grace: 7000 },
      caps: { toolTimeout: 1000, subAgents: 2, subAgentTimeout: 600_000 },
      retention: { past: 86_400_000 },
      budgets: { user: { tokens: 100, per: 86_400_000 } },
    })
  })

  test('ends a run at its timeout, and refuses what a budget does not allow', async () => {
    const agents = [new Agent({ name: 'a', model: scriptedModel(() => new Promise<never>(() => {})) })]
    const { settings } = await load({ runs: { timeout: '30ms' }, budgets: { user: { modelCalls: 0 } } })
    const { budgets, ...rest } = runtimeOptionsOf(settings)
    await using slow = await createRuntime({ store: memory(), agents, ...rest })
    await assert.rejects((await slow.submit('a', 'x')).result(), { code: 'run_timeout' })
    await using poor = await createRuntime({ store: memory(), agents, ...rest, budgets: budgets ?? {} })
    await assert.rejects(poor.submit('a', 'x'), { code: 'budget_exceeded' })
  })

  test('says whose word an impossible store is', async () => {
    assert.throws(() => storeOf({ ...loaded, sourceOf: () => ({ kind: 'environment', name: 'DATABASE_URL' }) }), {
      message: /^DATABASE_URL: A store on postgres:/,
    })
    writeFileSync(join(folder, 'c.json'), '{"store":{"url":"mysql://x"}}')
    const fromFile = await loadConfig({ folder, env: {}, file: 'c.json' })
    assert.throws(() => storeOf(fromFile), { name: 'UsageError', message: /^c\.json: store\.url: .* is no store/ })
  })
})

const loaded = await load({ store: { url: 'postgres://u:hush@h/d' } })

describe('the tools of the configured folder', () => {
  const made = `import { tool } from ${JSON.stringify(import.meta.resolve('tellurion'))}
const make = (description) => tool({ description, inputSchema: { type: 'object', properties: {} }, execute: () => 1 })
`
  const toolsIn = (files: Readonly<Record<string, string>>): string => {
    const tools = mkdtempSync(join(folder, 'tools-'))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(tools, name), made + text)
    return tools
  }
  const namesOf = ({ agents: [agent] }: Crew): readonly string[] =>
    agent instanceof Agent ? (agent.toolbox?.names() ?? []) : []

  test('are the demo agent’s too, and a file that cannot be loaded is told of', async () => {
    const TOOLS_DIR = toolsIn({
      'a.tool.mjs': `export const weather = make('Weather')`,
      'b.tool.mjs': 'throw Error("no")',
    })
    const own = await crew({}, { TOOLS_DIR })
    assert.ok(namesOf(own).includes('weather'))
    const loaded = await load({}, { TOOLS_DIR })
    assert.deepEqual(toolProblems(own, loaded), [`${join(TOOLS_DIR, 'b.tool.mjs')}: it cannot be loaded: line 3: no.`])
  })

  test('are given to the function that makes agents', async () => {
    const TOOLS_DIR = toolsIn({ 'a.tool.mjs': `export const weather = make('Weather')` })
    const own = await crew({ agents: ({ model, tools }) => [new Agent({ name: 'own', model, tools })] }, { TOOLS_DIR })
    assert.deepEqual(namesOf(own), ['weather'])
    const none = await crew({ agents: ({ model, tools }) => [new Agent({ name: 'own', model, tools })] })
    assert.deepEqual(namesOf(none), [])
  })

  test('may not have the name of one that the agent has', async () => {
    const TOOLS_DIR = toolsIn({ 'a.tool.mjs': `export const calculator = make('Mine')` })
    await assert.rejects(
      crew({}, { TOOLS_DIR }),
      /two tools named 'calculator' \(one of the program, one of tools-\w+\/a\.tool\.mjs\)/,
    )
  })

  test('a folder that is not there is told under the name of its setting', async () => {
    await assert.rejects(
      crew({}, { TOOLS_DIR: join(folder, 'none') }),
      /^UsageError: TOOLS_DIR: .*there is no such folder/,
    )
  })
})
