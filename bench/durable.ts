// What the durable workloads share: a folder that goes when the cell is done, a floor of plain SQLite with the same modes
// as ours, runs of functions, and worker processes.

import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createRuntime, type AgentRuntime, type RunContext, type Runtime } from 'tellurion/runtime'
import { sqlite } from 'tellurion/sqlite'

/** How safe a commit is: `full` survives the loss of power, `normal` that of the process. */
export type Mode = 'full' | 'normal'

/** Runs `use` with a folder on a real disk, and removes it. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'tellurion-bench-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A plain SQLite file, set as ours is. */
export function plainSqlite(path: string, mode: Mode, tables: string): DatabaseSync {
  const sqlite = new DatabaseSync(path)
  sqlite.exec(`PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 4096`)
  sqlite.exec(`PRAGMA synchronous = ${mode}; ${tables}`)
  return sqlite
}

/** Opens a runtime on `path` that works on runs of one agent, `bench`, at most `maxConcurrent` at a time; 0 for none. */
export function openRuntime(
  path: string,
  { mode, maxConcurrent, run }: { mode: Mode; maxConcurrent: number; run: (context: RunContext) => Promise<void> },
): Promise<Runtime> {
  const agent: AgentRuntime = {
    key: 'bench',
    async run(context) {
      await run(context)
      return { output: null }
    },
  }
  const share = maxConcurrent === 0 ? { work: false } : { maxConcurrent }
  return createRuntime({ store: sqlite(path, { synchronous: mode }), agents: [agent], ...share })
}

/** Bytes that a file takes when its log has been moved into it. */
export function fileBytes(path: string): number {
  const file = new DatabaseSync(path)
  file.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const number = (name: string): number => Number(Object.values(file.prepare(`PRAGMA ${name}`).get()!)[0])
  const bytes = number('page_count') * number('page_size')
  file.close()
  return bytes
}

/** A process that runs `script` in this folder and says when it is ready. */
export async function startProcess(script: string, args: readonly string[]): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, script), args, {
    execArgv: ['--conditions=@tellurion/source'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  child.setMaxListeners(0)
  await heard(child, 'ready')
  return child
}

/** Resolves with the next message of a type from a process. */
export function heard<T>(child: ChildProcess, type: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const listen = (message: unknown): void => {
      if (typeof message !== 'object' || message === null || !('type' in message) || message.type !== type) return
      child.off('message', listen)
      child.off('exit', gone)
      resolve(message as T)
    }
    const gone = (): void => reject(new Error(`A process ended before it said '${type}'.`))
    child.on('message', listen)
    child.once('exit', gone)
  })
}

/** Lets processes end, and waits for it. */
export async function endProcesses(children: readonly ChildProcess[]): Promise<void> {
  const ends = children.map((child) => new Promise((resolve) => child.once('exit', resolve)))
  for (const child of children) child.send({ type: 'end' })
  await Promise.all(ends)
}

/** The value below which `share` of the values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}
