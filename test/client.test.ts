// The client on the real server: one list of behaviours, shown in the same process and over a socket.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { textOf, type TellurionError } from 'tellurion'
import { createClient } from 'tellurion/client'
import type { EventResource, RunResource } from 'tellurion/protocol'
import { sqlite } from 'tellurion/sqlite'
import { openDesk, type ClientDesk } from './client-desk.ts'

const usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 }

async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

const numbers = (events: readonly EventResource[]): number[] => events.flatMap(({ seq }) => seq ?? [])
const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, index) => first + index)
const deltas = (events: readonly EventResource[]): string =>
  events.map((event) => (event.type === 'text.delta' ? event.text : '')).join('')
const code = (expected: string) => (error: unknown) => {
  assert.equal((error as TellurionError).code, expected, String(error))
  return true
}

/** A run that is in the middle of its tool. */
async function holding({ client, held }: ClientDesk): Promise<RunResource> {
  const run = await client.runs.create({ input: 'hold it' })
  await held()
  return run
}

/** What a client of a server does. */
const behaviours: Readonly<Record<string, (desk: ClientDesk) => Promise<void>>> = {
  'a run is made, watched to its end, and has a result': async ({ client }) => {
    const run = await client.runs.create({ input: 'Hello', metadata: { ticket: 7 } })
    assert.equal(run.agent, 'guide')
    const events = await gather(client.runs.events(run.id))
    const shown = await client.runs.get(run.id)
    assert.deepEqual(numbers(events), from(1, shown.events))
    assert.equal(events.findLast(({ seq }) => seq !== undefined)?.type, 'run.succeeded')
    const turn = await client.runs.result(run.id)
    assert.equal(turn.text, 'You said: Hello')
    assert.equal(turn.status, 'succeeded')
    assert.deepEqual(
      [shown.status, shown.metadata, shown.user, shown.input],
      ['succeeded', { ticket: 7 }, 'ada', 'Hello'],
    )
    const said = await gather(client.runs.messages(run.id))
    assert.deepEqual(
      said.map(({ message }) => textOf(message)),
      ['Hello', 'You said: Hello'],
    )
  },

  'events can be read from any number on': async ({ client }) => {
    const run = await client.runs.create({ input: 'Hello' })
    const all = numbers(await gather(client.runs.events(run.id)))
    for (const seq of all) {
      assert.deepEqual(
        numbers(await gather(client.runs.events(run.id, { after: seq }))),
        from(seq + 1, all.length - seq),
      )
    }
  },

  'the same key is the same run': async ({ client }) => {
    const request = { input: 'Once' }
    const [first, second] = [
      await client.runs.create(request, { key: 'k1' }),
      await client.runs.create(request, { key: 'k1' }),
    ]
    assert.equal(first.id, second.id)
    assert.notEqual((await client.runs.create(request)).id, first.id)
    await assert.rejects(client.runs.create({ input: 'Twice' }, { key: 'k1' }), code('invalid_request'))
  },

  'lists come page by page, newest first': async ({ client }) => {
    const made: string[] = []
    for (const input of ['a', 'b', 'c', 'd', 'e'])
      made.unshift((await client.runs.create({ input, session: 'list' })).id)
    for (const id of made) await client.runs.result(id)
    const runs = client.runs.list({ session: 'list', limit: 2, status: ['succeeded', 'failed'] })
    assert.deepEqual(
      (await gather(runs)).map(({ id }) => id),
      made,
    )
    const { items, next } = await runs.page()
    assert.deepEqual(
      items.map(({ id }) => id),
      made.slice(0, 2),
    )
    assert.ok(next)
    const second = await client.runs.list({ session: 'list', limit: 2, cursor: next }).page()
    assert.deepEqual(
      second.items.map(({ id }) => id),
      made.slice(2, 4),
    )
    assert.deepEqual(await gather(client.runs.list({ session: 'list', status: 'failed' })), [])
    assert.deepEqual(
      (await gather(client.sessions.runs('list'))).map(({ id }) => id),
      made,
    )
  },

  'a session remembers, is listed, and goes': async ({ client }) => {
    const { id } = await client.sessions.create()
    assert.equal((await client.sessions.say(id, 'One', { agent: 'guide' })).text, 'You said: One')
    await client.sessions.say(id, 'Two')
    const said = (await gather(client.sessions.messages(id))).map(textOf)
    assert.deepEqual(said, ['One', 'You said: One', 'Two', 'You said: Two'])
    assert.equal((await client.sessions.get(id)).user, 'ada')
    assert.equal((await gather(client.sessions.branches(id))).length, 1)
    assert.deepEqual((await client.sessions.todos(id)).todos, [])
    await client.sessions.undo(id)
    assert.deepEqual((await gather(client.sessions.messages(id))).map(textOf), said.slice(0, 2))
    assert.ok((await gather(client.sessions.list())).some((session) => session.id === id))
    await client.sessions.delete(id)
    await assert.rejects(client.sessions.get(id), code('unknown_session'))
    assert.equal((await client.sessions.create({ id })).id, id)
  },

  'a turn can be watched and awaited': async ({ client }) => {
    const turn = client.sessions.stream('watched', 'Hello')
    const events = await gather(turn)
    assert.equal(deltas(events), 'You said: Hello')
    const result = await turn.result()
    assert.equal(result.run, (await turn.run).id)
    assert.equal(result.session, 'watched')
  },

  'what needs a person waits for one, and the first answer wins': async ({ client }) => {
    const turn = client.sessions.stream('asking', 'remove logs')
    const events = await gather(turn)
    assert.equal(events.at(-1)?.type, 'run.waiting')
    const waiting = await turn.result()
    assert.equal(waiting.status, 'waiting')
    const { id: run } = await turn.run
    const open = (await gather(client.interactions.list({ agent: 'guide' }))).filter((each) => each.run === run)
    assert.equal(open.length, 1)
    const [interaction = assert.fail()] = open
    assert.deepEqual(interaction.input, { what: 'logs' })
    await assert.rejects(client.interactions.answer(interaction.id, { choice: 'x' }, { run }), code('invalid_answer'))
    assert.equal((await client.interactions.answer(interaction.id, 'approve', { run })).id, run)
    const after = numbers(events).at(-1) ?? 0
    const rest = await gather(client.runs.events(run, { after, until: 'settled' }))
    assert.deepEqual(numbers(rest), from(after + 1, numbers(rest).length))
    assert.equal((await client.runs.result(run)).text, 'Then: logs is gone')
    await assert.rejects(client.interactions.answer(interaction.id, 'deny', { run }), code('unknown_interaction'))
  },

  'a live run is steered, and goes on': async (desk) => {
    const { id } = await holding(desk)
    await desk.client.runs.steer(id, 'And now?')
    const result = desk.client.runs.result(id)
    desk.release()
    assert.equal((await result).text, 'You said: And now?')
    await assert.rejects(desk.client.runs.steer(id, 'Too late'), code('invalid_transition'))
  },

  'a run is paused and goes on': async (desk) => {
    const { client } = desk
    const { id } = await holding(desk)
    await client.runs.pause(id)
    desk.release()
    for await (const { type } of client.runs.events(id)) if (type === 'run.paused') break
    assert.equal((await client.runs.get(id)).status, 'paused')
    await client.runs.resume(id)
    assert.equal((await client.runs.result(id)).text, 'Then: let go')
  },

  'cancel resolves when the work has stopped': async (desk) => {
    const { id } = await holding(desk)
    const watching = gather(desk.client.runs.events(id))
    assert.equal((await desk.client.runs.cancel(id)).status, 'cancelled')
    assert.equal((await watching).findLast(({ seq }) => seq !== undefined)?.type, 'run.cancelled')
    assert.equal((await desk.client.runs.result(id)).status, 'cancelled')
    assert.equal((await desk.client.runs.cancel(id)).status, 'cancelled', 'again')
    desk.release()
  },

  'a failed run rejects with its error and what there is, and can be tried again': async ({ client }) => {
    const { id } = await client.runs.create({ input: 'fail please' })
    await assert.rejects(client.runs.result(id), (error: TellurionError) => {
      assert.equal(error.code, 'model_validation')
      assert.deepEqual(error.result, { ...(error.result as object), run: id, status: 'failed', text: '', usage })
      return true
    })
    const { events } = await client.runs.get(id)
    assert.equal((await client.runs.retry(id)).id, id)
    await assert.rejects(client.runs.result(id), code('model_validation'))
    assert.ok((await client.runs.get(id)).events > events)
  },

  'its past can be looked at, gone on from, and put back': async ({ client }) => {
    const { run, text } = await client.sessions.say('past', 'First')
    assert.equal(text, 'You said: First')
    const { first, last } = await client.runs.ticks(run)
    assert.ok(last >= first)
    assert.deepEqual(await client.runs.label(run, { label: 'good', tick: last }), { run, label: 'good', tick: last })
    assert.deepEqual((await client.runs.ticks(run)).labels, { good: last })
    const { world } = await client.runs.tick(run, 'good')
    assert.ok('Conversation' in world.components)
    assert.deepEqual((await client.runs.tick(run, last)).world, world)
    const { changes } = await client.runs.difference(run, { from: first - 1, to: 'good' })
    assert.ok(changes.some(({ component }) => component === 'Conversation') || first === last)

    const forked = await client.runs.fork(run, { tick: 'good', input: 'Elsewhere' })
    assert.deepEqual(forked.outsideEffects, [])
    assert.equal((await client.runs.result(forked.id)).text, 'You said: Elsewhere')

    const [mine = assert.fail()] = await gather(client.runs.messages(run))
    const edited = await client.runs.edit(run, mine.id, { input: 'Second' })
    assert.equal((await client.runs.result(edited.id)).text, 'You said: Second')
    const [, reply = assert.fail()] = await gather(client.runs.messages(edited.id))
    const anew = await client.runs.regenerate(edited.id, reply.id)
    assert.equal((await client.runs.result(anew.id)).text, 'You said: Second')
    assert.deepEqual(await client.runs.undo(anew.id, { ticks: 1 }), { outsideEffects: [] })
    await assert.rejects(client.runs.tick(run, 10_000), code('unknown_tick'))
  },

  'a tick is carried elsewhere, and goes on there': async ({ client }) => {
    const { run } = await client.sessions.say('origin', 'First')
    const checkpoint = await client.runs.export(run)
    assert.equal(checkpoint.run?.agent, 'guide')
    assert.deepEqual(await client.runs.export(run, { tick: checkpoint.snapshot.header.tick }), checkpoint)
    const gone = await client.runs.import({ checkpoint, session: 'elsewhere', input: 'And on' })
    assert.equal((await client.runs.result(gone.id)).text, 'You said: And on')
    assert.equal((await gather(client.sessions.messages('elsewhere'))).length, 4)
    await assert.rejects(client.runs.import({ checkpoint, session: 'elsewhere' }), code('duplicate_name'))
  },

  'agents and tools are listed, and tools called by hand': async ({ client }) => {
    assert.deepEqual(await gather(client.agents.list()), [{ name: 'guide', tools: ['hold', 'remove'] }])
    const tools = await gather(client.tools.list())
    assert.deepEqual(
      tools.map(({ name, agents }) => [name, agents]),
      [
        ['hold', ['guide']],
        ['remove', ['guide']],
      ],
    )
    const call = { tool: 'remove', arguments: { what: 'it' } }
    await assert.rejects(client.tools.call(call), code('tool_denied'))
    const { content, isError } = await client.tools.call({ ...call, approved: true })
    assert.deepEqual([content, isError], ['it is gone', false])
    await assert.rejects(client.tools.call({ tool: 'nothing' }), code('unknown_tool'))
  },

  'the server tells how it is': async ({ client }) => {
    const { status, version } = await client.health()
    assert.deepEqual([status, version], ['ok', '9.9.9'])
    assert.equal(typeof (await client.stats()).runs.succeeded, 'number')
    assert.ok((await client.limits()).some(({ name, limit }) => name === 'body' && limit === 1_048_576))
    assert.equal(typeof (await client.metrics()), 'object')
  },

  'what somebody may not do or see is refused by its code': async ({ client, reader, baseURL, server }) => {
    const { id } = await client.runs.create({ input: 'Mine' })
    await assert.rejects(reader.runs.get(id), code('unknown_run'))
    await assert.rejects(reader.runs.create({ input: 'Hello' }), code('forbidden'))
    await assert.rejects(gather(reader.runs.events(id)), code('unknown_run'))
    await assert.rejects(client.runs.create({ input: '' }), code('invalid_request'))
    await assert.rejects(client.runs.create({ input: 'Hi', agent: 'giude' }), code('unknown_agent'))
    const stranger = createClient({ baseURL, token: 'x'.repeat(20), fetch: (request) => server.handle(request) })
    await assert.rejects(stranger.runs.list().page(), code('unauthenticated'))
  },

  'waiting can be given up, and cancels nothing': async (desk) => {
    const { client } = desk
    const { id } = await holding(desk)
    const controller = new AbortController()
    const { signal } = controller
    const reason = new Error('enough')
    const waits = [client.runs.result(id, { signal }), gather(client.runs.events(id, { signal }))]
    const refused = waits.map((wait) => assert.rejects(wait, reason))
    await client.runs.get(id)
    controller.abort(reason)
    await Promise.all(refused)
    assert.equal((await client.runs.get(id)).status, 'running')
    desk.release()
    assert.equal((await client.runs.result(id)).status, 'succeeded')
  },
}

for (const way of ['handle', 'socket'] as const) {
  describe(`a client, ${way === 'handle' ? 'in the process of the server' : 'over a socket'}`, () => {
    let desk: ClientDesk
    before(async () => {
      desk = await openDesk(way)
    })
    after(() => desk.close())
    for (const [name, show] of Object.entries(behaviours)) test(name, () => show(desk))
  })
}

test('a reader goes on through a server that is stopped and started again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tellurion-client-'))
  const store = () => sqlite(join(folder, 'runs.db'))
  try {
    const first = await openDesk('socket', { store: store() })
    const { client } = first
    const run = await holding(first)
    const seen: EventResource[] = []
    const reading = (async (): Promise<void> => {
      for await (const event of client.runs.events(run.id)) seen.push(event)
    })()
    const result = client.runs.result(run.id)
    await first.close()
    const second = await openDesk('socket', { store: store(), port: Number(new URL(first.baseURL).port) })
    await second.held()
    second.release()
    await reading
    assert.equal((await result).text, 'Then: let go')
    assert.deepEqual(numbers(seen), from(1, (await client.runs.get(run.id)).events))
    await second.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
