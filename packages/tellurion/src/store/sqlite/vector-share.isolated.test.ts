// Several processes write one file of vectors, one of them is killed: whoever reads sees whole documents, all of the
// time.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { macrotask } from '../../testing/virtual-clock.ts'
import { sqliteVectorStore } from './vector-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'tellurion-vector-share-'))
const path = join(folder, 'shared.db')
after(() => rmSync(folder, { recursive: true, force: true }))

const program = `
  import { sqliteVectorStore } from ${JSON.stringify(new URL('vector-store.ts', import.meta.url).href)}
  const [path, writer, rounds] = process.argv.slice(1)
  const store = await sqliteVectorStore(path, { synchronous: 'normal' })
  for (let round = 0; round < Number(rounds); round++) {
    const size = 1 + (round * 7 + Number(writer)) % 13
    const metadata = { version: writer + '.' + round, size }
    const items = Array.from({ length: size }, (_, index) => ({
      id: 'd' + writer + '#' + index, document: 'd' + writer, source: 's', text: 'word', vector: [1, index], metadata,
    }))
    await store.upsert(items, { replacing: ['d' + writer] })
  }
  await store.close()`

const environment = { ...process.env }
delete environment['NODE_TEST_CONTEXT']

function startWriter(writer: string, rounds: number): ChildProcess {
  const words = ['--conditions=@tellurion/source', '--input-type=module', '--eval', program, path, writer]
  return spawn(process.execPath, [...words, String(rounds)], {
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => void child.on('exit', (code) => resolve(code)))

test('processes that write, and one that is killed, never show a document in part', async () => {
  const store = await sqliteVectorStore(path, { synchronous: 'normal' })
  const rounds = 80
  const writers = ['1', '2'].map((name) => startWriter(name, rounds))
  const doomed = startWriter('3', 1_000_000)
  let running = writers.length
  for (const writer of writers) void ended(writer).then(() => running--)
  const last = ended(doomed)

  let looks = 0
  const seen = new Set<unknown>()
  const look = async (): Promise<void> => {
    for (const query of [{ vector: [1, 0] }, { text: 'word' }, { vector: [1, 0], text: 'word' }]) {
      for (const document of ['d1', 'd2', 'd3']) {
        const items = await store.search({ ...query, limit: 50, filter: { document: [document] } })
        const versions = new Set(items.map(({ metadata }) => metadata!['version']))
        assert.ok(versions.size <= 1, [...versions].join(' and '))
        if (items.length > 0) assert.equal(items.length, items[0]!.metadata!['size'])
        for (const version of versions) seen.add(version)
      }
    }
    looks++
  }
  while (running > 0 || looks < 40) {
    await look()
    if (looks === 20) doomed.kill('SIGKILL')
    await macrotask()
  }
  doomed.kill('SIGKILL')
  await last
  await look()
  assert.ok(seen.size > 5, `${looks} looks, ${seen.size} versions`)
  const sizes = (await store.documents()).map(({ document, items }) => [document, items])
  assert.deepEqual(sizes.slice(0, 2), [
    ['d1', 1 + (((rounds - 1) * 7 + 1) % 13)],
    ['d2', 1 + (((rounds - 1) * 7 + 2) % 13)],
  ])
  await store.close()
  const file = new DatabaseSync(path)
  assert.equal((file.prepare('PRAGMA integrity_check').get() as { integrity_check: string }).integrity_check, 'ok')
  file.close()
})
