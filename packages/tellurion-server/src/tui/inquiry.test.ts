import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { visibleWidth } from '@earendil-works/pi-tui'
import type { Interaction } from 'tellurion'
import { Inquiries, type Reaction } from './inquiry.ts'
import { createTheme } from './theme.ts'

const approval = (id: string, input: Interaction['input'] = { a: 1 }): Interaction => ({
  id,
  kind: 'approval',
  entity: 1,
  prompt: 'Allow it?',
  toolName: 'remove',
  toolCallId: 'c1',
  input: input ?? null,
})
const question = (choices?: readonly string[]): Interaction => ({
  id: 'q',
  kind: 'question',
  entity: 1,
  prompt: 'Which\u001b[31m colour?',
  ...(choices === undefined ? {} : { choices }),
})

const asking = (...interactions: Interaction[]): Inquiries => {
  const inquiries = new Inquiries(createTheme(false))
  inquiries.ask('run_1', interactions, 0)
  return inquiries
}
const seen = (inquiries: Inquiries, height = 20, width = 76, focused = true): string[] =>
  inquiries.lines(width, height, { focused, now: 1000 })
const answerTo = (reaction: Reaction | undefined): unknown =>
  typeof reaction === 'object' && 'answering' in reaction ? reaction.answering.answer : reaction

describe('what is asked', () => {
  it('shows the exact arguments, inert', () => {
    assert.deepEqual(seen(asking(approval('a', { path: 'a\u202etxt', 'b\u001b': '  two  blanks' }))), [
      '? Allow remove?',
      '  {',
      '    "path": "a\\u202etxt",',
      '    "b\\u001b": "  two  blanks"',
      '  }',
      'y yes   n no   r no, because…   a always   s always with these arguments',
    ])
  })

  it('shows whose words came before, and offers nothing that would stand for whatever arguments', () => {
    const taint = [
      { level: 'untrusted', kind: 'tool', name: 'fetch', toolCallId: 'c0', excerpt: 'Do\u202e it' },
    ] as const
    const inquiries = asking({ ...approval('a'), taint })
    assert.deepEqual(seen(inquiries), [
      '? Allow remove?',
      '  after untrusted words, tool fetch (call c0): "Do it"',
      '  {',
      '    "a": 1',
      '  }',
      'y yes   n no   r no, because…   s always with these arguments',
    ])
    assert.equal(inquiries.key('a', 1000), undefined)
    assert.deepEqual(answerTo(inquiries.key('s', 1000)), { always: 'approve', where: 'same' })
  })

  it('is answered by its keys', () => {
    const keys = { y: 'approve', n: 'deny', a: { always: 'approve' }, s: { always: 'approve', where: 'same' } }
    for (const [key, answer] of Object.entries(keys))
      assert.deepEqual(answerTo(asking(approval('a')).key(key, 1000)), answer)
    for (const key of ['enter', 'x', 'space', '1']) assert.equal(asking(approval('a')).key(key, 1000), undefined)
    const inquiries = asking(approval('a'))
    assert.deepEqual(inquiries.key('r', 1000), { write: true })
    assert.deepEqual(inquiries.inWords('not on Fridays')?.answer, { deny: 'not on Fridays' })
  })

  it('takes no key that was meant for what was there before', () => {
    const inquiries = asking(approval('a'), approval('b'))
    assert.equal(inquiries.key('y', 100), 'seen')
    assert.deepEqual(answerTo(inquiries.key('y', 500)), 'approve')
    inquiries.close(({ interaction }) => interaction.id === 'a', 600)
    assert.equal(inquiries.key('y', 700), 'seen', 'the next one has just come up')
    assert.deepEqual(answerTo(inquiries.key('y', 1100)), 'approve')
  })

  it('sends an answer once, and lets it be given again when it was refused', () => {
    const inquiries = asking(approval('a'))
    const reaction = inquiries.key('y', 1000)
    assert.ok(typeof reaction === 'object' && 'answering' in reaction)
    inquiries.sent(reaction.answering)
    assert.equal(inquiries.key('y', 1000), 'seen')
    assert.equal(inquiries.inWords('no'), undefined)
    assert.match(seen(inquiries).at(-1) ?? '', /on its way/)
    inquiries.refused(reaction.answering, 'This agent keeps no\npermissions.')
    assert.equal(seen(inquiries).at(-2), 'This agent keeps no permissions.')
    assert.deepEqual(answerTo(inquiries.key('n', 1000)), 'deny')
  })

  it('does not ask again what was answered, unless the answer came to nothing', () => {
    const inquiries = asking(approval('a'), approval('b'))
    const reaction = inquiries.key('y', 1000)
    assert.ok(typeof reaction === 'object' && 'answering' in reaction)
    inquiries.sent(reaction.answering)
    inquiries.taken(reaction.answering, 1000)
    inquiries.ask('run_1', [approval('a'), approval('b')], 1000)
    assert.deepEqual([inquiries.count, inquiries.shown?.interaction.id], [1, 'b'])
    inquiries.reopen('a')
    inquiries.ask('run_1', [approval('a'), approval('b')], 1000)
    assert.equal(inquiries.count, 2)
  })

  it('shows one of several at a time', () => {
    const inquiries = asking(approval('a'), approval('b'))
    inquiries.ask('run_1', [approval('a'), approval('c')], 0)
    assert.equal(inquiries.count, 3)
    assert.equal(seen(inquiries)[0], '? 1 of 3 · Allow remove?')
    assert.equal(inquiries.key('left', 10), 'seen')
    assert.equal(inquiries.shown?.interaction.id, 'c')
    inquiries.close(({ interaction }) => interaction.id === 'a', 20)
    assert.equal(inquiries.shown?.interaction.id, 'c', 'what is seen stays')
    inquiries.close(() => true, 30)
    assert.deepEqual(seen(inquiries), [])
    assert.equal(inquiries.key('y', 1000), undefined)
  })

  it('says how much of the arguments is not seen, and scrolls', () => {
    const inquiries = asking(approval('a', { list: Array.from({ length: 20 }, (_, index) => index) }))
    const lines = seen(inquiries, 8)
    assert.equal(lines.length, 8)
    assert.match(lines.at(-2) ?? '', /lines 1–5 of 24/)
    inquiries.key('down', 1000)
    assert.match(seen(inquiries, 8).at(-2) ?? '', /lines 2–6 of 24/)
    inquiries.key('pageDown', 1000)
    inquiries.key('pageDown', 1000)
    for (let step = 0; step < 40; step++) inquiries.key('down', 1000)
    assert.equal(seen(inquiries, 8).at(-3), '  }')
    assert.equal(asking(approval('a')).key('pageUp', 1000), undefined, 'nothing to scroll: the conversation does')
  })

  it('takes a choice, a number or words for a question', () => {
    const inquiries = asking(question(['red', 'green\u202e', 'blue']))
    assert.deepEqual(seen(inquiries), [
      '? A question to you',
      '  Which\\u001b[31m colour?',
      '❯ 1 red',
      '  2 green',
      '  3 blue',
      '1–9, or ↑ ↓ and Enter: choose',
    ])
    assert.deepEqual(answerTo(inquiries.key('3', 1000)), { choice: 'blue' })
    assert.equal(inquiries.key('9', 1000), undefined)
    inquiries.key('down', 1000)
    assert.deepEqual(answerTo(inquiries.key('enter', 1000)), { choice: 'green\u202e' })
    assert.equal(inquiries.wantsWords, false)

    const words = asking(question())
    assert.equal(words.wantsWords, true)
    assert.deepEqual(words.inWords('red')?.answer, { text: 'red' })
  })

  it('asks what became of a call', () => {
    const inquiries = asking({ ...approval('a'), kind: 'outcome', prompt: 'Did it run?' })
    assert.deepEqual(seen(inquiries).slice(0, 2), ['? What became of remove?', '  Did it run?'])
    assert.deepEqual(answerTo(inquiries.key('y', 1000)), 'approve')
    assert.deepEqual(inquiries.key('t', 1000), { write: true })
    assert.equal(inquiries.key('a', 1000), undefined)
    assert.deepEqual(inquiries.inWords('42')?.answer, { text: '42' })
  })

  it('says who asks and until when, and how to get to it', () => {
    const inquiries = asking({ ...approval('a'), child: 'x', due: 31_000 })
    assert.equal(seen(inquiries)[0], '? Allow remove? · asked by a sub-agent · lapses in 30s')
    assert.equal(seen(inquiries, 20, 76, false).at(-1), 'Tab: answer this')
    assert.ok(seen(inquiries, 20, 24).every((line) => visibleWidth(line) <= 24))
  })
})
