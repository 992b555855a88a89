// What is promised of lists: newest first, by filter, page behind page, and counted as they are.

import { noRuns } from '../runtime/run.ts'
import type { BackendCase } from './backend-bench.ts'
import { begin, draftCommit, draftRun, same } from './run-store-draft.ts'

const done = { to: 'succeeded', stopReason: 'stop' } as const

/** The behaviours of lists. */
export const listBehaviour: readonly BackendCase[] = [
  {
    name: 'sessions are listed newest first, page behind page, named ones alone where asked',
    async run(bench) {
      const { store } = await bench.open()
      for (const id of ['a', 'b', 'c', 'd']) await store.createRun(draftRun(id, { ownSession: id === 'c' }))
      await store.createRun(draftRun('e', { user: 'bob' }))
      const list = async (filter: Parameters<typeof store.listSessions>[0]): Promise<string[]> =>
        (await store.listSessions(filter)).map(({ id }) => id)
      same(await list({}), ['s-e', 's-d', 's-c', 's-b', 's-a'], 'all')
      same(await list({ named: true, user: 'ada' }), ['s-d', 's-b', 's-a'], 'named ones of ada')
      same(await list({ named: true, user: 'ada', limit: 2 }), ['s-d', 's-b'], 'a page')
      same(await list({ named: true, user: 'ada', limit: 2, before: 's-b' }), ['s-a'], 'the next page')
      same(await list({ before: 's-a' }), [], 'behind the last')
      same(await list({ before: 's-nowhere' }), [], 'behind one that is not there')
    },
  },
  {
    name: 'runs are counted by status, sessions as they are',
    async run(bench) {
      const { store } = await bench.open()
      same(await store.count(), { runs: noRuns, sessions: 0 }, 'an empty store')
      for (const id of ['a', 'b', 'c']) await begin(store, id)
      await store.createRun(draftRun('d', { session: 's-a' }))
      await store.commit(draftCommit((await store.getRun('b'))!, { seq: 0, end: done }))
      same(await store.count(), { runs: { ...noRuns, queued: 1, running: 2, succeeded: 1 }, sessions: 3 }, 'counts')
      await store.deleteSession('s-b')
      same(await store.count(), { runs: { ...noRuns, queued: 1, running: 2 }, sessions: 2 }, 'after a deletion')
    },
  },
]
