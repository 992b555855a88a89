// Kills after every commit: whatever the instant, the work goes on to the same end, and what was kept is not done again.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { systemClock, type Clock } from '../clock/clock.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import type { AgentRuntime } from './agent-runtime.ts'
import type { Backend, BackendOpener } from './backend.ts'
import { createRuntime } from './runtime.ts'
import { step } from './step.ts'
import { StepExecutor } from './step-executor.ts'
import { toolCallingAgent } from './tool-calling-agent.ts'

/** A place that processes come to one after another. */
function sharedPlace(material: (typeof materials)[number]): BackendOpener {
  const open = backendPlace(material)
  if (material !== 'memory') return open
  let kept: Promise<Backend> | undefined
  return async (options) => ({ ...(await (kept ??= open(options))), close: async () => {} })
}

/** A process that dies with its `alive`-th commit: nothing that it says later reaches the store. */
function dying(open: BackendOpener, alive: number): { opener: BackendOpener; died: Promise<void> } {
  const { promise: died, resolve } = Promise.withResolvers<void>()
  let left = alive
  const opener: BackendOpener = async (options) => {
    const backend = await open(options)
    const { store } = backend
    const commit: typeof store.commit = (request) => {
      if (left-- > 0) return store.commit(request)
      resolve()
      return Promise.resolve({ status: 'fenced' })
    }
    return { ...backend, store: { ...store, commit, heartbeat: async (held) => held.map(({ run }) => run) } }
  }
  return { opener, died }
}

const patience = { heartbeat: 5, lease: 1000, grace: 0 }

interface Course {
  readonly output: unknown
  readonly died: boolean
  readonly types: readonly string[]
}

/** Runs an agent to its end in two processes, the first of which dies after `alive` commits. */
async function course(material: (typeof materials)[number], agent: AgentRuntime, alive: number): Promise<Course> {
  const place = sharedPlace(material)
  let passed = 0
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + passed }
  const ports = { clock }
  const { opener, died } = dying(place, alive)
  const first = await createRuntime({ store: opener, agents: [agent], patience, ports })
  const { id } = await first.submit(agent.key, 'go')
  const ended = await Promise.race([
    died.then(() => false),
    first
      .run(id)
      .result()
      .then(() => true),
  ])
  await first.close()
  // For whoever comes now, every lease has lapsed.
  passed = 60_000
  await using second = await createRuntime({ store: place, agents: [agent], patience, ports })
  const run = second.run(id)
  const { output } = await run.result()
  const events: { readonly type: string; readonly seq?: number }[] = []
  for await (const event of run.events()) events.push(event)
  const kept = events.filter((event) => event.seq !== undefined)
  assert.deepEqual(
    kept.map(({ seq }) => seq),
    kept.map((_, index) => index + 1),
  )
  return { output, died: !ended, types: kept.map(({ type }) => type) }
}

/** Kills after every commit, until the work ends first; gives how many kills there were. */
async function killEverywhere(
  material: (typeof materials)[number],
  make: () => { readonly agent: AgentRuntime; check(seen: Course, alive: number): void },
): Promise<number> {
  for (let alive = 0; ; alive++) {
    const { agent, check } = make()
    const seen = await course(material, agent, alive)
    assert.equal(seen.types.filter((type) => type === 'run.succeeded').length, 1)
    check(seen, alive)
    if (!seen.died) return alive
    assert.ok(alive < 100)
  }
}

for (const material of materials) describe(`killed after every commit on ${material}`, () => kills(material))

function kills(material: (typeof materials)[number]): void {
  test('an agent goes on from its newest checkpoint', async () => {
    const killed = await killEverywhere(material, () => {
      const begun: number[] = []
      const agent: AgentRuntime = {
        key: 'counter',
        async run({ state, checkpoint }) {
          for (let at = Number(state ?? 0); at < 5; at++) {
            begun.push(at)
            await checkpoint(at + 1)
          }
          return { output: 'five' }
        },
      }
      return {
        agent,
        check({ output }) {
          assert.equal(output, 'five')
          assert.deepEqual([...new Set(begun)], [0, 1, 2, 3, 4])
          // One stretch at most was on its way when the process died.
          assert.ok(begun.length <= 6, String(begun))
        },
      }
    })
    assert.ok(killed >= 7, String(killed))
  })

  test('steps that are kept are not done again', async () => {
    const killed = await killEverywhere(material, () => {
      const ran: string[] = []
      const kept = new Set<string>()
      const agent: AgentRuntime = {
        key: 'stepper',
        async run(context) {
          for (const { name } of context.steps.read('steps').done) kept.add(name)
          const one = (name: string) =>
            step(name, (_context, state) => {
              assert.ok(!kept.has(name), `${name} was kept and ran again`)
              ran.push(name)
              state['trail'] = `${String(state['trail'] ?? '')}${name}`
              return state['trail'] as string
            })
          const { d } = await new StepExecutor(context).run([one('a'), one('b'), one('c'), one('d')])
          return { output: d ?? null }
        },
      }
      return {
        agent,
        check({ output, types }, alive) {
          assert.equal(output, 'abcd')
          assert.ok(ran.length <= 5, `after ${alive}: ${ran.join()}`)
          assert.equal(types.filter((type) => type === 'step.completed').length, 4)
        },
      }
    })
    assert.ok(killed >= 6, String(killed))
  })

  test('a tool calling agent asks for no kept reply and makes no kept result again', async () => {
    const killed = await killEverywhere(material, () => {
      const calls: string[] = []
      const note = tool({
        description: 'Notes',
        inputSchema: z.object({ text: z.string() }),
        effects: { mode: 'write', repeat: 'keyed' },
        execute: ({ text }, { idempotencyKey }) => {
          calls.push(idempotencyKey)
          return `noted ${text}`
        },
      })
      // What it answers follows from what was said: a reply that was lost is asked for again and is the same.
      const model = scriptedModel(
        Array.from({ length: 6 }, () => ({ messages }) => {
          const results = [...messages].filter(({ role }) => role === 'tool').length
          if (results === 2) return 'All noted.'
          return { calls: [{ toolCallId: `c${results}`, toolName: 'note', input: { text: `${results}` } }] }
        }),
      )
      const agent = toolCallingAgent({ key: 'clerk', model, tools: { note } })
      return {
        agent,
        check({ output, types }) {
          assert.equal(output, 'All noted.')
          assert.equal(new Set(calls).size, 2)
          assert.ok(calls.length <= 3, calls.join())
          assert.ok(model.requests.length <= 4)
          assert.equal(types.filter((type) => type === 'message.added').length, 6)
        },
      }
    })
    assert.ok(killed >= 7, String(killed))
  })
}
