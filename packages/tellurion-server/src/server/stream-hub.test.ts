import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { TellurionError } from 'tellurion'
import { createRuntime, memory, type RunContext, type RunEvent, type RunHandle, type Runtime } from 'tellurion/runtime'
import { macrotask } from 'tellurion/testing'
import { sleep, systemClock } from 'tellurion/world'
import { Outlet } from './outlet.ts'
import { StreamHub, type Watching } from './stream-hub.ts'
import { plainEvents, type Telling } from './telling.ts'
import { eventWire, type Wire } from './wire.ts'

const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected

/** A runtime with one run that does what the test says. */
async function stage() {
  const begun = Promise.withResolvers<RunContext>()
  const over = Promise.withResolvers<void>()
  const runtime = await createRuntime({
    store: memory(),
    agents: [
      {
        key: 'actor',
        run: async (context) => {
          begun.resolve(context)
          await over.promise
          return { output: 'The end.' }
        },
      },
    ],
  })
  const run = await runtime.submit('actor', 'Begin')
  const context = await begun.promise
  const hub = new StreamHub({ clock: systemClock, tick: 0 })
  /** Keeps so many events and resolves when they are in the log. */
  const keep = async (count: number, text = ''): Promise<void> => {
    for (let number = 0; number < count; number++) context.emit({ type: 'actor.did', number, text })
    await context.checkpoint(null)
  }
  return {
    runtime,
    run,
    hub,
    keep,
    live: (text: string) => context.emit({ type: 'text.delta', text }),
    end: over.resolve,
  }
}

/** One text a line. */
const lineWire: Wire = (pieces) => Buffer.from(pieces.map(({ text }) => `${text}\n`).join(''))

const linesOf = (bytes: Uint8Array): RunEvent[] =>
  Buffer.from(bytes)
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as RunEvent)

/** A client that reads everything at once, or as it is told. */
function client(options: { readonly most?: number; readonly lazy?: true } = {}) {
  const seen: RunEvent[] = []
  const state = { waiting: 0, held: 0, slow: 0, writes: 0 }
  const outlet: Outlet = new Outlet(
    {
      get waiting() {
        return state.waiting
      },
      write: (bytes) => {
        state.writes++
        seen.push(...linesOf(bytes))
        if (options.lazy !== true) return
        state.waiting += bytes.length
        state.held = Math.max(state.held, state.waiting)
      },
      cut: () => (state.waiting = 0),
    },
    { most: options.most ?? 1_048_576, onSlow: () => state.slow++ },
  )
  const take = (): void => {
    state.waiting = 0
    outlet.taken()
  }
  const numbers = (): number[] => seen.flatMap(({ seq }) => seq ?? [])
  return { seen, state, outlet, take, numbers }
}

const watch = (
  hub: StreamHub,
  run: RunHandle,
  { outlet, after = 0, telling = plainEvents }: { outlet: Outlet; after?: number; telling?: Telling },
): Promise<Watching> => hub.watch(run, { outlet, after, telling, wire: lineWire })

const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at)

/** Calls again and again; gives what ends that. */
function every(ms: number, fn: () => void): () => void {
  let stop = (): void => {}
  const again = (): void => {
    stop = systemClock.timer(ms, () => {
      fn()
      again()
    })
  }
  again()
  return () => stop()
}

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !holds(); turn++) await sleep(1)
  assert.ok(holds(), 'in time')
}

describe('the hub of streams', () => {
  const runtimes: Runtime[] = []
  const ends: (() => void)[] = []
  const open = async () => {
    const made = await stage()
    runtimes.push(made.runtime)
    ends.push(made.end)
    return made
  }
  after(async () => {
    for (const end of ends) end()
    await Promise.all(runtimes.map((runtime) => runtime.close()))
  })

  test('reads a run once for all who watch it, and tells everybody everything', async () => {
    const { run, hub, keep, live, end, runtime } = await open()
    let readers = 0
    const counted = {
      id: run.id,
      record: () => run.record(),
      log: (options?: { after?: number }) => run.log(options),
      events: (options?: { after?: number }) => {
        readers++
        return run.events(options)
      },
    } as RunHandle
    await keep(5)
    const clients = Array.from({ length: 100 }, () => client())
    const watchings = await Promise.all(clients.map(({ outlet }) => watch(hub, counted, { outlet })))
    live('a')
    await keep(5)
    live('b')
    await until(() =>
      clients.every(({ seen }) => seen.some((event) => event.type === 'text.delta' && event.text === 'b')),
    )
    end()
    await Promise.all(watchings.map(({ ended }) => ended))
    const { events } = await run.record()
    assert.equal(readers, 1)
    for (const { numbers, seen } of clients) {
      assert.deepEqual(numbers(), upTo(events))
      assert.equal(seen.at(-1)?.type, 'run.succeeded')
    }
    const texts = clients[0]!.seen.flatMap((event) => (event.type === 'text.delta' ? event.text : []))
    assert.deepEqual(texts, ['a', 'b'])
    assert.equal(hub.readers, 0)
    await runtime.close()
  })

  test('joins whoever comes late without a gap or a repetition, near and far behind', async () => {
    const { run, hub, keep, end } = await open()
    await keep(1000)
    const first = client()
    const watching = await watch(hub, run, { outlet: first.outlet, after: 990 })
    const late = await Promise.all(
      [0, 1, 64, 500, 745, 746, 990, 1001].map(async (after) => {
        const { outlet, numbers } = client()
        return { after, numbers, watching: await watch(hub, run, { outlet, after }) }
      }),
    )
    await keep(300)
    end()
    await Promise.all([watching.ended, ...late.map((each) => each.watching.ended)])
    const { events } = await run.record()
    assert.deepEqual(first.numbers(), upTo(events, 991))
    for (const { after, numbers } of late) assert.deepEqual(numbers(), upTo(events, after + 1), `after ${after}`)
    const ended = client()
    await (
      await watch(hub, run, { outlet: ended.outlet, after: 3 })
    ).ended
    assert.deepEqual(ended.numbers(), upTo(events, 4))
  })

  test('writes once a client and tick, the same bytes to all', async () => {
    const { run, hub, live, end } = await open()
    let made = 0
    const wire: Wire = (pieces) => {
      made++
      return lineWire(pieces)
    }
    const clients = [client(), client(), client()]
    const { events } = await run.record()
    for (const { outlet } of clients) await hub.watch(run, { outlet, after: events, telling: plainEvents, wire })
    await macrotask()
    const before = made
    for (let number = 0; number < 500; number++) live(`${number}`)
    await until(() => clients.every(({ seen }) => seen.length === 500))
    assert.equal(made - before, 1)
    assert.deepEqual(
      clients.map(({ state }) => state.writes),
      [1, 1, 1],
    )
    end()
  })

  test('survives 10,000 disconnects and resumes without a missing or repeated event', async () => {
    const { run, hub, keep, live, end } = await open()
    let disconnects = 0
    let seed = 7
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
    const read = async (): Promise<number[]> => {
      const numbers: number[] = []
      for (;;) {
        const { outlet, numbers: more } = client()
        const watching = await watch(hub, run, { outlet, after: numbers.length })
        const patience = Promise.withResolvers<undefined>()
        systemClock.timer(random(3), () => patience.resolve(undefined))
        let ended = false
        await Promise.race([watching.ended.then(() => (ended = true)), patience.promise])
        watching.stop()
        outlet.close()
        numbers.push(...more())
        if (ended) return numbers
        disconnects++
      }
    }
    const readers = Array.from({ length: 50 }, read)
    while (disconnects < 10_000) {
      live('x')
      await keep(random(20))
      await macrotask()
    }
    end()
    const all = await Promise.all(readers)
    const { events } = await run.record()
    for (const numbers of all) assert.deepEqual(numbers, upTo(events))
    assert.ok(events > 500)
    assert.equal(hub.readers, 0)
  })

  test('drops a client that takes nothing, at its bound, and hurts nobody else', async () => {
    const { run, hub, keep, end } = await open()
    const [stuck, quick] = [client({ lazy: true, most: 100_000 }), client()]
    const watching = await watch(hub, run, { outlet: stuck.outlet })
    const other = await watch(hub, run, { outlet: quick.outlet })
    for (let round = 0; round < 30; round++) await keep(10, 'x'.repeat(1000))
    await until(() => stuck.state.slow === 1)
    assert.ok(stuck.state.held <= 100_000 && stuck.state.held > 50_000, `${stuck.state.held}`)
    watching.stop()
    end()
    await other.ended
    assert.deepEqual(quick.numbers(), upTo((await run.record()).events))
  })

  test('waits for a client that is behind, instead of dropping it', async () => {
    const { run, hub, keep, end } = await open()
    for (let round = 0; round < 100; round++) await keep(10, 'x'.repeat(1000))
    const lazy = client({ lazy: true, most: 200_000 })
    const watching = await watch(hub, run, { outlet: lazy.outlet })
    await until(() => lazy.seen.length > 0)
    for (let turn = 0; turn < 20; turn++) await macrotask()
    assert.ok(lazy.seen.length < 300, `${lazy.seen.length} were read ahead`)
    const stopTaking = every(1, lazy.take)
    end()
    await watching.ended
    stopTaking()
    assert.equal(lazy.state.slow, 0)
    assert.ok(lazy.state.held < 200_000)
    assert.deepEqual(lazy.numbers(), upTo((await run.record()).events))
  })

  test('gives a burst in pieces, so that a client that reads is not dropped', async () => {
    const { run, hub, keep, end } = await open()
    const reader = client({ lazy: true, most: 400_000 })
    const watching = await watch(hub, run, { outlet: reader.outlet })
    const stopTaking = every(0, reader.take)
    await keep(2000, 'x'.repeat(1000))
    end()
    await watching.ended
    stopTaking()
    assert.equal(reader.state.slow, 0)
    assert.deepEqual(reader.numbers(), upTo((await run.record()).events))
  })

  test('refuses what is not there, and leaves nothing behind', async () => {
    const { run, hub, runtime } = await open()
    const { outlet } = client()
    await assert.rejects(watch(hub, runtime.run('run_gone'), { outlet }), code('unknown_run'))
    await assert.rejects(watch(hub, run, { outlet, after: 1000 }), code('invalid_request'))
    assert.equal(hub.readers, 0)
  })

  test('tells nothing more after stop and close', async () => {
    const { run, hub, keep } = await open()
    const [one, two] = [client(), client()]
    const watching = await watch(hub, run, { outlet: one.outlet })
    const other = await watch(hub, run, { outlet: two.outlet })
    await keep(3)
    await until(() => two.seen.length >= 5)
    watching.stop()
    assert.equal(await watching.ended, undefined)
    const told = one.seen.length
    await keep(3)
    await until(() => two.seen.length >= 8)
    assert.equal(one.seen.length, told)
    assert.equal(hub.readers, 1)
    hub.close()
    assert.equal(await other.ended, undefined)
    assert.equal(hub.readers, 0)
  })

  test('goes on with a run that was given another try', async () => {
    let tries = 0
    const runtime = await createRuntime({
      store: memory(),
      agents: [
        {
          key: 'actor',
          run: () => (++tries === 1 ? Promise.reject(new Error('no')) : Promise.resolve({ output: 'Yes.' })),
        },
      ],
    })
    runtimes.push(runtime)
    const run = await runtime.submit('actor', 'Try')
    await assert.rejects(run.result())
    const hub = new StreamHub({ clock: systemClock, tick: 0 })
    const lazy = client({ lazy: true })
    lazy.state.waiting = 100_000
    const watching = await watch(hub, run, { outlet: lazy.outlet })
    await run.retry()
    await run.result()
    lazy.take()
    await watching.ended
    assert.deepEqual(lazy.numbers(), upTo((await run.record()).events))
    assert.equal(lazy.seen.at(-1)?.type, 'run.succeeded')
  })

  test('makes bytes of what it tells', async () => {
    const { run, hub, end } = await open()
    let text = ''
    const outlet = new Outlet({ waiting: 0, write: (bytes) => (text += bytes), cut: () => {} }, { most: 1000 })
    const watching = await hub.watch(run, { outlet, after: 0, telling: plainEvents, wire: eventWire })
    end()
    await watching.ended
    assert.match(text, /^id: 1\ndata: \{"type":"run.started".*\}\n\nid: 2\n/)
  })
})
