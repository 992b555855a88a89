import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { loadConfig } from '../config/load.ts'
import { openLog } from './log-choice.ts'

const folder = mkdtempSync(join(tmpdir(), 'log-choice-'))
after(() => rmSync(folder, { recursive: true }))

let count = 0

/** Logs one line of each level; what came into the file and on standard error. */
async function logged(env: Record<string, string>, debug = false): Promise<{ file: string[]; stderr: string[] }> {
  const path = join(folder, `l${++count}`, 'agent.log')
  const loaded = await loadConfig({ env: { LOG_FILE: path, ...env }, folder })
  let stderr = ''
  const host = { stderr: { write: (text: string) => (stderr += text) } }
  const { log, close } = openLog(loaded, host, { debug })
  const run = log.with({ runId: 'r1' })
  for (const level of ['debug', 'info', 'warn', 'error'] as const) run[level](`a ${level}`)
  close()
  const linesOf = (text: string): string[] => text.split('\n').slice(0, -1)
  return { file: existsSync(path) ? linesOf(readFileSync(path, 'utf8')) : [], stderr: linesOf(stderr) }
}

describe('the log of a configuration', () => {
  test('goes to its file as JSON from info on, and to people from warnings on', async () => {
    const { file, stderr } = await logged({})
    assert.deepEqual(
      file.map((line) => JSON.parse(line)).map(({ level, message, runId }) => [level, message, runId]),
      [
        ['info', 'a info', 'r1'],
        ['warn', 'a warn', 'r1'],
        ['error', 'a error', 'r1'],
      ],
    )
    assert.deepEqual(
      stderr.map((line) => line.replace(/^\S+ /, '')),
      ['WARN  a warn runId=r1', 'ERROR a error runId=r1'],
    )
  })

  test('keeps to LOG_LEVEL and LOG_FORMAT', async () => {
    const { file } = await logged({ LOG_LEVEL: 'ERROR', LOG_FORMAT: 'text' })
    assert.deepEqual(
      file.map((line) => line.replace(/^\S+ /, '')),
      ['ERROR a error runId=r1'],
    )
  })

  test('holds everything, in both places, where it is debugged', async () => {
    const { file, stderr } = await logged({ LOG_LEVEL: 'error' }, true)
    assert.deepEqual([file.length, stderr.length], [4, 4])
  })

  test('goes to standard error alone where there is to be no file', async () => {
    const { file, stderr } = await logged({ LOG_FILE: 'none' })
    assert.deepEqual([file, stderr.length, JSON.parse(stderr[0] ?? '').message], [[], 3, 'a info'])
  })

  test('rotates', async () => {
    const path = join(folder, 'rotating', 'agent.log')
    const env = { LOG_FILE: path, LOG_MAX_SIZE: '1KB', LOG_MAX_FILES: '2' }
    const { log, close } = openLog(await loadConfig({ env, folder }), { stderr: { write: () => {} } })
    for (let index = 0; index < 100; index++) log.info(`line ${index}`)
    close()
    assert.deepEqual([existsSync(`${path}.1`), existsSync(`${path}.2`), existsSync(`${path}.3`)], [true, true, false])
  })

  test('says which setting is at fault when the file cannot be had', async () => {
    const path = join(folder, 'taken')
    mkdirSync(path)
    const loaded = await loadConfig({ env: { LOG_FILE: path }, folder })
    assert.throws(() => openLog(loaded, { stderr: { write: () => {} } }), {
      name: 'UsageError',
      message: /^LOG_FILE: The log file .*taken cannot be opened/,
    })
  })
})
