// What every implementation of the key-value port does: one list of cases that each backend runs.

import type { KeyScope, KeyValue } from '../port/key-value.ts'

/** A fresh store, and a way to let its time pass. */
export interface KeyValueBench {
  readonly keyValue: KeyValue
  advance(ms: number): Promise<void>
}

/** One behaviour. `run` rejects with what is wrong. */
export interface KeyValueCase {
  readonly name: string
  run(bench: KeyValueBench): Promise<void>
}

const project: KeyScope = { scope: 'project', owner: 'p1' }
const session: KeyScope = { scope: 'session', owner: 's1' }
const everyone: KeyScope = { scope: 'global', owner: '' }

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value)

function same(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`)
}

async function names(keyValue: KeyValue, options?: Parameters<KeyValue['list']>[1]): Promise<readonly string[]> {
  return (await keyValue.list(project, options)).map(({ name }) => name)
}

/** The behaviours. Each wants a bench of its own. */
export const keyValueBehaviour: readonly KeyValueCase[] = [
  {
    name: 'gives back the bytes that were set, exactly',
    async run({ keyValue }) {
      const all = Uint8Array.from({ length: 256 }, (_, index) => index)
      await keyValue.set(project, 'all', all)
      await keyValue.set(project, 'empty', new Uint8Array())
      same([...((await keyValue.get(project, 'all'))?.value ?? [])], [...all], 'all bytes')
      same((await keyValue.get(project, 'empty'))?.value.length, 0, 'no bytes')
      same(await keyValue.get(project, 'never'), undefined, 'a name never set')
    },
  },
  {
    name: 'keeps its own copy of the bytes',
    async run({ keyValue }) {
      const value = bytes('one')
      await keyValue.set(project, 'k', value)
      value.fill(0)
      same(text((await keyValue.get(project, 'k'))?.value), 'one', 'after the writer changed its array')
      ;(await keyValue.get(project, 'k'))?.value.fill(0)
      same(text((await keyValue.get(project, 'k'))?.value), 'one', 'after a reader changed its array')
    },
  },
  {
    name: 'keeps scopes and owners apart',
    async run({ keyValue }) {
      const other: KeyScope = { scope: 'project', owner: 'p2' }
      const twin: KeyScope = { scope: 'session', owner: 'p1' }
      const colon: KeyScope = { scope: 'session', owner: 's1:k' }
      const scopes = [everyone, project, other, session, twin, colon]
      for (const [index, scope] of scopes.entries()) await keyValue.set(scope, 'k', bytes(String(index)))
      for (const [index, scope] of scopes.entries()) {
        same(text((await keyValue.get(scope, 'k'))?.value), String(index), `${scope.scope}/${scope.owner}`)
      }
      await keyValue.delete(project, 'k')
      same(await keyValue.get(project, 'k'), undefined, 'the deleted one')
      same(text((await keyValue.get(twin, 'k'))?.value), '4', 'its twin')
    },
  },
  {
    name: 'takes any text as a name',
    async run({ keyValue }) {
      const odd = ['__proto__', 'constructor', "a'b", 'a"b', 'a/b', 'a:b', '%', '_', 'ü', '🌍', ' ', 'a\nb']
      for (const name of odd) await keyValue.set(project, name, bytes(name))
      for (const name of odd) same(text((await keyValue.get(project, name))?.value), name, JSON.stringify(name))
      same((await names(keyValue)).length, odd.length, 'how many are listed')
    },
  },
  {
    name: 'raises the version with every write, also after a delete',
    async run({ keyValue }) {
      const first = (await keyValue.set(project, 'k', bytes('1'))) ?? 0
      const second = (await keyValue.set(project, 'k', bytes('2'))) ?? 0
      same(second > first && first > 0, true, 'the second version is higher')
      same((await keyValue.get(project, 'k'))?.version, second, 'the version read')
      await keyValue.delete(project, 'k')
      same(((await keyValue.set(project, 'k', bytes('3'))) ?? 0) > second, true, 'the version after a delete is higher')
    },
  },
  {
    name: 'writes only over the version that was named',
    async run({ keyValue }) {
      same(await keyValue.set(project, 'k', bytes('x'), { ifVersion: 7 }), undefined, 'a version that is not there')
      same(await keyValue.get(project, 'k'), undefined, 'nothing was written')
      const first = (await keyValue.set(project, 'k', bytes('1'), { ifVersion: 0 })) ?? 0
      same(await keyValue.set(project, 'k', bytes('x'), { ifVersion: 0 }), undefined, '0 when it exists')
      const second = await keyValue.set(project, 'k', bytes('2'), { ifVersion: first })
      same(second === undefined, false, 'the right version')
      same(await keyValue.set(project, 'k', bytes('x'), { ifVersion: first }), undefined, 'the old version')
      same(text((await keyValue.get(project, 'k'))?.value), '2', 'what is stored')
    },
  },
  {
    name: 'lets one of many concurrent compare-and-set writers win each round',
    async run({ keyValue }) {
      const increment = async (): Promise<void> => {
        for (;;) {
          const entry = await keyValue.get(project, 'n')
          const next = bytes(String(Number(text(entry?.value) ?? '0') + 1))
          if ((await keyValue.set(project, 'n', next, { ifVersion: entry?.version ?? 0 })) !== undefined) return
        }
      }
      await Promise.all(Array.from({ length: 20 }, increment))
      same(text((await keyValue.get(project, 'n'))?.value), '20', 'the sum')
    },
  },
  {
    name: 'says whether it deleted something',
    async run({ keyValue }) {
      await keyValue.set(project, 'k', bytes('1'))
      same(await keyValue.delete(project, 'k'), true, 'one that is there')
      same(await keyValue.delete(project, 'k'), false, 'one that is gone')
      same(await names(keyValue), [], 'what is listed')
    },
  },
  {
    name: 'lets entries lapse at the end of their time, for every method',
    async run({ keyValue, advance }) {
      await keyValue.set(project, 'short', bytes('1'), { ttl: 1_000 })
      await keyValue.set(project, 'long', bytes('2'), { ttl: 60_000 })
      await keyValue.set(project, 'ever', bytes('3'))
      same(typeof (await keyValue.get(project, 'short'))?.expires, 'number', 'expires of one with a time')
      same((await keyValue.get(project, 'ever'))?.expires, undefined, 'expires of one without')
      await advance(999)
      same(await names(keyValue), ['ever', 'long', 'short'], 'just before')
      await advance(2)
      same(await keyValue.get(project, 'short'), undefined, 'get')
      same(await names(keyValue), ['ever', 'long'], 'list')
      same(await keyValue.delete(project, 'short'), false, 'delete')
      same((await keyValue.set(project, 'short', bytes('4'), { ifVersion: 0 })) === undefined, false, 'set anew')
    },
  },
  {
    name: 'forgets the old time when it is written without one',
    async run({ keyValue, advance }) {
      await keyValue.set(project, 'k', bytes('1'), { ttl: 1_000 })
      await keyValue.set(project, 'k', bytes('2'))
      await advance(5_000)
      same(text((await keyValue.get(project, 'k'))?.value), '2', 'the entry')
    },
  },
  {
    name: 'lists by prefix, in order, in pages',
    async run({ keyValue }) {
      for (const name of ['b/2', 'a', 'b/10', 'b', 'c', 'b/1', 'b%']) await keyValue.set(project, name, bytes(name))
      same(await names(keyValue), ['a', 'b', 'b%', 'b/1', 'b/10', 'b/2', 'c'], 'all')
      same(await names(keyValue, { prefix: 'b/' }), ['b/1', 'b/10', 'b/2'], 'with a prefix')
      same(await names(keyValue, { limit: 2 }), ['a', 'b'], 'the first page')
      same(await names(keyValue, { after: 'b', limit: 2 }), ['b%', 'b/1'], 'the second page')
      same(await names(keyValue, { prefix: 'b/', after: 'b/1' }), ['b/10', 'b/2'], 'a prefix and a place')
      same(await names(keyValue, { prefix: 'z' }), [], 'a prefix of nothing')
    },
  },
]
