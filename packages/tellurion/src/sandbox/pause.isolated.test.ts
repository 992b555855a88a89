// What code leaves running in a kept interpreter: it stands still between calls, goes on with the next, and whoever will
// not stand still ends the interpreter.

import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { sleep, systemClock } from '../clock/clock.ts'
import type { Language } from './limit.ts'
import { createSandbox, type Sandbox } from './sandbox.ts'

let sandbox: Sandbox
before(async () => {
  sandbox = await createSandbox({ limits: { timeout: 20_000 } })
})
after(() => sandbox.close())

function lacks(t: TestContext, language: Language): boolean {
  const isMissing = !sandbox.languages.includes(language) || !['full', 'weak-limits'].includes(sandbox.level)
  if (isMissing) t.skip(`the sandbox is ${sandbox.level}; apt-get install bubblewrap python3`)
  return isMissing
}

const wait: Readonly<Record<Language, string>> = {
  bash: 'sleep 0.2',
  python: 'time.sleep(0.2)',
  javascript: 'await new Promise((resolve) => setTimeout(resolve, 200))',
}

/** Leaves something at work, and tells how many milliseconds of a processor it has had. */
const loops: readonly (readonly [string, Language, string, string])[] = [
  [
    'a loop of the shell',
    'bash',
    'ticks() { read -ra fields </proc/$!/stat; echo $(((fields[13] + fields[14]) * 10)); }; (trap "" HUP TERM INT CONT TSTP; while :; do :; done) & sleep 0.05',
    'ticks',
  ],
  [
    'a daemon',
    'bash',
    "setsid bash -c 'echo $$ >/tmp/daemon; while :; do :; done' >/dev/null 2>&1 & while ! [ -s /tmp/daemon ]; do sleep 0.01; done",
    'read -ra fields </proc/$(cat /tmp/daemon)/stat; echo $(((fields[13] + fields[14]) * 10))',
  ],
  [
    'a thread of Python',
    'python',
    'import threading, time\ndef work():\n  while True: pass\nthreading.Thread(target=work, daemon=True).start()',
    'round(time.process_time() * 1000)',
  ],
  [
    'a thread whose process has no first one any more',
    'python',
    `import os, time, threading, ctypes
pid = os.fork()
if pid == 0:
    def work():
        while True: pass
    threading.Thread(target=work, daemon=True).start()
    ctypes.CDLL(None).pthread_exit(None)
def spent():
    fields = open('/proc/%d/stat' % pid).read().rsplit(')', 1)[1].split()
    return int(fields[11]) * 10
time.sleep(0.05)`,
    'spent()',
  ],
  [
    'a thread of Node',
    'javascript',
    "new (require('node:worker_threads').Worker)('for (;;);', { eval: true }).unref(); await new Promise((resolve) => setTimeout(resolve, 100))",
    'Math.round(process.cpuUsage().user / 1000)',
  ],
  [
    'three that wake each other',
    'bash',
    'ticks() { read -ra fields </proc/$!/stat; echo $(((fields[13] + fields[14]) * 10)); }; for i in 1 2 3; do while :; do kill -CONT -1; done 2>/dev/null & done; sleep 0.05',
    'ticks',
  ],
]

describe('between calls', () => {
  for (const [name, language, code, spent] of loops) {
    it(`${name} stands still, and goes on with the next`, async (t) => {
      if (lacks(t, language)) return
      if (name === 'a thread of Node' && sandbox.level === 'weak-limits')
        return t.skip('bounds of single processes leave Node no second thread')
      const session = await sandbox.session(language)
      const look = async (): Promise<number> => {
        const { stdout, stderr } = await session.run({ code: spent })
        assert.match(stdout, /^\d+\n$/, stderr)
        return Number(stdout)
      }
      await session.run({ code })
      const first = await look()
      await sleep(800, { clock: systemClock })
      const second = await look()
      assert.ok(second - first < 300, `${second - first} ms between calls`)
      await session.run({ code: wait[language] })
      assert.ok((await look()) > second, 'it did not go on')
      await session.close()
    })
  }

  it('what the code itself has stopped stays so', async (t) => {
    if (lacks(t, 'bash')) return
    const session = await sandbox.session('bash')
    await session.run({ code: 'sleep 600 & kill -STOP $!; sleep 0.05' })
    const { stdout } = await session.run({ code: 'read -ra fields </proc/$!/stat; echo ${fields[2]}' })
    assert.equal(stdout, 'T\n')
    await session.close()
  })

  it('who starts others all the time comes to a stop in the middle of it, and goes on', async (t) => {
    if (lacks(t, 'python')) return
    const session = await sandbox.session('python')
    const code = `import subprocess, threading
count = 0
def work():
    global count
    while True:
        subprocess.run(['/bin/true'])
        count += 1
for _ in range(4): threading.Thread(target=work, daemon=True).start()`
    await session.run({ code })
    const counts: number[] = []
    for (let calls = 0; calls < 12; calls++)
      counts.push(Number((await session.run({ code: 'import time; time.sleep(0.03); count' })).stdout))
    assert.ok(session.isLive, `it was ended after ${counts.join()}`)
    assert.ok(counts.at(-1)! > counts[0]!, counts.join())
    await session.close()
  })

  it('a process that is always another one does not go on either', async (t) => {
    if (lacks(t, 'python')) return
    const session = await sandbox.session('python')
    const chase = `
import ctypes, os, signal
if os.fork() == 0:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    if os.fork() == 0:
        while True:
            if os.fork(): os._exit(0)
    signal.pause()
import time
time.sleep(0.2)`
    const numbers = async (): Promise<number> => {
      const { stdout } = await session.run({ code: "int(open('/proc/loadavg').read().split()[4])" })
      return Number(stdout)
    }
    await session.run({ code: chase })
    t.diagnostic(session.isLive ? 'it came to a stop' : 'its interpreter was ended')
    const first = session.isLive ? await numbers() : 0
    assert.ok(!session.isLive || first > 20, `it never ran: ${first}`)
    // At the beginning and at the end of a call it goes on.
    const second = session.isLive ? await numbers() : 0
    await sleep(1500, { clock: systemClock })
    const third = session.isLive ? await numbers() : 0
    const between = `${third - second} processes between calls, ${second - first} without a pause between them`
    assert.ok(third - second < 3 * (second - first) + 300 || !session.isLive, between)
    t.diagnostic(between)
    await session.close()
  })
})
