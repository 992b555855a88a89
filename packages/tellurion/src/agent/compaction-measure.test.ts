// What compaction is worth, measured on long generated dialogues with the summary that is made by rules: how much shorter
// a context gets, whether anything is lost, and how much longer a conversation can be than its window.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { textOf, toolCallsOf, type Message } from '../message/message.ts'
import { estimateTokens } from '../model/token-estimate.ts'
import { longDialogue } from '../testing/long-dialogue.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { Agent } from './agent.ts'
import { readArchive } from './compaction-archive.ts'
import { compactContext } from './compact-context.ts'
import { Conversation } from './component.ts'
import { tokensOf } from './context-size.ts'
import { extractiveModel } from './extractive-model.ts'

const options = { countTokens: estimateTokens, summaryModel: extractiveModel() }

/** Where the facts of a dialogue are found by searching for their text. */
function found(facts: readonly string[], messages: readonly Message[]): number {
  const text = JSON.stringify(messages)
  return facts.filter((fact) => text.includes(fact)).length
}

describe('a long dialogue', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    test(`is at least 75 % shorter once it is compacted, and no fact is lost (seed ${seed})`, async (context) => {
      const { messages, facts } = longDialogue({ seed, exchanges: 200 })
      // So full that shortening tool outputs, which alone makes half of it, is not enough.
      const window = Math.floor(tokensOf(messages, estimateTokens) / 2.4)
      const agent = new Agent({
        name: 'a',
        model: scriptedModel(['Right.']),
        systems: [compactContext({ ...options, window })],
      })
      const session = agent.session()
      session.world.append(session.entity, Conversation, ...messages)
      let [before, after] = [0, 0]
      session.world.on('compaction.completed', (event) => {
        assert.equal(event.fallback, undefined)
        ;[before, after] = [event.originalTokens, event.compactedTokens]
      })
      await session.generate('Go on.')
      const said = [...session.messages]
      const inSummary = found(facts, said)
      context.diagnostic(
        `${before} → ${after} tokens, ${Math.round(100 - (100 * after) / before)} % fewer; ` +
          `facts: ${inSummary} of ${facts.length} in the summary, the rest in the archive`,
      )
      assert.ok(after <= before * 0.25, `${before} → ${after}`)
      assert.equal(facts.length, 20)
      assert.equal(found(facts, [...said, ...(await readArchive(session.world, session.entity))]), facts.length)
      assert.ok(inSummary >= facts.length * 0.9, `${inSummary} of ${facts.length} facts are in the summary`)
    })
  }

  test('goes on past ten times its window, and no request is longer than the window', async (context) => {
    const window = 8_000
    const { messages, facts } = longDialogue({ seed: 7, exchanges: 150 })
    const outputs = new Map(messages.flatMap((each) => (each.role === 'tool' ? [[each.toolCallId, textOf(each)]] : [])))
    const replies = messages.filter((each) => each.role === 'assistant')
    const model = scriptedModel(replies)
    const readFile = tool({
      description: 'Reads a file',
      inputSchema: { type: 'object' },
      effects: 'read',
      execute: (_input, { toolCallId }) => outputs.get(toolCallId) ?? 'nothing',
    })
    const systems = [compactContext({ ...options, window })]
    const session = new Agent({ name: 'a', model, tools: { readFile }, systems }).session()
    let compactions = 0
    session.world.on('compaction.completed', () => compactions++)
    for (const message of messages) if (message.role === 'user') await session.generate(message)
    assert.equal(model.calls, replies.length)
    assert.ok(toolCallsOf(replies[0]!).length + toolCallsOf(replies[1]!).length > 0)
    const sent = model.requests.map((request) => tokensOf([...request.messages], estimateTokens))
    const total = tokensOf(messages, estimateTokens)
    const inContext = found(facts, [...session.messages])
    context.diagnostic(
      `${total} tokens through a window of ${window} (${(total / window).toFixed(1)} times), ${compactions} compactions; ` +
        `facts: ${inContext} of ${facts.length} in the last context`,
    )
    assert.ok(total > 10 * window)
    assert.ok(Math.max(...sent) <= window, `${Math.max(...sent)}`)
    const archive = await readArchive(session.world, session.entity)
    assert.equal(found(facts, [...session.messages, ...archive]), facts.length)
  })
})
