// What is promised of accounts: a run's allowance is lent with its creation and settled with its end, whoever ends it,
// and what two ask for at one time is never lent twice.

import { noAmounts } from '../runtime/account.ts'
import type { NewRun, RunStore } from '../runtime/run-store.ts'
import type { BackendCase } from './backend-bench.ts'
import { begin, draftCommit, draftRun, same } from './run-store-draft.ts'

const ada = { id: 'user.ada', limits: { tokens: 100 } }

function asking(id: string, tokens: number, more: Partial<NewRun> = {}): NewRun {
  return draftRun(id, { limits: { tokens }, accounts: [ada], ...more })
}

async function tokensOf(store: RunStore, id = ada.id): Promise<readonly [number, number]> {
  const account = await store.getAccount(id)
  return [account?.spent.tokens ?? 0, account?.lent.tokens ?? 0]
}

/** The behaviours of accounts. */
export const accountBehaviour: readonly BackendCase[] = [
  {
    name: 'many that ask at one time get together what the account has, and no more',
    async run(bench) {
      const first = await bench.open()
      const stores = [first.store, (await bench.join?.(first))?.store ?? first.store]
      const made = await Promise.all(
        Array.from({ length: 50 }, (_, index) => stores[index % 2]!.createRun(asking(`r${index}`, 7))),
      )
      const granted = made.flatMap((each) => ('run' in each ? [each.run.limits?.tokens ?? 0] : []))
      same(
        granted.reduce((sum, tokens) => sum + tokens, 0),
        100,
        'tokens lent',
      )
      same(granted.length, 15, 'runs created')
      same(await tokensOf(stores[0]!), [0, 100], 'spent and lent')
      const refused = made.find(({ status }) => status === 'budget')
      same(refused !== undefined && 'refused' in refused && refused.refused.account, ada.id, 'the account that refused')
      same(await stores[1]!.getRun('r49'), undefined, 'a run that was refused')
      same(await stores[1]!.getSession('s-r49'), undefined, 'its session')
    },
  },
  {
    name: 'the end of a run settles: what was spent is spent, the rest comes back; in a refused commit nothing is',
    async run(bench) {
      const { store } = await bench.open()
      const run = await begin(store, 'r', { limits: { tokens: 60 }, accounts: [ada] })
      same(run.limits, { tokens: 60 }, 'the allowance')
      const end = { to: 'succeeded', stopReason: 'idle', spent: { ...noAmounts, tokens: 25 } } as const
      const stale = await store.commit(draftCommit({ ...run, epoch: 0 }, { seq: 0, end }))
      same(stale.status, 'fenced', 'a zombie')
      same(await tokensOf(store), [0, 60], 'after the zombie')
      same((await store.commit(draftCommit(run, { seq: 0, end }))).status, 'committed', 'the end')
      same(await tokensOf(store), [25, 0], 'after the end')
      same((await store.commit(draftCommit(run, { seq: 1, end }))).status, 'fenced', 'a second end')
      same(await tokensOf(store), [25, 0], 'after a second end')
    },
  },
  {
    name: 'an end that does not say what was spent has spent all of it; a second try is lent anew',
    async run(bench) {
      const { store } = await bench.open()
      const run = await begin(store, 'r', { limits: { tokens: 40 }, accounts: [ada] })
      const error = { code: 'run_failed', message: 'no', retryable: false } as const
      await store.commit(draftCommit(run, { seq: 0, end: { to: 'failed', stopReason: 'failed', error } }))
      same(await tokensOf(store), [40, 0], 'after a failure')
      same(await store.retry('r', 1), 'queued', 'a retry')
      same(await tokensOf(store), [40, 40], 'after the retry')
      await store.createRun(asking('s', 20))
      const again = (await store.beginAttempt('r', { worker: 'w', now: 1, leaseUntil: 2 }))!
      await store.commit(
        draftCommit(
          { ...again, events: again.events },
          { seq: 1, end: { to: 'failed', stopReason: 'failed', error, spent: { ...noAmounts, tokens: 40 } } },
        ),
      )
      same(await store.retry('r', 2), 'budget', 'a retry with nothing left')
      same((await store.getRun('r'))?.status, 'failed', 'its status')
      const other = { id: 'user.eve', limits: { tokens: 30 } }
      same(await store.retry('r', 2, [other]), 'queued', 'a retry that draws on another account')
      same((await store.getAccount('user.eve'))?.lent.tokens, 30, 'which lends what it has')
      same((await store.getRun('r'))?.accounts, [other], 'the accounts of the run')
    },
  },
  {
    name: 'parking settles nothing, and the same key is lent once',
    async run(bench) {
      const { store } = await bench.open()
      const run = await begin(store, 'r', { limits: { tokens: 40 }, accounts: [ada], idempotencyKey: 'k' })
      same((await store.createRun(asking('twin', 40, { idempotencyKey: 'k' }))).status, 'known', 'the twin')
      await store.commit(draftCommit(run, { seq: 0, end: { to: 'waiting' } }))
      same(await tokensOf(store), [0, 40], 'spent and lent')
    },
  },
  {
    name: 'a run draws on all of its accounts or on none',
    async run(bench) {
      const { store } = await bench.open()
      const acme = { id: 'tenant.acme', limits: { tokens: 10 } }
      await store.createRun(asking('r', 60, { accounts: [ada, acme] }))
      same((await store.getRun('r'))?.limits, { tokens: 10 }, 'what both have')
      same((await store.createRun(asking('s', 60, { accounts: [ada, acme] }))).status, 'budget', 'the second')
      same(await tokensOf(store), [0, 10], 'of the user')
      same(await tokensOf(store, acme.id), [0, 10], 'of the tenant')
    },
  },
  {
    name: 'accounts of a time that is over are forgotten with it',
    async run(bench) {
      const { store } = await bench.open()
      await store.createRun(
        asking('r', 60, {
          accounts: [
            { ...ada, ends: 1000 },
            { id: 'user.b', limits: {} },
          ],
        }),
      )
      await store.gc({ before: 1000, limit: 10 })
      same(await tokensOf(store), [0, 60], 'at its end')
      await store.gc({ before: 1001, limit: 10 })
      same(await store.getAccount(ada.id), undefined, 'after it')
      same((await store.getAccount('user.b'))?.lent.tokens, 60, 'one without end')
    },
  },
]
