// A program that dies by `kill -9` while its sandboxes start, work and stand still: nobody whom they held outlives it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { sleep, systemClock } from '../clock/clock.ts'
import { createSandbox } from './sandbox.ts'

const program = (marker: string): string => `
import { createSandbox } from ${JSON.stringify(new URL('./sandbox.ts', import.meta.url).href)}
const sandbox = await createSandbox()
const still = await sandbox.session('bash')
await still.run({ code: 'setsid bash -c "while :; do :; done" ${marker} >/dev/null 2>&1 & sleep 0.05' })
const atWork = await sandbox.session('bash')
void atWork.run({ code: 'setsid bash -c "sleep 600; :" ${marker} & echo begun; sleep 600', onOutput: () => console.log('ready') })
void sandbox.session('bash')
`

const marked = (marker: string): readonly string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`\0${marker}\0`)
    } catch {
      return false
    }
  })

test('nobody outlives a killed program', { timeout: 120_000 }, async (t) => {
  const { level } = await createSandbox()
  if (level !== 'full' && level !== 'weak-limits')
    return t.skip(`the sandbox is ${level}; apt-get install bubblewrap python3`)
  const marker = `survivor-${process.pid}-${systemClock.now()}`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program(marker)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const comeTo = async (count: number): Promise<number> => {
    for (let tries = 0; tries < 3000 && marked(marker).length !== count; tries++)
      await sleep(20, { clock: systemClock })
    return marked(marker).length
  }
  try {
    await once(child.stdout, 'data')
    assert.equal(await comeTo(2), 2, 'one stands still and one works')
  } finally {
    child.kill('SIGKILL')
  }
  await once(child, 'exit')
  assert.equal(await comeTo(0), 0)
})
