// The scenes of the golden corpus: small lives of agents whose stored states every later version must load. Time, ids
// and models are fixed, so that a scene always ends in the same state.

import { Agent, asTool, assistant, textOf, tool, user } from 'tellurion'
import * as agents from 'tellurion/agent'
import { estimateTokens } from 'tellurion/model'
import {
  StepExecutor,
  createRuntime,
  memory,
  step,
  type AgentRuntime,
  type Backend,
  type RunHandle,
  type Runtime,
  type StoredState,
} from 'tellurion/runtime'
import { scriptedModel, virtualClock, type ScriptedReply } from 'tellurion/testing'
import {
  defineComponent,
  defineLog,
  defineSystem,
  snapshot,
  World,
  type Component,
  type Snapshot,
  type System,
} from 'tellurion/world'
import { countedIds } from '../packages/tellurion/src/id/id.ts'
import { failure } from '../packages/tellurion/src/model/failure.ts'
import { foreignComponents } from '../packages/tellurion/src/runtime/foreign-component.ts'
import { revive } from '../packages/tellurion/src/runtime/revival.ts'

/** Every component of the corpus, as this version has them. */
export const goldenComponents: readonly Component[] = [
  ...agents.agentComponents,
  ...foreignComponents,
  agents.Failure,
  agents.Halted,
  agents.Terminal,
  agents.Wait,
]

/** One stored state: as a store keeps it, and as a whole; and the texts of its conversation, in any shape of messages. */
export interface GoldenState {
  /** The version that wrote it. */
  readonly written: string
  readonly state: Pick<StoredState, 'snapshot' | 'rows'>
  readonly world: Snapshot
  readonly texts: readonly string[]
}

/** Components of a program of somebody else, as it had them when the corpus was begun. */
export const Mood = defineComponent<{ readonly value: number }>('Mood')
export const Diary = defineLog<string>('Diary')

const keepsDiary = defineSystem({
  name: 'diary',
  query: [agents.LLM, agents.Conversation],
  each(entity, world) {
    if (world.has(entity, Mood)) return
    world.set(entity, Mood, { value: 3 })
    world.append(entity, Diary, 'A new day.', 'It rains.')
  },
})

const asksName = defineSystem({
  name: 'asksName',
  priority: -30,
  query: [agents.LLM],
  each(entity, world) {
    if (!world.has(entity, agents.UserInput))
      world.set(entity, agents.UserInput, { prompt: 'Who are you?', choices: ['ada', 'bob'] })
  },
})

const read = tool({
  description: 'Reads a page',
  inputSchema: { type: 'object', properties: { page: { type: 'number' } }, required: ['page'] },
  effects: 'read',
  execute: ({ page }) => `Page ${String(page)}: ${'all work and no play. '.repeat(400)}`,
})
const add = tool({
  description: 'Adds',
  inputSchema: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } } },
  effects: 'read',
  execute: ({ a, b }) => Number(a) + Number(b),
})
const remove = tool({
  description: 'Removes a file',
  inputSchema: { type: 'object', properties: { name: { type: 'string' } } },
  needsApproval: true,
  execute: ({ name }) => `removed ${String(name)}`,
})

/** The agent of a scene, here and in every later version; it says these replies. */
export function goldenAgent(replies: readonly ScriptedReply[], systems: readonly System[] = []): Agent {
  return new Agent({ name: 'guide', model: scriptedModel(replies), tools: { add, read, remove }, systems })
}

/** An agent of another make, here and in every later version: two steps, a checkpoint, a question, another step. */
export function foreignAgent(did: (name: string) => void): AgentRuntime {
  return {
    key: 'crew',
    async run(context) {
      const doing = (name: string) => step(name, () => (did(name), `${name} is done`))
      const { look } = await new StepExecutor(context).run([doing('look'), doing('leap')])
      if (context.state === undefined) await context.checkpoint({ page: 2 })
      const name = await context.ask({ prompt: 'For whom?', choices: ['ada', 'bob'] })
      return { output: `${String(look)} for ${name}, page ${(context.state as { page: number }).page}` }
    },
  }
}

const call = (toolName: string, input: object, toolCallId = 'c1'): ScriptedReply => ({
  calls: [{ toolName, toolCallId, input: input as never }],
})

const shelf = {
  retrieve: async (query: string) => [{ id: 'p1', text: `About: ${query}`, source: 'almanac', score: 0.5 }],
}

/** What happens in a scene that a runtime plays. */
interface Scene {
  readonly agent: Agent | AgentRuntime
  play(runtime: Runtime): Promise<RunHandle>
}

const scenes: Readonly<Record<string, Scene>> = {
  'chat-with-tools': {
    agent: goldenAgent([call('add', { a: 1, b: 2 }), 'It is 3.', 'Gladly.']),
    async play(runtime) {
      await (await runtime.submit('guide', 'What is 1 + 2?', { session: 's' })).result()
      return ended(await runtime.submit('guide', 'Thank you', { session: 's' }))
    },
  },
  'pending-approval': {
    agent: goldenAgent([call('remove', { name: 'old.log' })]),
    play: async (runtime) => ended(await runtime.submit('guide', 'Clean up')),
  },
  question: {
    agent: goldenAgent(['Let me ask.'], [asksName]),
    play: async (runtime) => ended(await runtime.submit('guide', 'Hello')),
  },
  halted: {
    agent: goldenAgent([failure('authentication', 'bad key')]),
    play: async (runtime) => ended(await runtime.submit('guide', 'Hello')),
  },
  steering: {
    agent: goldenAgent([call('remove', { name: 'old.log' })]),
    async play(runtime) {
      const run = await ended(await runtime.submit('guide', 'Clean up'))
      await run.steer('but keep the notes')
      for await (const event of run.events({ after: (await run.record()).events }))
        if (event.type === 'run.waiting') break
      return run
    },
  },
  'big-log': {
    agent: goldenAgent([
      ...Array.from({ length: 5 }, (_, page) => call('read', { page }, `c${page}`)),
      'I have read it.',
    ]),
    play: async (runtime) => ended(await runtime.submit('guide', 'Read five pages')),
  },
  'foreign-agent': {
    agent: foreignAgent(() => {}),
    play: async (runtime) => ended(await runtime.submit('crew', { topic: 'tellurions' })),
  },
  compacted: {
    agent: goldenAgent(
      [...Array.from({ length: 4 }, (_, page) => call('read', { page }, `c${page}`)), 'I have read it.', 'I remember.'],
      [
        agents.compactContext({
          window: 4_000,
          keep: 2,
          summaryModel: agents.extractiveModel(),
          countTokens: estimateTokens,
        }),
        agents.reminders,
        ...agents.retrieval({ retriever: shelf, limit: 2, filter: { source: ['almanac'] } }),
      ],
    ),
    async play(runtime) {
      await (await runtime.submit('guide', 'Read four pages', { session: 's' })).result()
      return ended(await runtime.submit('guide', 'What was on page 2?', { session: 's' }))
    },
  },
  'waiting-child': {
    agent: new Agent({
      name: 'guide',
      model: scriptedModel([call('help', { task: 'Clean up' }), 'It is clean.']),
      tools: {
        help: asTool(
          new Agent({ name: 'helper', model: scriptedModel([call('remove', { name: 'old.log' })]), tools: { remove } }),
          { description: 'Helps', budget: { modelCalls: 3 } },
        ),
      },
      budget: { modelCalls: 10 },
    }),
    play: async (runtime) => ended(await runtime.submit('guide', 'Clean up')),
  },
  'own-components': {
    agent: goldenAgent(['Hello.'], [keepsDiary]),
    play: async (runtime) => ended(await runtime.submit('guide', 'Hello')),
  },
}

async function ended(run: RunHandle): Promise<RunHandle> {
  await run.result().catch(() => {})
  return run
}

/** Plays every scene. */
export async function playGolden(version: string): Promise<ReadonlyMap<string, GoldenState>> {
  const played = new Map<string, GoldenState>([['every-component', bare(everyComponent(), version)]])
  for (const [name, scene] of Object.entries(scenes)) played.set(name, await play(scene, version))
  return played
}

async function play({ agent, play: act }: Scene, written: string): Promise<GoldenState> {
  let backend: Backend | undefined
  await using runtime = await createRuntime({
    store: async (options) => (backend = await memory()(options)),
    agents: [agent],
    ports: { clock: virtualClock(Date.UTC(2026, 10, 20)), ids: countedIds() },
    state: { components: [Mood, Diary] },
  })
  const run = await act(runtime)
  const { branch } = await run.record()
  const { snapshot: kept, rows = [] } = (await backend?.store.load(branch)) ?? {}
  const state = { ...(kept === undefined ? {} : { snapshot: kept }), rows }
  const world = revive(
    { ...state, seq: 0, snapshotBytes: 0, tailBytes: 0 },
    { components: [...goldenComponents, Mood, Diary], retired: [] },
  )
  return { written, state, world: snapshot(world), texts: textsOf(world) }
}

function bare(world: World, written: string): GoldenState {
  const whole = snapshot(world)
  return { written, state: { snapshot: whole, rows: [] }, world: whole, texts: textsOf(world) }
}

/** The texts of all conversations of a world. */
export function textsOf(world: World): string[] {
  return world.query(agents.Conversation).flatMap(([, [log]]) => log.toArray().map(textOf))
}

/** An entity with a value of nearly every component, a plan among them, and one that was halted. */
function everyComponent(): World {
  const world = new World()
  const message = user('What is the plan?')
  const entity = world.spawn(
    agents.LLM({ model: 'guide', agent: 'guide', settings: { temperature: 0.5, stopSequences: ['END'] } }),
    agents.Conversation([message, assistant('Three steps.')]),
    agents.ConversationLimit({ max: 100, keep: 0.8 }),
    agents.SystemPrompt({ text: 'Be brief.' }),
    agents.Plan({
      steps: [{ description: 'look', result: 'seen' }, { description: 'leap' }],
      current: 1,
      completed: false,
    }),
    agents.ToolRegistry({ names: ['add'] }),
    agents.ToolResults([{ toolCallId: 'c1', toolName: 'add', content: '3' }]),
    agents.Collaboration([{ from: 2, text: 'Hello, peer.' }]),
    agents.KVStore({ mood: 'good', list: [1, null, { deep: true }] }),
    agents.ToolApproval({ timeout: 60_000 }),
    agents.SandboxConfig({ timeout: 1000, memory: 64, maxOutput: 1000 }),
    agents.PlanSearch({ depth: 5, branching: 3, exploration: 1.4, calls: 20 }),
    agents.RAGTrigger({ query: 'tellurion', limit: 3 }),
    agents.Embedding({ model: 'small' }),
    agents.VectorStore({ store: 'papers' }),
    agents.Streaming({ enabled: true }),
    agents.Checkpoint({ labels: { 'before the leap': 1 } }),
    agents.CompactionConfig({ threshold: 10_000, summaryModel: 'small' }),
    agents.ConversationArchive([{ summary: 'They met.', messages: [message] }]),
    agents.Output({ name: 'output', schema: { type: 'object' }, repairs: 1 }),
    agents.TurnUsage({
      steps: 2,
      usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 },
      from: 0,
      finishReason: 'stop',
    }),
  )
  const peer = world.spawn(agents.Owner({ entity }), agents.Conversation([user('I help.')]))
  world.set(peer, agents.Halted, { error: { code: 'system_failed', message: 'It tripped.', retryable: false } })
  return world
}
