import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { textOf } from '../message/message.ts'
import { failure } from '../model/failure.ts'
import { scriptedModel, type Script } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { Agent, type AgentOptions } from './agent.ts'
import { planAndExecute } from './plan-and-execute.ts'
import { reflection, type ReflectionOptions } from './reflection.ts'

const rejects = (critique: string): string => JSON.stringify({ accepted: false, critique })
const accepts = '{"accepted": true}'

function reviewed(
  answers: readonly Script[],
  reviews: readonly Script[],
  { options = {}, ...given }: ReflectionOptions & { options?: Partial<AgentOptions> } = {},
) {
  const critic = scriptedModel(reviews, { name: 'test/critic' })
  const model = scriptedModel(answers)
  const systems = [reflection({ critic, ...given })]
  const session = new Agent({ name: 'a', model, systems, ...options }).session()
  return {
    session,
    critic,
    model,
    promptOf: (review: number) => String(critic.requests[review]?.messages.at(0)?.content),
  }
}

describe('reflection', () => {
  test('has a reply mended until the critic accepts it', async () => {
    const { session, critic, promptOf } = reviewed(
      ['Oslo', 'Oslo, in Norway.'],
      [rejects('Say the country.'), accepts],
      {
        criteria: 'Names the country.',
      },
    )
    const result = await session.generate('Capital of Norway?')
    assert.equal(result.text, 'Oslo, in Norway.')
    assert.equal(result.steps, 2)
    assert.equal(critic.calls, 2)
    assert.equal(promptOf(0), 'Request: "Capital of Norway?"\nAnswer: "Oslo"\nCriteria: Names the country.')
    assert.match(promptOf(1), /^Request: "Capital of Norway\?"\nAnswer: "Oslo, in Norway\."/)
    assert.equal(
      textOf(session.messages.at(2)!),
      'A review of your answer: Say the country.\nAnswer the request again, mended, and with nothing about the review.',
    )
  })

  test('costs one review where the reply is accepted, however many ticks follow', async () => {
    const { session, critic, model } = reviewed(['Good.', 'Better.'], [accepts, accepts])
    await session.generate('one')
    assert.deepEqual([model.calls, critic.calls], [1, 1])
    await session.generate('two')
    assert.deepEqual([model.calls, critic.calls], [2, 2])
  })

  test('ends after so many rounds, whatever the critic says', async () => {
    const never = Array.from({ length: 20 }, (_, index) => rejects(`not yet ${index}`))
    const answers = Array.from({ length: 20 }, (_, index) => `try ${index}`)
    const usual = reviewed(answers, never)
    assert.equal((await usual.session.generate('go')).text, 'try 2')
    assert.equal(usual.critic.calls, 2)
    assert.equal((await usual.session.generate('go')).text, 'try 5', 'each request has its own rounds')
    const once = reviewed(answers, never, { rounds: 1 })
    assert.equal((await once.session.generate('go')).text, 'try 1')
    const same = reviewed(
      answers,
      Array.from({ length: 20 }, () => rejects('the same')),
    )
    assert.equal((await same.session.generate('go')).text, 'try 2')
  })

  test('lets a reply pass that a critic cannot judge', async () => {
    for (const review of [
      'Looks fine to me.',
      '{"accepted": false}',
      '{"accepted":"no","critique":"x"}',
      '[]',
      '7',
      '',
    ]) {
      const { session, critic } = reviewed(['Fine.'], [review])
      assert.equal((await session.generate('go')).text, 'Fine.', review)
      assert.equal(critic.calls, 1)
    }
    const down = reviewed(['Fine.'], [failure('service', 'down')])
    assert.equal((await down.session.generate('go')).text, 'Fine.')
    const poor = reviewed(['Fine.'], [rejects('x')], { options: { budget: { modelCalls: 1 } } })
    assert.equal((await poor.session.generate('go')).text, 'Fine.')
    assert.equal(poor.critic.calls, 0)
  })

  test('waits until tools have run', async () => {
    const look = tool({ description: 'l', inputSchema: z.object({}), effects: 'read', execute: () => 'seen' })
    const { session, critic } = reviewed(
      [{ text: 'Looking.', calls: [{ toolName: 'look', input: {} }] }, 'Seen.'],
      [accepts],
      {
        options: { tools: { look } },
      },
    )
    assert.equal((await session.generate('go')).text, 'Seen.')
    assert.equal(critic.calls, 1)
  })

  test('reviews what a plan has come to, by its objective, and no step of it', async () => {
    const critic = scriptedModel([rejects('Count on.'), accepts])
    const systems = [
      ...planAndExecute({ planner: scriptedModel(['["a","b"]']), replan: false }),
      reflection({ critic }),
    ]
    const model = scriptedModel(['One.', 'Two.', 'Three.'])
    const planned = new Agent({ name: 'a', model, systems }).session()
    const result = await planned.generate('Count')
    assert.equal(result.text, 'Three.')
    assert.equal(critic.calls, 2)
    assert.equal(critic.requests[0]?.messages.at(0)?.content, 'Request: "Count"\nAnswer: "Two."')
  })

  test('keeps to the asked output', async () => {
    const { session } = reviewed(['{"n":1}', '{"n":2}'], [rejects('more'), accepts])
    const { output } = await session.generate('go', { output: z.object({ n: z.number() }) })
    assert.deepEqual(output, { n: 2 })
  })

  test('is the work of the agent itself where no critic is given', async () => {
    const model = scriptedModel(['Good.', accepts])
    assert.equal((await new Agent({ name: 'a', model, systems: [reflection()] }).generate('go')).text, 'Good.')
    assert.equal(model.calls, 2)
  })

  test('refuses options that make no sense', () => {
    assert.throws(() => reflection({ rounds: 0 }), /rounds must be a whole number from 1 to 10/)
    assert.throws(() => reflection({ round: 1 } as never), /no option 'round'.* Did you mean 'rounds'/)
  })
})
