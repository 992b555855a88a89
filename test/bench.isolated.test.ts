// The bench works: a small workload runs to its table, targets and baseline, and what got slower is said.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { baselineOf, slower } from '../bench/baseline.ts'
import { figure, medians, tableOf, verdicts } from '../bench/table.ts'
import type { Workload } from '../bench/workload/workload.ts'
import { runCommand } from '../gate/program.ts'
import { root } from '../gate/source.ts'

const folder = mkdtempSync(join(tmpdir(), 'bench-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const bench = (...args: string[]): ReturnType<typeof runCommand> =>
  runCommand(process.execPath, ['--conditions=@tellurion/source', 'bench/main.ts', ...args], { cwd: root })

describe('npm run bench', () => {
  test('measures a workload in fresh processes, and remembers it', async () => {
    const file = join(folder, 'baseline.json')
    const { code, stdout, stderr } = await bench('w14', '--quick', '--save', file)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^W14 fork a world/m)
    assert.match(stdout, /^ {2}tellurion +\d/m)
    assert.match(stdout, /^ {2}(ok|MISS) +tellurion: fork [\d.]+, target at most 2$/m)
    const { workload, cells } = JSON.parse(stdout.split('\n').find((line) => line.startsWith('{')) ?? '') as {
      workload: string
      cells: Record<string, Record<string, number>>
    }
    assert.equal(workload, 'w14')
    assert.ok((cells['tellurion']?.['fork'] ?? 0) > 0)
    const saved = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, Record<string, number>>>
    const now = saved['w14']?.['tellurion']?.['fork'] ?? 0
    assert.ok(now > 0)
    writeFileSync(file, JSON.stringify({ w14: { tellurion: { fork: now / 1000 } } }))
    const again = await bench('w14', '--quick', '--baseline', file)
    assert.equal(again.code, 1)
    assert.match(again.stdout, /Slower than the baseline:\n {2}w14 tellurion: fork was .+ × loop, is .+ × loop/)
  })

  test('names the workloads there are', async () => {
    const { code, stderr } = await bench('w99')
    assert.equal(code, 2)
    assert.match(stderr, /There is no workload w99; there are w1, w2, /)
  })

  test('has the workloads that the page of benchmarks runs by name, each under its own', () => {
    const page = readFileSync(join(root, 'docs/benchmarks.md'), 'utf8')
    const named = [...page.matchAll(/W(\d+), `npm run bench -- w\1`/g)].map(([, number]) => number)
    assert.ok(named.includes('16'), named.join())
    for (const number of named) {
      const source = readFileSync(join(root, `bench/workload/w${number}.ts`), 'utf8')
      assert.match(source, new RegExp(`title: 'W${number} `))
    }
  })
})

describe('figures', () => {
  const workload: Workload = {
    title: 'W0',
    metrics: [
      { name: 'time', unit: 'µs', better: 'lower', floor: 'loop' },
      { name: 'rate', unit: 'M/s', better: 'higher' },
    ],
    cells: {},
    targets: [
      { cell: 'ours', metric: 'time', over: 'loop', most: 2 },
      { cell: 'ours', metric: 'rate', least: 5 },
      { cell: 'nobody', metric: 'rate', least: 5 },
    ],
  }
  const results = (time: number, rate: number) =>
    new Map([
      ['loop', { time: 2, rate: 10 }],
      ['ours', { time, rate }],
    ])

  test('are medians, in about three digits, over their floor', () => {
    assert.deepEqual(medians([{ time: 3 }, { time: 1, rate: 4 }, { time: 2, rate: 6 }]), { time: 2, rate: 5 })
    assert.deepEqual([1234.5, 12.34, 1.234, 0.1234, 0].map(figure), ['1,235', '12.3', '1.23', '0.123', '0'])
    const lines = tableOf(workload, results(3, 7)).split('\n')
    assert.deepEqual(lines[3]?.trim().split(/\s+/), ['ours', '3.00', '1.50', '7.00'])
  })

  test('reach a target or miss it', () => {
    assert.deepEqual(
      verdicts(workload, results(3, 4)).map(({ reached }) => reached),
      [true, false],
    )
    assert.deepEqual(
      verdicts(workload, results(5, 6)).map(({ reached }) => reached),
      [false, true],
    )
  })

  test('are slower only past the tolerance, as ratios where there is a floor', () => {
    const old = { w0: baselineOf(workload, results(2, 10)) }
    const compare = (time: number, rate: number): string[] =>
      slower('w0', workload, { old, now: baselineOf(workload, results(time, rate)), tolerance: 0.3 })
    assert.deepEqual(compare(2.5, 8), [])
    assert.deepEqual(compare(1, 20), [])
    assert.deepEqual(compare(3, 10), ['w0 ours: time was 1.00 × loop, is 1.50 × loop'])
    assert.deepEqual(compare(2, 5), ['w0 ours: rate was 10.0, is 5.00'])
  })
})
