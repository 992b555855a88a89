// Log files on a real disk, with writers in one process and in several, one of which is killed.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { createLog } from './log.ts'
import { createLogFile, type LogFileOptions } from './log-file.ts'

const root = mkdtempSync(join(tmpdir(), 'log-file-'))
after(() => rmSync(root, { recursive: true }))
const place = (): string => join(mkdtempSync(join(root, 'l-')), 'logs', 'agent.log')

/** All lines, the oldest first. A file that has two names, for its mover was killed in between, is read once. */
function linesOf(path: string): string[] {
  const folder = join(path, '..')
  const age = (name: string): number => Number(/\.(\d+)$/.exec(name)?.[1] ?? 0)
  const inode = (name: string): number => statSync(join(folder, name)).ino
  const names = readdirSync(folder).filter((name) => name.startsWith('agent.log') && !name.endsWith('.lock'))
  return [...new Map(names.map((name) => [inode(name), name])).values()]
    .sort((a, b) => age(b) - age(a))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))
}

/** Writes lines to a file of its own. */
function written(lines: readonly string[], options: LogFileOptions): string {
  const path = place()
  const file = createLogFile(path, options)
  for (const line of lines) file.write(line)
  file.close()
  return path
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index}`)

describe('a log file', () => {
  test('makes its folder, and goes on where it was', () => {
    const path = place()
    for (const line of ['one', 'two']) {
      const file = createLogFile(path)
      file.write(line)
      file.close()
    }
    assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\n')
  })

  test('rotates at its size and keeps the newest files', () => {
    const path = written(numbered(10), { maxSize: 15, maxFiles: 3 })
    assert.deepEqual(readdirSync(join(path, '..')).sort(), ['agent.log', 'agent.log.1', 'agent.log.2', 'agent.log.3'])
    assert.deepEqual(linesOf(path), numbered(10).slice(2))
    assert.equal(readFileSync(`${path}.1`, 'utf8'), 'line 6\nline 7\n')
  })

  test('keeps no older one where none is wanted', () => {
    const path = written(numbered(5), { maxSize: 15, maxFiles: 0 })
    assert.deepEqual([readdirSync(join(path, '..')), linesOf(path)], [['agent.log'], ['line 4']])
  })

  test('gives a line longer than a file a file of its own', () => {
    const long = 'x'.repeat(100)
    const path = written(['a', long, 'b'], { maxSize: 15 })
    assert.deepEqual(linesOf(path), ['a', long, 'b'])
    assert.equal(readFileSync(`${path}.1`, 'utf8'), `${long}\n`)
  })

  test('loses no line and changes no order, whatever the lines and the size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 200 }),
        (texts, maxSize) => {
          const lines = texts.map((text) => text.replace(/\n/g, ' '))
          const path = written(lines, { maxSize, maxFiles: 100 })
          assert.deepEqual(linesOf(path), lines)
          rmSync(join(path, '..', '..'), { recursive: true })
        },
      ),
      { numRuns: 50 },
    )
  })

  test('begins a new line behind one that a crash has cut', () => {
    const path = place()
    mkdirSync(join(path, '..'))
    writeFileSync(path, '{"whole":1}\n{"cut')
    const file = createLogFile(path)
    file.write('{"next":1}')
    file.close()
    assert.deepEqual(linesOf(path), ['{"whole":1}', '{"cut', '{"next":1}'])
  })

  test('follows its name when others move or delete the file', () => {
    const path = place()
    const file = createLogFile(path)
    file.write('one')
    renameSync(path, `${path}.moved`)
    file.write('two')
    rmSync(path)
    file.write('three')
    file.close()
    assert.equal(readFileSync(`${path}.moved`, 'utf8'), 'one\n')
    assert.equal(readFileSync(path, 'utf8'), 'three\n')
  })

  test('ends the line that somebody died in the middle of, before or after this one opened the file', () => {
    const path = written(['one'], {})
    appendFileSync(path, 'torn')
    const file = createLogFile(path)
    file.write('two')
    file.write('three')
    appendFileSync(path, 'torn as well')
    file.write('four')
    appendFileSync(path, 'by another\n')
    file.write('five')
    file.close()
    assert.deepEqual(linesOf(path), ['one', 'torn', 'two', 'three', 'torn as well', 'four', 'by another', 'five'])
  })

  test('goes on where it is while another process turns the files, and forgets a lock that somebody died with', () => {
    const path = place()
    const file = createLogFile(path, { maxSize: 15, maxFiles: 9 })
    writeFileSync(`${path}.lock`, '')
    for (const line of numbered(4)) file.write(line)
    assert.deepEqual(readdirSync(join(path, '..')).sort(), ['agent.log', 'agent.log.lock'])
    utimesSync(`${path}.lock`, 0, 0)
    for (const line of ['a', 'b', 'c']) file.write(line)
    file.close()
    assert.ok(existsSync(`${path}.1`) && !existsSync(`${path}.lock`))
    assert.deepEqual(linesOf(path), [...numbered(4), 'a', 'b', 'c'])
  })

  for (const [what, names] of [
    ['the newest', ['', '.1']],
    ['an older one', ['.2', '.3']],
  ] as const)
    test(`ends what somebody died in the middle of: ${what} has two names`, () => {
      const path = written(numbered(8), { maxSize: 20 })
      const before = linesOf(path)
      renameSync(`${path}${names[0]}`, `${path}.moved`)
      rmSync(`${path}${names[1]}`)
      linkSync(`${path}.moved`, `${path}${names[1]}`)
      renameSync(`${path}.moved`, `${path}${names[0]}`)
      const left = linesOf(path)
      assert.ok(left.length < before.length)
      const file = createLogFile(path, { maxSize: 20 })
      file.write('new')
      file.write('newer')
      file.write('the last one')
      file.close()
      assert.deepEqual(linesOf(path), [...left, 'new', 'newer', 'the last one'])
      const folder = join(path, '..')
      for (const name of readdirSync(folder)) assert.equal(statSync(join(folder, name)).nlink, 1, name)
    })

  test('can be read by nobody but its owner and group', { skip: process.platform === 'win32' }, () => {
    assert.equal(statSync(written(['x'], {})).mode & 0o007, 0)
  })

  test('takes the lines of a log', () => {
    const path = place()
    const file = createLogFile(path)
    createLog({ write: file.write, fields: { service: 's' } }).info('hello', { n: 1 })
    file.close()
    assert.deepEqual(
      { ...JSON.parse(linesOf(path)[0] ?? ''), time: '' },
      { time: '', level: 'info', message: 'hello', service: 's', n: 1 },
    )
  })
})

describe('what cannot be written', () => {
  test('goes to the fallback: a full disk', { skip: !existsSync('/dev/full') }, () => {
    const path = place()
    mkdirSync(join(path, '..'))
    symlinkSync('/dev/full', path)
    const lost: string[] = []
    const file = createLogFile(path, { fallback: (line) => void lost.push(line) })
    file.write('one')
    file.close()
    file.write('two')
    assert.deepEqual(lost, ['one', 'two'])
  })

  test('is said at once when the file cannot be opened', () => {
    const path = place()
    mkdirSync(path, { recursive: true })
    assert.throws(() => createLogFile(path), { code: 'file_access', message: /agent\.log cannot be opened: .*EISDIR/ })
  })

  test('is a file that loses its rights: the descriptor still holds', { skip: process.platform === 'win32' }, () => {
    const path = place()
    const file = createLogFile(path)
    chmodSync(path, 0)
    file.write('one')
    file.close()
    chmodSync(path, 0o600)
    assert.deepEqual(linesOf(path), ['one'])
  })

  for (const [options, code] of [
    [{ maxSze: 1 }, 'unknown_option'],
    [{ maxSize: 0 }, 'invalid_option'],
    [{ maxFiles: -1 }, 'invalid_option'],
    [{ maxFiles: 1.5 }, 'invalid_option'],
  ] as const)
    test(`refuses ${JSON.stringify(options)}`, () =>
      assert.throws(() => createLogFile(place(), options as LogFileOptions), { code }))
})

describe('several processes on one file', () => {
  const program = `
    const { createLogFile } = await import(${JSON.stringify(join(import.meta.dirname, 'log-file.ts'))})
    const [path, name, count] = process.argv.slice(1)
    const file = createLogFile(path, { maxSize: 20_000, maxFiles: 1000 })
    for (let n = 0; n < Number(count); n++) file.write(JSON.stringify({ name, n, pad: 'x'.repeat((n * 37) % 6000) }))
    process.stdout.write('done')
  `
  const start = (path: string, name: string, count: number) =>
    spawn(process.execPath, ['--input-type=module', '-e', program, path, name, String(count)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })

  test('tear no line, lose none, and rotate together; one that is killed takes nothing along', async () => {
    const path = place()
    const [count, names] = [400, ['a', 'b', 'c']]
    const doomed = start(path, 'doomed', 1e9)
    while (!existsSync(`${path}.3`)) await sleep(5)
    const children = names.map((name) => start(path, name, count))
    const ends = children.map((child) => once(child, 'exit'))
    await sleep(60)
    doomed.kill('SIGKILL')
    assert.deepEqual(
      await Promise.all(ends),
      names.map(() => [0, null]),
    )
    const seen = new Map<string, number[]>()
    for (const line of linesOf(path)) {
      // What does not parse was torn.
      const { name, n, pad } = JSON.parse(line) as { name: string; n: number; pad: string }
      assert.equal(pad.length, (n * 37) % 6000)
      seen.set(name, [...(seen.get(name) ?? []), n])
    }
    const all = Array.from({ length: count }, (_, n) => n)
    // Between processes, and around a turn, neighbours may change places; nothing is missing or there twice.
    for (const name of names)
      assert.deepEqual(
        seen.get(name)?.toSorted((a, b) => a - b),
        all,
      )
    const doomedLines = seen.get('doomed')?.toSorted((a, b) => a - b) ?? []
    assert.deepEqual(
      doomedLines,
      doomedLines.map((_, n) => n),
    )
  })
})
