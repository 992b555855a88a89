// Questions and approvals that are open at one time, and answered in any order.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { textOf } from '../message/message.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { Agent } from './agent.ts'
import { UserInput } from './component.ts'

const careful = tool({
  description: 'Asks first',
  inputSchema: { type: 'object' },
  needsApproval: true,
  execute: () => 'done with care',
})

/** A chat with a question to a person and, in the same tick, a call that needs the leave of one. */
async function asked() {
  const model = scriptedModel([{ calls: [{ toolName: 'careful', input: {} }] }, 'Red it is.', 'Still red.'])
  const session = new Agent({ name: 'a', model, tools: { careful } }).session()
  session.world.set(session.entity, UserInput, { prompt: 'Which colour?' })
  const { interactions } = await session.generate('Paint it')
  const idOf = (kind: string): string => interactions.find((each) => each.kind === kind)!.id
  return { session, question: idOf('question'), approval: idOf('approval') }
}

const told = (messages: Iterable<Parameters<typeof textOf>[0]>): string[] =>
  [...messages].map((message) => `${message.role}: ${textOf(message)}`)

describe('a question and an approval at one time', () => {
  test('answered in either order, come to the same words after the result of the call', async () => {
    for (const questionFirst of [true, false]) {
      const { session, question, approval } = await asked()
      const tellColour = () => session.answer(question, { text: 'Red' })
      const giveLeave = () => session.answer(approval, 'approve')
      const { status } = await (questionFirst ? tellColour : giveLeave)()
      assert.equal(status, 'waiting', 'one of them is still open')
      assert.equal((await (questionFirst ? giveLeave : tellColour)()).status, 'succeeded')
      const words = told(session.messages)
      assert.deepEqual(words.slice(0, 3), ['user: Paint it', 'assistant: ', 'tool: done with care'])
      assert.equal(words.filter((line) => line === 'user: Red').length, 1)
      assert.ok(words.indexOf('user: Red') > 2)
      assert.match(words.at(-1)!, /^assistant: .*[Rr]ed/)
    }
  })
})
