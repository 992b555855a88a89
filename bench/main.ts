// `npm run bench`: every workload, each cell in a fresh process, in shuffled order, several times, medians. Words choose
// workloads (`npm run bench -- w1 w4`); flags: --quick, --peers, --reps N, --save FILE, --baseline FILE, --tolerance 0.3.

import { spawn } from 'node:child_process'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { baselineOf, slower, type Baseline } from './baseline.ts'
import { medians, tableOf, verdicts } from './table.ts'
import type { Figures, Workload } from './workload/workload.ts'

const folder = import.meta.dirname
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    reps: { type: 'string' },
    save: { type: 'string' },
    baseline: { type: 'string' },
    tolerance: { type: 'string', default: '0.3' },
  },
})

/** A cell to be run: the command and where its figures belong. */
interface Job {
  readonly id: string
  readonly cell: string
  readonly script: string
}

const ids = globSync('w*.ts', { cwd: join(folder, 'workload') })
  .map((file) => basename(file, '.ts'))
  .filter((id) => /^w\d+$/.test(id))
  .toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)))

function chosenIds(): string[] {
  const unknown = positionals.filter((word) => !ids.includes(word))
  if (unknown.length === 0) return ids.filter((id) => positionals.length === 0 || positionals.includes(id))
  console.error(`There is no workload ${unknown.join(', ')}; there are ${ids.join(', ')}.`)
  process.exit(2)
}

/** The peers' cells of a workload, from `peers/<name>.mjs`. */
async function peerJobs(id: string): Promise<Job[]> {
  if (!existsSync(join(folder, 'peers/node_modules'))) {
    console.error('The peers are not installed: npm run bench:peers installs and measures them.')
    process.exit(2)
  }
  const { peers } = (await import(join(folder, 'peers/cell.mjs'))) as {
    peers: Record<string, readonly string[]>
  }
  const script = join(folder, 'peers/cell.mjs')
  return Object.entries(peers).flatMap(([cell, works]) => (works.includes(id) ? [{ id, cell, script }] : []))
}

async function runCell({ id, cell, script }: Job): Promise<Figures> {
  const args = ['--conditions=@tellurion/source', '--expose-gc', script, id, cell]
  const child = spawn(process.execPath, options.quick ? [...args, '--quick'] : args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 180_000,
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(errors.trim().split('\n').slice(-12).join('\n'))
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Figures
}

/** Fisher and Yates. */
function shuffle<T>(list: T[]): T[] {
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[list[last], list[other]] = [list[other]!, list[last]!]
  }
  return list
}

async function main(): Promise<void> {
  const old = options.baseline === undefined ? {} : (JSON.parse(readFileSync(options.baseline, 'utf8')) as Baseline)
  const kept: Record<string, Baseline[string]> = {}
  const worse: string[] = []
  for (const id of chosenIds()) {
    const { default: workload } = (await import(`./workload/${id}.ts`)) as { default: Workload }
    workload.prepare?.()
    const own = Object.keys(workload.cells).map((cell) => ({ id, cell, script: join(folder, 'cell.ts') }))
    const jobs: Job[] = options.peers ? [...own, ...(await peerJobs(id))] : own
    const usual = options.quick ? 1 : (workload.repetitions ?? 3)
    const figures = await runAll(jobs, Number(options.reps ?? usual))
    const results = new Map(
      jobs.flatMap(({ cell }) => (figures.has(cell) ? [[cell, medians(figures.get(cell)!)]] : [])),
    )
    console.log(tableOf(workload, results))
    for (const { text, reached } of verdicts(workload, results)) console.log(`  ${reached ? 'ok  ' : 'MISS'} ${text}`)
    console.log(JSON.stringify({ workload: id, cells: Object.fromEntries(results) }), '\n')
    kept[id] = baselineOf(workload, results)
    worse.push(...slower(id, workload, { old, now: kept[id], tolerance: Number(options.tolerance) }))
  }
  if (options.save !== undefined) writeFileSync(options.save, `${JSON.stringify(kept, undefined, 2)}\n`)
  if (options.baseline !== undefined) report(worse)
}

/** Every cell so many times, round by round in a new order. A cell that fails says why once and is left out. */
async function runAll(jobs: readonly Job[], repetitions: number): Promise<Map<string, Figures[]>> {
  const figures = new Map<string, Figures[]>()
  const broken = new Set<string>()
  for (let round = 0; round < repetitions; round++) {
    for (const job of shuffle([...jobs])) {
      if (broken.has(job.cell)) continue
      try {
        const measured = await runCell(job)
        figures.set(job.cell, [...(figures.get(job.cell) ?? []), measured])
      } catch (error) {
        broken.add(job.cell)
        figures.delete(job.cell)
        console.error(`${job.id} ${job.cell} failed: ${error instanceof Error ? error.message : String(error)}`)
        process.exitCode = 1
      }
    }
  }
  return figures
}

function report(worse: readonly string[]): void {
  if (worse.length === 0) console.log('Nothing is slower than the baseline.')
  else console.log(`Slower than the baseline:\n${worse.map((line) => `  ${line}`).join('\n')}`)
  if (worse.length > 0) process.exitCode = 1
}

await main()
