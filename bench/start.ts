// Starting: wall time of a program in a fresh process, over that of an empty one.

import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { median } from './measure.ts'
import type { Scale } from './workload/workload.ts'

/** Milliseconds that `program` takes longer than a process that does nothing; one after the other, in turns. */
export async function measureStart(program: string, scale: Scale): Promise<number> {
  const empty = join(dirname(program), 'empty.mjs')
  writeFileSync(empty, '')
  await wall(program)
  const rounds = scale.quick ? 5 : 12
  const over: number[] = []
  for (let round = 0; round < rounds; round++) {
    const nothing = await wall(empty)
    over.push((await wall(program)) - nothing)
  }
  return median(over)
}

async function wall(program: string): Promise<number> {
  const start = performance.now()
  const child = spawn(process.execPath, [program], { stdio: 'ignore' })
  const code = await new Promise((resolve) => child.once('exit', resolve))
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}`)
  return performance.now() - start
}
