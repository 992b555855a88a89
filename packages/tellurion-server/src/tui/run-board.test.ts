import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RunResource } from 'tellurion/protocol'
import { amount, RunBoard } from './run-board.ts'
import { createTheme } from './theme.ts'

const run = (id: string, facts: Partial<RunResource> = {}): RunResource => ({
  id,
  agent: 'guide',
  session: 's1',
  branch: 'b1',
  status: 'succeeded',
  priority: 0,
  input: `ask ${id}`,
  metadata: {},
  user: 'local',
  createdAt: 0,
  availableAt: 0,
  attempt: 1,
  retries: 0,
  crashes: 0,
  ranFor: 0,
  events: 1,
  firstTick: 1,
  interactions: [],
  ...facts,
})
const board = (...runs: RunResource[]): RunBoard => {
  const made = new RunBoard(createTheme(false))
  made.take(runs, new Map([['run_1', 3]]))
  return made
}
const seen = (made: RunBoard, width = 80, height = 10): string[] =>
  made.lines(width, height, { now: 65_000, mine: 'run_1' })

const usage = { inputTokens: 1000, outputTokens: 234, totalTokens: 1234 }
const asking = { id: 'i', kind: 'approval', entity: 1, prompt: '' } as const

describe('the list of runs', () => {
  it('says how each stands and how far it is', () => {
    const made = board(
      run('run_1', { status: 'running', usage }),
      run('run_2', { status: 'waiting', interactions: [asking], parent: 'run_1', createdAt: 5000 }),
      run('run_3', { input: { role: 'user\u001b' }, agent: 'a\u202eb' }),
    )
    assert.deepEqual(seen(made), [
      '  RUN    STATUS     TICKS  TOKENS  AGE  AGENT  INPUT',
      '❯ run_1  running        3    1.2k   1m  guide  (here) ask run_1',
      '  run_2  asks you       ·       ·   1m  guide  ↳ ask run_2',
      '  run_3  succeeded      ·       ·   1m  ab     {"role":"user\\u001b"}',
    ])
    assert.deepEqual(seen(made, 40), [
      '  STATUS     TICKS  AGE  INPUT',
      '❯ running        3   1m  (here) ask run…',
      '  asks you       ·   1m  ↳ ask run_2',
      '  succeeded      ·   1m  {"role":"user\\…',
    ])
    assert.deepEqual(seen(board()), ['No runs yet.'])
  })

  it('keeps the chosen run in sight while the list changes', () => {
    const runs = Array.from({ length: 20 }, (_, index) => run(`run_${index}`))
    const made = board(...runs)
    seen(made, 80, 5)
    made.key('pageDown')
    made.key('down')
    const chosen = (): string | undefined => seen(made, 80, 5).find((line) => line.startsWith('❯'))
    assert.match(chosen() ?? '', /run_5 /)
    made.take([run('run_x'), ...runs], new Map())
    assert.match(chosen() ?? '', /run_5 /)
    made.key('end')
    assert.match(chosen() ?? '', /run_19/)
    made.key('home')
    assert.match(chosen() ?? '', /run_x/)
    made.choose('run_7')
    assert.match(chosen() ?? '', /run_7 /)
  })

  it('does with a run what can be done with it', () => {
    const orders = (status: RunResource['status']): unknown[] =>
      ['enter', 'c', 'p', 't'].map((key) => {
        const reaction = board(run('run_1', { status })).key(key)
        return typeof reaction === 'object' ? reaction.order : reaction
      })
    assert.deepEqual(orders('running'), ['open', 'cancel', 'pause', undefined])
    assert.deepEqual(orders('paused'), ['open', 'cancel', 'resume', undefined])
    assert.deepEqual(orders('succeeded'), ['open', undefined, undefined, undefined])
    assert.deepEqual(orders('failed'), ['open', undefined, undefined, 'retry'])
    assert.equal(board().key('enter'), undefined)
  })

  it('writes amounts short', () => {
    assert.deepEqual([undefined, 0, 999, 1000, 12_345, 999_949, 1_234_567].map(amount), [
      '·',
      '0',
      '999',
      '1.0k',
      '12.3k',
      '999.9k',
      '1.2M',
    ])
  })
})
