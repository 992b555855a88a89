// Importing a door does nothing: it reads no environment, starts nothing, listens to nothing, adds no global.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { doors } from '../gate/door.ts'
import { runCommand } from '../gate/program.ts'
import { root } from '../gate/source.ts'

/** Imports a module under watch, and prints what it did as JSON. */
const probe = `
  const url = process.argv[1]
  const state = () => ({
    globals: Reflect.ownKeys(globalThis).map(String),
    listeners: process.eventNames().map(String),
    resources: process.getActiveResourcesInfo(),
  })
  // What Node itself sets up on first use is not the module's doing.
  await Promise.all([import('data:text/javascript,'), import('node:http')])
  process.stdout.write('')
  const read = []
  // Node's own loader reads the environment too: only what a module reads counts.
  const note = (name) => new Error().stack.split('\\n')[3]?.includes('node:internal') || read.push(String(name))
  const watched = {
    get: (env, name) => (note(name), env[name]),
    has: (env, name) => (note(name), name in env),
    ownKeys: (env) => (note('*'), Reflect.ownKeys(env)),
  }
  const env = process.env
  const before = state()
  Object.defineProperty(process, 'env', { value: new Proxy(env, watched), configurable: true })
  await import(url)
  Object.defineProperty(process, 'env', { value: env })
  const after = state()
  // What zod notes on the global object, and ws reads of the environment, when they are loaded is their own doing.
  const added = (key) => after[key].filter((name) => !before[key].includes(name) && !name.startsWith('__zod_'))
  console.log(JSON.stringify([...[...read].filter((name) => !name.startsWith('WS_NO_')), ...added('globals'), ...added('listeners'), ...added('resources')]))
`

/** What importing a module did, by name. The process must end by itself: a timer or socket left open is a failure. */
async function traces(url: string): Promise<string[]> {
  const options = ['--conditions=@tellurion/source', '--input-type=module', '--eval', probe, url]
  const { code, stdout, stderr } = await runCommand(process.execPath, options, { timeout: 60_000 })
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

describe('importing does nothing', () => {
  for (const { specifier, path } of doors())
    test(specifier, async () => assert.deepEqual(await traces(pathToFileURL(join(root, path)).href), []))

  const naughty = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`
  const deeds: readonly [string, code: string][] = [
    ['LLM_MODEL', 'export const model = process.env.LLM_MODEL'],
    ['Timeout', 'setTimeout(() => {}, 10)'],
    ['SIGUSR2', "process.on('SIGUSR2', () => {})"],
    ['registry', 'globalThis.registry = new Map()'],
  ]
  for (const [name, code] of deeds)
    test(`a module that does not keep to it is caught: ${code}`, async () => {
      assert.ok((await traces(naughty(code))).includes(name))
    })
})
