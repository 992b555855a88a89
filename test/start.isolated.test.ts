// `npm start` as a person types it: it says where it listens and how to chat, and ends with 0 when it is told to.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { compileCache, root } from '../gate/source.ts'

const folder = mkdtempSync(join(tmpdir(), 'start-'))
after(() => rmSync(folder, { recursive: true }))

/** Nothing of the checkout's own data is touched. */
const elsewhere = {
  SERVER_PORT: '0',
  DATABASE_URL: `sqlite:${folder}/data/t.db`,
  LOG_FILE: join(folder, 'agent.log'),
  TELLURION_TOKEN_FILE: join(folder, 'token'),
  TELLURION_CONFIG: '',
}

test('npm start serves the demo agent until it is stopped', { skip: process.platform === 'win32' }, async () => {
  const inherited = Object.fromEntries(['PATH', 'HOME'].map((name) => [name, process.env[name] ?? '']))
  const child = spawn('npm', ['start'], {
    cwd: root,
    env: { ...inherited, ...compileCache, ...elsewhere },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  while (!stdout.includes('Ctrl-C ends')) await Promise.race([once(child.stdout, 'data'), ended])
  assert.match(stdout, /npx tellurion chat --server http:\S+\n/)
  const url = /listens on (http:\S+)/.exec(stdout)?.[1] ?? ''
  assert.equal((await fetch(`${url}/health`)).status, 200)
  const headers = { authorization: `Bearer ${readFileSync(join(folder, 'token'), 'utf8').trim()}` }
  assert.equal((await fetch(`${url}/api/v1/runs`, { headers })).status, 200)
  child.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
  await assert.rejects(fetch(`${url}/health`), 'the server outlived npm')
})

test('npm start answers the lines of a pipe, and ends with it', { skip: process.platform === 'win32' }, async () => {
  const inherited = Object.fromEntries(['PATH', 'HOME'].map((name) => [name, process.env[name] ?? '']))
  const child = spawn('npm', ['start'], {
    cwd: root,
    env: { ...inherited, ...compileCache, ...elsewhere },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stdin.end('what is 12*7?\n\nwhat is 2+3?')
  assert.deepEqual(await ended, [0, null])
  assert.match(stdout, /listens on http[^]*12\*7 = 84\.\n[^]*2\+3 = 5\.\n$/)
})
