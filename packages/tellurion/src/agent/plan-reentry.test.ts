// The law of systems for those that think ahead: cut off after any commit, a run goes on from what was committed to the
// same end, and pays for no model call again but the one that was in flight.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { seededRandom } from '../id/random.ts'
import { user } from '../message/message.ts'
import type { ModelRequest } from '../port/model.ts'
import { scriptedModel, type ScriptedModel, type ScriptedReply } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import type { Delta } from '../world/delta.ts'
import type { Entity } from '../world/entity.ts'
import { run } from '../world/runner.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { World } from '../world/world.ts'
import { Agent } from './agent.ts'
import { agentComponents, Conversation } from './component.ts'
import { Plan, SearchNode } from './plan-component.ts'
import { planAndExecute } from './plan-and-execute.ts'
import { planBySearch } from './plan-by-search.ts'
import { reflection } from './reflection.ts'

class Crash extends Error {}

/** Everything that must be the same in the end. */
const ending = (world: World, entity: Entity): unknown => ({
  said: world.require(entity, Conversation).toArray(),
  plan: world.get(entity, Plan),
  tree: world.query(SearchNode),
})

interface Scene {
  readonly agent: Agent
  readonly model: ScriptedModel
}

/** Runs a scene to its end, once whole and once cut off after each of its commits. */
async function cutEverywhere(build: () => Scene, atLeast: number): Promise<void> {
  const begin = (): Scene & { world: World; entity: Entity; empty: ReturnType<typeof snapshot> } => {
    const scene = build()
    const world = new World({ components: agentComponents, resources: { random: seededRandom(5) } })
    const empty = snapshot(world)
    const entity = scene.agent.furnish(world)
    world.append(entity, Conversation, user('Go.'))
    return { ...scene, world, entity, empty }
  }
  const whole = begin()
  let commits = 0
  const stop = await run(whole.world, { main: whole.entity, sink: async () => void commits++ })
  assert.equal(stop.reason, 'idle')
  assert.ok(commits >= atLeast, `only ${commits} commits`)
  for (let crashAt = 1; crashAt <= commits; crashAt++) {
    const { agent, model, world, entity, empty } = begin()
    const journal: Delta[] = []
    await assert.rejects(
      run(world, {
        main: entity,
        sink: async (delta) => {
          journal.push(JSON.parse(JSON.stringify(delta)) as Delta)
          await Promise.resolve()
          if (journal.length === crashAt) throw new Crash()
        },
      }),
      Crash,
    )
    const resumed = restore(empty, { components: agentComponents, deltas: journal })
    resumed.bind('random', seededRandom(99))
    agent.bindTo(resumed)
    const after = await run(resumed, { main: entity, sink: async () => {} })
    const text = `crash after commit ${crashAt} of ${commits}`
    assert.equal(after.reason, 'idle', text)
    assert.deepEqual(ending(resumed, entity), ending(whole.world, whole.entity), text)
    assert.ok(model.calls <= whole.model.calls + 1, `${model.calls} calls, ${text}`)
  }
}

/** Replies that are decided by the request alone, as a model's are. */
function planner({ system = '', messages }: ModelRequest): ScriptedReply {
  const newest = messages.at(-1)
  const prompt = String(newest?.content)
  if (system.startsWith('You plan the work')) return 'The plan: ["look","leap","land"]'
  if (system.startsWith('You revise the plan'))
    return prompt.endsWith('["leap","land"]') ? '["jump","land"]' : '["land"]'
  if (newest?.role === 'tool') return `I have ${prompt}.`
  if (prompt.endsWith('look')) return { calls: [{ toolName: 'note', toolCallId: 'n1', input: { what: 'looked' } }] }
  return `Done: ${prompt}`
}

test('law: a plan that is made, carried out and revised comes to the same end', () =>
  cutEverywhere(() => {
    const note = tool({
      description: 'Notes',
      inputSchema: z.object({ what: z.string() }),
      effects: 'read',
      execute: async ({ what }) => what,
    })
    const model = scriptedModel(planner)
    return { agent: new Agent({ name: 'a', model, tools: { note }, systems: planAndExecute() }), model }
  }, 8))

test('law: a search with rollouts finds the same, and tries nothing twice but what was in flight', () =>
  cutEverywhere(() => {
    const peek = tool({
      description: 'Looks',
      inputSchema: z.object({ at: z.string() }),
      effects: 'read',
      execute: async ({ at }) => `${at}: ${at.length}`,
    })
    const model = scriptedModel(({ system = '', messages }) => {
      const newest = messages.at(-1)
      const prompt = String(newest?.content)
      if (system.startsWith('You look for a plan')) return '["on","onwards"]'
      if (system.startsWith('You judge')) return String(prompt.split('onwards').length / 10)
      if (newest?.role === 'tool') return `It is ${prompt}.`
      const at = prompt.split(': ').at(-1) ?? ''
      return { calls: [{ toolName: 'peek', toolCallId: `p${messages.length}`, input: { at } }] }
    })
    const systems = planBySearch({ depth: 2, branching: 2, calls: 40 })
    return { agent: new Agent({ name: 'a', model, tools: { peek }, systems, budget: { modelCalls: 100 } }), model }
  }, 15))

test('law: a reply that is reviewed is mended as often as before', () =>
  cutEverywhere(() => {
    const model = scriptedModel(({ system = '', messages }) => {
      const said = String(messages.at(-1)?.content)
      if (!system.startsWith('You review')) return `Try ${messages.length}`
      return JSON.stringify(said.includes('Try 5') ? { accepted: true } : { accepted: false, critique: 'more' })
    })
    return { agent: new Agent({ name: 'a', model, systems: [reflection({ rounds: 5 })] }), model }
  }, 4))
