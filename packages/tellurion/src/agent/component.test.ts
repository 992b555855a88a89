// The data dictionary: every component is there, can be stored and restored, and Plan, RunnerState and the lifecycle mean
// what they say.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { user } from '../message/message.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import type { Component } from '../world/component.ts'
import { Failure, Halted, Terminal, Wait } from '../world/lifecycle.ts'
import { run } from '../world/runner.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { World } from '../world/world.ts'
import * as dictionary from './component.ts'
import { agentComponents, Conversation, LLM, runnerState, TurnUsage } from './component.ts'
import * as shown from './context-component.ts'
import * as remembered from './fact-component.ts'
import * as thinkingAhead from './plan-component.ts'
import { Plan } from './plan-component.ts'
import { reasoning } from './reasoning.ts'

/** The reference's 24 components, `RunnerState` aside, under our names. */
const reference = (
  'LLM Conversation Plan ToolRegistry PendingToolCalls ToolResults Collaboration Owner SystemPrompt KVStore Failure ' +
  'Terminal ToolApproval SandboxConfig PlanSearch RAGTrigger Embedding VectorStore Streaming Checkpoint ' +
  'CompactionConfig ConversationArchive UserInput'
).split(' ')

const error = { code: 'model_service', message: 'down', retryable: true } as const

/** One entity that carries every component there is. */
function spawnAll(world: World): void {
  const call = { toolCallId: 'c1', toolName: 'add', input: { a: 1 }, key: 'k1' }
  world.spawn(
    dictionary.LLM({ model: 'm', settings: { temperature: 0 } }),
    dictionary.Conversation([user('Hi')]),
    dictionary.ConversationLimit({ max: 10, keep: 1 }),
    dictionary.SystemPrompt({ text: 'Be brief.' }),
    thinkingAhead.Plan({
      objective: 'to get there',
      steps: [{ description: 'go', begun: true, result: 'gone' }, { description: 'stop' }],
      current: 1,
      completed: false,
      considered: 1,
    }),
    thinkingAhead.Planner({ model: 'm', maxSteps: 5 }),
    dictionary.ToolRegistry({ names: ['add'] }),
    dictionary.PendingToolCalls([{ ...call, decision: { verdict: 'allow', by: 'default' } }]),
    dictionary.ToolResults([{ toolCallId: 'c1', toolName: 'add', content: '1' }]),
    dictionary.Taint([{ level: 'untrusted', kind: 'tool', name: 'fetch', toolCallId: 'c1', excerpt: '{} → Hello' }]),
    dictionary.Collaboration([{ from: 2, text: 'Hello' }]),
    dictionary.Owner({ entity: 1 }),
    dictionary.KVStore({ any: { thing: [1, null] } }),
    dictionary.ToolApproval({ timeout: 1_000 }),
    dictionary.SandboxConfig({ timeout: 1, memory: 2, maxOutput: 3 }),
    thinkingAhead.PlanSearch({ depth: 5, branching: 3, exploration: 1.4 }),
    thinkingAhead.SearchTree({ root: 3, objective: 'to get there', seed: 7, iterations: 2, calls: 4 }),
    thinkingAhead.SearchNode({ owner: 1, step: 'go', depth: 1, visits: 1, total: 0.5, score: 0.5, children: [4] }),
    thinkingAhead.Reflection({ rounds: 2, criteria: 'short', made: 1, critique: 'Too long.' }),
    shown.RAGTrigger({ query: 'q', limit: 3 }),
    shown.Retrieval({ retriever: 'r', everyMessage: true, limit: 3, filter: { source: ['s'] } }),
    shown.Embedding({ model: 'e' }),
    shown.VectorStore({ store: 'v' }),
    dictionary.Streaming({ enabled: true }),
    dictionary.Checkpoint({ labels: { before: 1 } }),
    shown.CompactionConfig({ threshold: 8_000, summaryModel: 's' }),
    shown.ConversationArchive([{ summary: 'short', messages: [user('long')] }]),
    dictionary.UserInput({ prompt: 'Which?', timeout: 1_000 }),
    dictionary.Steering([user('In Celsius.')]),
    dictionary.Output({ name: 'output', schema: { type: 'object' }, repairs: 0 }),
    dictionary.Budget({ limits: { tokens: 10 }, since: 1, lent: { c: { tokens: 5 } } }),
    shown.Retrieved({ query: 'q', documents: [{ id: 'd', text: 't', source: 's', score: 1 }] }),
    shown.Reminders([{ kind: 'context', severity: 'warning', text: 'Nearly full.' }]),
    dictionary.Skills([{ name: 'cook', description: 'Cooks.' }]),
    dictionary.Todos([{ id: 1, title: 'Shop', status: 'pending', priority: 3, dependsOn: [], note: 'n', updated: 5 }]),
    remembered.FactRecall({ facts: 'facts', limit: 5, minConfidence: 0.5 }),
    remembered.Recalled({ query: 'q', length: 1, documents: [{ id: 'k', text: 't', source: 's', score: 1 }] }),
    remembered.FactExtraction({
      facts: 'facts',
      said: ['I live in Oslo.'],
      found: { facts: [{ key: 'home', text: 'Lives in Oslo' }], refused: 1, at: 5 },
    }),
    dictionary.Children([{ id: 'c', toolCallId: 'c1', agent: 'a', prompt: 'p', limits: { depth: 1 }, parked: 2 }]),
    dictionary.ChildWorld({ snapshot: snapshot(new World()) }),
    dictionary.TurnUsage({ steps: 1, usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 } }),
    Failure({ error, system: 'reasoning', tick: 1 }),
    Halted({ error, retryAt: 5 }),
    Terminal({ reason: 'done' }),
    Wait([{ id: 'w1', kind: 'approval' }]),
  )
}

describe('components', () => {
  const declared: readonly Component[] = [...agentComponents, Failure, Halted, Terminal, Wait]

  test('all of the reference are there, once each', () => {
    const names = declared.map(({ name }) => name)
    assert.deepEqual(
      reference.filter((name) => !names.includes(name)),
      [],
    )
    assert.equal(new Set(names).size, names.length)
    assert.equal(reference.length, 23)
  })

  test('the list for restoring holds each that is declared here', () => {
    const here = Object.values({ ...dictionary, ...shown, ...remembered, ...thinkingAhead }).filter(
      (value) => typeof value === 'function' && 'kind' in value,
    )
    assert.deepEqual(new Set(here), new Set(agentComponents))
  })

  test('each survives being stored as JSON', () => {
    const world = new World({ components: declared })
    spawnAll(world)
    assert.deepEqual(Object.keys(snapshot(world).components).toSorted(), declared.map(({ name }) => name).toSorted())
    const stored = JSON.stringify(snapshot(world))
    const copy = restore(JSON.parse(stored), { components: agentComponents })
    assert.deepEqual(snapshot(copy), JSON.parse(stored))
  })
})

describe('an unfinished plan', () => {
  const ask = async (completed: boolean): Promise<number> => {
    const model = scriptedModel(['Hello.'])
    const world = new World({ resources: { models: { m: model } }, systems: [reasoning] })
    const steps = [{ description: 'greet' }]
    world.spawn(LLM({ model: 'm' }), Conversation([user('Hi')]), Plan({ steps, current: 0, completed }))
    assert.equal((await run(world)).reason, 'idle')
    return model.calls
  }

  test('keeps reasoning away, a completed one does not', async () => {
    assert.equal(await ask(false), 0)
    assert.equal(await ask(true), 1)
  })
})

test('the runner state is what the header says', async () => {
  const world = new World({ resources: { models: { m: scriptedModel(['Hello.']) } }, systems: [reasoning] })
  const entity = world.spawn(LLM({ model: 'm' }), Conversation([user('Hi')]))
  assert.deepEqual(runnerState(world), { tick: 0, paused: false })
  world.pause()
  assert.deepEqual(runnerState(world), { tick: 0, paused: true })
  world.pause(false)
  await run(world)
  assert.deepEqual(runnerState(world), { tick: 1, paused: false })
  assert.equal(world.require(entity, TurnUsage).steps, 1)
})
