// The law of systems: a run that is cut off after any commit and goes on from what was committed comes to the same end,
// never asks again for a reply it has, and never runs a tool again whose result it has.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { user } from '../message/message.ts'
import type { ModelRequest } from '../port/model.ts'
import { scriptedModel, type ScriptedReply } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import type { Delta } from '../world/delta.ts'
import type { Entity } from '../world/entity.ts'
import { run } from '../world/runner.ts'
import { restore, snapshot, type Snapshot } from '../world/snapshot.ts'
import { World } from '../world/world.ts'
import { Agent } from './agent.ts'
import { agentComponents, Conversation, ConversationLimit } from './component.ts'
import { answer } from './interaction.ts'
import { openInteractions } from './open-interaction.ts'

class Crash extends Error {}

/** Replies decided by the conversation alone, as a model's are. */
function replyTo({ messages }: ModelRequest): ScriptedReply {
  const newest = messages.at(-1)
  switch (newest?.role === 'tool' ? newest.toolCallId : newest?.role) {
    case 'user':
      return { calls: ['a', 'b', 'c'].map((name, index) => ({ toolName: 'note', toolCallId: name, input: { index } })) }
    case 'c':
      return { text: 'Asking.', calls: [{ toolName: 'careful', toolCallId: 'd', input: {} }] }
    case 'd':
      return { calls: [{ toolName: 'fails', toolCallId: 'e', input: {} }] }
    default:
      return 'The end.'
  }
}

function build() {
  const effects: string[] = []
  const note = tool({
    description: 'Notes',
    inputSchema: z.object({ index: z.number() }),
    effects: 'read',
    execute: async ({ index }, { toolCallId, idempotencyKey }) => {
      for (let turn = 0; turn < 3 - index; turn++) await Promise.resolve()
      effects.push(`${toolCallId}:${idempotencyKey}`)
      return `noted ${index}`
    },
  })
  const careful = tool({
    description: 'Asks first',
    inputSchema: z.object({}),
    needsApproval: true,
    execute: (_input, { toolCallId, idempotencyKey }) => {
      effects.push(`${toolCallId}:${idempotencyKey}`)
      return 'done with care'
    },
  })
  const fails = tool({
    description: 'Fails',
    inputSchema: z.object({}),
    execute: (_input, { toolCallId, idempotencyKey }) => {
      effects.push(`${toolCallId}:${idempotencyKey}`)
      throw new Error('no luck')
    },
  })
  const model = scriptedModel(replyTo)
  const agent = new Agent({ name: 'a', model, tools: { note, careful, fails } })
  return { agent, model, effects }
}

/** Runs to the end, answering what is asked; `sink` sees every commit. */
async function drive(world: World, entity: Entity, sink: (delta: Delta) => Promise<void>): Promise<void> {
  for (;;) {
    const stop = await run(world, { main: entity, sink })
    if (stop.reason !== 'waiting') {
      assert.equal(stop.reason, 'idle')
      return
    }
    answer(world, openInteractions(world)[0]!.id, 'approve')
  }
}

const start = (agent: Agent, max: number | null): { world: World; entity: Entity; empty: Snapshot } => {
  const world = new World({ components: agentComponents })
  const empty = snapshot(world)
  const entity = agent.furnish(world)
  world.append(entity, Conversation, user('Go.'))
  world.set(entity, ConversationLimit, { max })
  return { world, entity, empty }
}

const ending = (world: World, entity: Entity): string => JSON.stringify(world.require(entity, Conversation))

for (const max of [null, 6]) {
  test(`law: cut off after any commit, a run goes on to the same end (limit ${max})`, () => cutEverywhere(max))
}

async function cutEverywhere(max: number | null): Promise<void> {
  const whole = build()
  const first = start(whole.agent, max)
  let commits = 0
  await drive(first.world, first.entity, async () => void commits++)
  const expected = ending(first.world, first.entity)
  assert.ok(commits >= 10, `only ${commits} commits`)

  for (let crashAt = 1; crashAt <= commits; crashAt++) {
    const { agent, model, effects } = build()
    const { world, entity, empty } = start(agent, max)
    const journal: Delta[] = []
    await assert.rejects(
      drive(world, entity, async (delta) => {
        journal.push(JSON.parse(JSON.stringify(delta)) as Delta)
        await Promise.resolve()
        if (journal.length === crashAt) throw new Crash()
      }),
      Crash,
    )
    const asked = model.calls
    const ran = effects.length
    const resumed = restore(empty, { components: agentComponents, deltas: journal })
    agent.bindTo(resumed)
    await drive(resumed, entity, async () => {})
    const text = `crash after commit ${crashAt}`
    if (max === null) assert.equal(ending(resumed, entity), expected, text)
    // Where trimming falls between two messages may differ by a tick; what is left never does in kind.
    else assert.ok(expected.endsWith(ending(resumed, entity).slice(-100)), text)
    // At most the one call and the one batch that were in flight are made again, and under the same keys.
    assert.ok(model.calls <= 5, `${model.calls} asks, ${asked} before the crash after commit ${crashAt}`)
    assert.ok(effects.length <= 5 + 2, `${effects.length} effects, ${ran} before the crash after commit ${crashAt}`)
    const keys = new Map<string, string>()
    for (const effect of effects) {
      const [id, key] = effect.split(':') as [string, string]
      assert.equal(keys.get(id) ?? key, key, 'a call keeps its key')
      keys.set(id, key)
    }
  }
}
