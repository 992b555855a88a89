// What is promised of the turns on a branch: one run after another, and one that is cancelled leaves the line.

import type { RunStore } from '../runtime/run-store.ts'
import type { BackendCase } from './backend-bench.ts'
import { begin, beginAgain, draftCommit, draftRun, finish, itemsOfState, refused, same } from './run-store-draft.ts'

/** The behaviours of turns on a branch. */
export const turnBehaviour: readonly BackendCase[] = [
  {
    name: 'runs of a branch go one after another',
    async run(bench) {
      const { store } = await bench.open()
      const claim = { worker: 'w', now: 9, leaseUntil: 3_000 }
      const first = await begin(store, 'first', { session: 's', newBranch: 'b' })
      await store.createRun(draftRun('second', { session: 's' }))
      await store.createRun(draftRun('third', { session: 's' }))
      same((await store.getRun('second'))?.branch, 'b', 'its branch')
      const blocked = async (id: string, what: string): Promise<void> =>
        same(await store.beginAttempt(id, { ...claim, any: true }), undefined, what)
      await blocked('second', 'while the first runs')
      await finish(store, first, { to: 'waiting' })
      await blocked('second', 'while the first waits')
      const again = await beginAgain(store, 'first')
      const failed = { to: 'failed', stopReason: 'failed' } as const
      await finish(store, again, failed)
      await blocked('third', 'before the second')
      const second = await beginAgain(store, 'second')
      same(await store.retry('first', 9), 'queued', 'another try for the first')
      await blocked('first', 'while the second runs')
      await finish(store, second)
      await blocked('first', 'before the third, which came earlier than the other try')
      await finish(store, await beginAgain(store, 'third'))
      same((await beginAgain(store, 'first', 9)).epoch, 3, 'then the first again')
      same((await store.getRun('second'))?.firstTick, 3, 'the first tick of the second')
    },
  },
  {
    name: 'a run behind others leaves their branch with its cancel, and takes its log along',
    async run(bench) {
      const { store, queue } = await bench.open()
      const cancel = (run: string, aside?: string): ReturnType<RunStore['send']> =>
        store.send({
          run,
          id: 'cancel',
          kind: 'cancel',
          payload: null,
          now: 5,
          ...(aside === undefined ? {} : { aside }),
        })
      const failed = await begin(store, 'failed', { session: 's', newBranch: 'b' })
      await store.commit(draftCommit(failed, { seq: 0, items: ['one', 'two'] }))
      await finish(store, failed, {
        to: 'failed',
        stopReason: 'x',
        error: { code: 'run_failed', message: 'x', retryable: false },
      })
      const first = await begin(store, 'first', { session: 's' })
      for (const id of ['second', 'third']) await store.createRun(draftRun(id, { session: 's' }))
      same(await store.retry('failed', 0), 'queued', 'another try')
      await refused(cancel('second', '../b'), ['invalid_option'], 'a bad id')
      same((await store.mail('second', 1)).length, 0, 'what a refused one leaves')
      await cancel('third')
      same((await store.getRun('third'))?.branch, 'b', 'the branch of one that nothing else was said for')
      await cancel('second', 'b2')
      await cancel('failed', 'b3')
      same((await store.listBranches('s')).length, 3, 'branches')
      const second = await beginAgain(store, 'second')
      same([second.branch, (await store.load('b2'))?.seq], ['b2', -1], 'its branch')
      await finish(store, second, { to: 'cancelled', stopReason: 'aborted' })
      const again = await beginAgain(store, 'failed')
      same([again.branch, again.events], ['b3', 2], 'the branch of one that had begun before')
      const state = await store.load('b3')
      same([state?.seq, state && itemsOfState(state)], [1, ['one', 'two']], 'what it goes on from')
      const end = { to: 'cancelled', stopReason: 'aborted' } as const
      const commit = draftCommit({ ...again }, { seq: 2, items: ['end'], end })
      same((await store.commit(commit)).status, 'committed', 'its end')
      for (const after of [0, 1, 2, 3]) {
        const events = await store.readEvents('failed', { after, limit: 10 })
        same(
          events.map(({ seq }) => seq),
          [1, 2, 3].filter((seq) => seq > after),
          `its events after ${after}`,
        )
      }
      await finish(store, first, { to: 'waiting' })
      same(await store.beginAttempt('third', { worker: 'w', now: 9, leaseUntil: 99 }), undefined, 'the other one')
      await queue.remove('third')
      same(await store.deleteSession('s'), 'live', 'under a live run')
    },
  },
]
