import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Execution, OutputChunk } from './execution.ts'
import { createSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts'

let sandbox: Sandbox
before(async () => {
  sandbox = await createSandbox({ limits: { timeout: 20_000 } })
})
after(() => sandbox.close())

/** Whether a test has to be left out because the machine cannot isolate; says so. */
function lacks(t: TestContext, ...needed: Sandbox['languages']): boolean {
  const isMissing =
    needed.some((each) => !sandbox.languages.includes(each)) || ['none', 'wasm-only'].includes(sandbox.level)
  if (isMissing) t.skip(`the sandbox is ${sandbox.level}; apt-get install bubblewrap python3`)
  return isMissing
}

const pick = ({ exitCode, stderr }: Execution): readonly unknown[] => [exitCode, stderr]

describe('createSandbox', () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ limit: {} }, 'unknown_option'],
    [{ backend: 'docker' }, 'invalid_option'],
    [{ backend: 'process' }, 'invalid_option'],
    [{ interpreters: { ruby: '/usr/bin/ruby' } }, 'unknown_option'],
    [{ interpreters: { python: 'python3' } }, 'invalid_option'],
    [{ readOnly: ['data'] }, 'invalid_option'],
    [{ capacity: 0 }, 'invalid_option'],
    [{ limits: { memory: 1 } }, 'invalid_option'],
  ]
  for (const [options, code] of wrong) {
    it(`refuses ${JSON.stringify(options)}`, () => assert.rejects(createSandbox(options as SandboxOptions), { code }))
  }

  it('tells its level and what each of eight probes found', () => {
    const names = sandbox.probes.map(({ name }) => name)
    assert.deepEqual(names.slice(0, 8).toSorted(), [
      'files',
      'filter',
      'identity',
      'inheritance',
      'limits',
      'namespaces',
      'network',
      'survivors',
    ])
    for (const { passed, detail, mend } of sandbox.probes)
      assert.ok(detail !== '' && (passed || mend !== '' || detail.startsWith('not looked')))
    const failed = sandbox.probes.filter(({ name, passed }) => !passed && name !== 'engine').map(({ name }) => name)
    const expected = failed.length === 0 ? 'full' : `${failed}` === 'limits' ? 'weak-limits' : 'wasm-only'
    assert.equal(sandbox.level, expected)
  })

  it('runs nothing of a language that it has not', async () => {
    await using engine = await createSandbox({ backend: 'quickjs' })
    assert.deepEqual([engine.level, engine.languages], ['wasm-only', ['javascript']])
    await assert.rejects(engine.run({ language: 'python', code: '1' }), {
      code: 'sandbox_unavailable',
      message: "The sandbox is 'wasm-only' and runs javascript only, no python: it was not found",
    })
    await assert.rejects(engine.session('bash'), { code: 'sandbox_unavailable' })
  })

  it('loses nothing behind a NUL in QuickJS', async () => {
    await using engine = await createSandbox({ backend: 'quickjs' })
    const code = 'console.log("a\\0b"); writeFile("c", "d\\0e" + readFile("in")); "f\\0g"'
    const { stdout, artifacts } = await engine.run({ language: 'javascript', code, files: { in: 'h\0i' } })
    assert.equal(stdout, 'a\ufffdb\nf\ufffdg\n')
    assert.deepEqual(
      artifacts.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]),
      [['c', 'd\ufffdeh\ufffdi']],
    )
  })

  it('does not count an interpreter that cannot be run', async (t) => {
    if (lacks(t)) return
    await using own = await createSandbox({ interpreters: { python: '/nowhere/python3', bash: '/etc/passwd' } })
    assert.deepEqual(own.languages, ['javascript'])
  })
})

describe('run', () => {
  it('runs each language, with files in and files out', async (t) => {
    if (lacks(t, 'python', 'javascript', 'bash')) return
    const codes = {
      python: `text = open('in/data.txt').read()\nopen('out.txt', 'w').write(text.upper())\nprint(len(text))`,
      javascript: `const fs = require('fs'); const text = fs.readFileSync('in/data.txt', 'utf8'); fs.writeFileSync('out.txt', text.toUpperCase()); console.log(text.length)`,
      bash: `tr a-z A-Z <in/data.txt >out.txt; wc -c <in/data.txt`,
    }
    for (const language of ['python', 'javascript', 'bash'] as const) {
      const result = await sandbox.run({
        language,
        code: codes[language],
        files: { 'in/data.txt': 'hello', 'other.bin': new Uint8Array([0, 255]) },
      })
      assert.deepEqual([result.end, result.exitCode, result.stdout, result.stderr], ['finished', 0, '5\n', ''])
      assert.deepEqual(
        result.artifacts.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]),
        [['out.txt', 'HELLO']],
      )
    }
  })

  it('gives the exit code and what went wrong, without frames of ours', async (t) => {
    if (lacks(t, 'python', 'javascript', 'bash')) return
    const python = await sandbox.run({ language: 'python', code: 'def f():\n  1 / 0\nf()' })
    assert.equal(python.exitCode, 1)
    assert.match(python.stderr, /^Traceback.*\n {2}File "<code 1>", line 3.*ZeroDivisionError/s)
    const javascript = await sandbox.run({ language: 'javascript', code: 'throw new TypeError("boo")' })
    assert.match(javascript.stderr, /^TypeError: boo\n\s+at <anonymous>:1:7\n$/)
    assert.equal((await sandbox.run({ language: 'bash', code: 'exit 42' })).exitCode, 42)
    assert.equal((await sandbox.run({ language: 'python', code: 'import sys; sys.exit("bye")' })).stderr, 'bye\n')
    const broken = 'class Code:\n  def __str__(self): raise ValueError\nraise SystemExit(Code())'
    assert.deepEqual(pick(await sandbox.run({ language: 'python', code: broken })), [1, ''])
    assert.equal((await sandbox.run({ language: 'javascript', code: 'process.exitCode = 300' })).exitCode, 44)
  })

  it('waits for what Node has left to do, and tells output as it comes', async (t) => {
    if (lacks(t, 'javascript')) return
    const heard: OutputChunk[] = []
    const code = `console.error('now'); void setTimeout(() => console.log('later'), 30)`
    const result = await sandbox.run({ language: 'javascript', code, onOutput: (chunk) => heard.push(chunk) })
    assert.equal(result.stdout, 'later\n')
    assert.deepEqual(heard, [
      { stream: 'stderr', text: 'now\n' },
      { stream: 'stdout', text: 'later\n' },
    ])
  })

  it('ends at its timeout with what there is, files too', async (t) => {
    if (lacks(t, 'python')) return
    const code = `open('half', 'w').write('x'); print('begun')\nwhile True: pass`
    const result = await sandbox.run({ language: 'python', code, limits: { timeout: 500 } })
    assert.deepEqual([result.end, result.exitCode, result.stdout], ['timeout', null, 'begun\n'])
    assert.deepEqual(
      result.artifacts.map(({ name }) => name),
      ['half'],
    )
  })

  it('keeps the beginning of what is printed', async (t) => {
    if (lacks(t, 'bash')) return
    const result = await sandbox.run({ language: 'bash', code: 'seq 10000', limits: { maxOutput: 100 } })
    assert.deepEqual([result.truncated, result.stdout.length], [true, 100])
    assert.ok(result.stdout.startsWith('1\n2\n3\n'))
  })

  it('is cancelled before it starts, in the line, and at work', async (t) => {
    if (lacks(t, 'bash')) return
    const early = await sandbox.run({ language: 'bash', code: 'echo ran', signal: AbortSignal.abort() })
    assert.deepEqual([early.end, early.stdout], ['cancelled', ''])
    await using narrow = await createSandbox({ capacity: 1 })
    const [first, second] = [new AbortController(), new AbortController()]
    const atWork = narrow.run({
      language: 'bash',
      code: 'echo on; sleep 60',
      signal: first.signal,
      onOutput: () => second.abort(),
    })
    const inLine = await narrow.run({ language: 'bash', code: 'echo ran', signal: second.signal })
    assert.deepEqual([inLine.end, inLine.stdout], ['cancelled', ''])
    first.abort()
    assert.deepEqual([(await atWork).end, (await atWork).stdout], ['cancelled', 'on\n'])
  })

  it('leaves nobody behind when it is cancelled at any moment of its start', async (t) => {
    if (lacks(t, 'bash')) return
    const before = firstProcesses()
    for (let wait = 0; wait < 24; wait++) {
      const signal = AbortSignal.timeout(wait)
      const { end } = await sandbox.run({ language: 'bash', code: 'sleep 60', signal })
      assert.equal(end, 'cancelled')
    }
    assert.deepEqual(
      firstProcesses().filter((pid) => !before.includes(pid)),
      [],
    )
  })

  it('leaves nobody of a tree of processes that left their groups', async (t) => {
    if (lacks(t, 'bash')) return
    const controller = new AbortController()
    const marker = `31415${process.pid}`
    const code = `for n in $(seq 20); do (setsid sleep ${marker} >/dev/null 2>&1 &); done; echo up; sleep 60`
    const result = await sandbox.run({
      language: 'bash',
      code,
      signal: controller.signal,
      onOutput: () => controller.abort(),
    })
    assert.equal(result.end, 'cancelled')
    const alive = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && argumentsOf(pid).includes(marker))
    assert.deepEqual(alive, [])
  })

  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ language: 'ruby', code: '1' }, /language must be one of/],
    [{ language: 'python', code: 5 }, /code must be a text/],
    [{ language: 'python', code: 'a\0b' }, /none of them NUL/],
    [{ language: 'python', code: 'x'.repeat(1_000_001) }, /at most 1000000/],
    [{ language: 'python', code: '1', files: { '../x': 'x' } }, /"\.\.\/x" is no name for a file/],
    [{ language: 'python', code: '1', files: { x: 5 } }, /must be a text or a Uint8Array/],
    [{ language: 'python', code: '1', limits: { timeout: -1 } }, /limits\.timeout/],
    [{ language: 'python', code: '1', file: {} }, /has no option 'file'. Did you mean 'files'/],
  ]
  for (const [request, message] of wrong) {
    it(`refuses ${JSON.stringify(request).slice(0, 60)}`, () =>
      assert.rejects(sandbox.run(request as never), { message }))
  }

  it('refuses files that do not fit', async () => {
    const files = { a: new Uint8Array(60_000), b: new Uint8Array(60_000) }
    await assert.rejects(
      sandbox.run({ language: 'python', code: '1', files, limits: { disk: 100_000 } }),
      /120000 bytes; .* holds 100000/,
    )
  })
})

describe('session', () => {
  it('keeps variables, functions, the folder and files between calls', async (t) => {
    if (lacks(t, 'python', 'javascript', 'bash')) return
    const talks = {
      python: [
        ['x = 20\ndef double(n): return 2 * n', ''],
        ['double(x) + 2', '42\n'],
        ['open("f", "w").write("kept"); None', ''],
        ['open("f").read()', "'kept'\n"],
      ],
      javascript: [
        ['const x = 20; function double(n) { return 2 * n }', ''],
        ['double(x) + 2', '42\n'],
        ['const x = 1; x', '1\n'],
        ['await Promise.resolve({ a: [1] })', '{ a: [ 1 ] }\n'],
      ],
      bash: [
        ['x=20; double() { echo $((2 * $1)); }; mkdir d; cd d', ''],
        ['echo $(($(double $x) + 2))', '42\n'],
        ['basename "$PWD"', 'd\n'],
        ['export y=5; bash -c "echo $y"', '5\n'],
      ],
    } as const
    for (const language of ['python', 'javascript', 'bash'] as const) {
      const session = await sandbox.session(language)
      for (const [code, stdout] of talks[language]) assert.equal((await session.run({ code })).stdout, stdout, code)
      await session.close()
      assert.equal(session.isLive, false)
      await assert.rejects(session.run({ code: '1' }), { code: 'sandbox_closed' })
    }
  })

  it('hands over what has changed since the last call, and says once what it does not', async (t) => {
    if (lacks(t, 'bash')) return
    const session = await sandbox.session('bash')
    const names = async (code: string) => {
      const { artifacts, refused } = await session.run({ code })
      return [...artifacts.map(({ name }) => name), ...refused.map(({ name }) => `not ${name}`)].join(' ')
    }
    assert.equal(await names('echo 1 >a; echo 2 >b; ln -s a c'), 'a b not c')
    assert.equal(await names('echo 3 >b'), 'b')
    assert.equal(await names(':'), '')
    await session.close()
  })

  it('ends with its interpreter, and gives its place back', async (t) => {
    if (lacks(t, 'python')) return
    await using narrow = await createSandbox({ capacity: 1 })
    const session = await narrow.session('python')
    assert.deepEqual([(await session.run({ code: 'import os; os._exit(3)' })).exitCode, session.isLive], [3, false])
    assert.equal((await narrow.run({ language: 'python', code: '6 * 7' })).stdout, '42\n')
  })

  it('does one thing at a time', async (t) => {
    if (lacks(t, 'bash')) return
    const session = await sandbox.session('bash')
    const first = session.run({ code: 'sleep 0.05; echo done' })
    await assert.rejects(session.run({ code: 'echo second' }), { code: 'sandbox_closed' })
    assert.equal((await first).stdout, 'done\n')
    await session.close()
  })
})

describe('close', () => {
  it('ends what is at work, and what comes later', async (t) => {
    if (lacks(t, 'bash')) return
    const own = await createSandbox()
    const running = own.run({ language: 'bash', code: 'echo up; sleep 60', onOutput: () => void own.close() })
    assert.equal((await running).exitCode, null)
    await own.close()
    await assert.rejects(own.run({ language: 'bash', code: '1' }), { code: 'sandbox_closed' })
  })
})

describe('without isolation, where its operator says so', () => {
  it('runs all languages as they are, with an environment of their own', async (t) => {
    if (lacks(t, 'python', 'bash')) return
    await using open = await createSandbox({ backend: 'process', allowUnisolated: true })
    assert.deepEqual([open.level, open.isUnisolated], ['none', true])
    assert.match((await open.run({ language: 'bash', code: 'env' })).stdout, /HOME=.*tellurion-code/)
    const result = await open.run({
      language: 'python',
      code: `open('made', 'w').write('x')\nwhile True: pass`,
      limits: { timeout: 400 },
    })
    assert.deepEqual([result.end, result.artifacts.map(({ name }) => name)], ['timeout', ['made']])
  })

  it('isolates all the same where it can', async (t) => {
    if (lacks(t)) return
    await using closed = await createSandbox({ allowUnisolated: true })
    assert.deepEqual([closed.level, closed.isUnisolated], [sandbox.level, false])
  })
})

/** Processes of bubblewrap that nobody waits for any more. */
function firstProcesses(): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    const [, , parent] = /\) (\w) (\d+)/.exec(statOf(pid)) ?? []
    return parent === '1' && argumentsOf(pid).includes('bwrap')
  })
}

function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return ''
  }
}

function argumentsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
