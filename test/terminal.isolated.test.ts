// The chat line by line, and runs, in a real terminal of 80 × 24, by keys and by what is on the screen: Ctrl-C, Ctrl-D,
// approvals, typing ahead.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { createRawServer, openAILanguage, serveWire, type RawServer } from 'tellurion/testing'
import { createWindows, withoutTmux, type Window } from './window.ts'

describe('tellurion in a terminal', { skip: withoutTmux, concurrency: 2 }, () => {
  const windows = createWindows()
  /** A server that never answers, and a chat with it. */
  async function withSilence(t: TestContext): Promise<{ terminal: Window; silent: RawServer }> {
    const silent = await createRawServer(() => ({ ending: 'mute' }))
    t.after(() => silent.close())
    const terminal = windows.open(t, {
      env: { LLM_BASE_URL: `${silent.url}/v1`, LLM_MODEL: 'm' },
      command: 'chat --plain',
    })
    await terminal.shows(/Talking to local\/m[^]*\n> ?$/)
    return { terminal, silent }
  }

  test('says whom it talks to, answers, and fits 80 × 24', async (t) => {
    const terminal = windows.open(t, { command: 'chat --plain' })
    await terminal.shows(/demo model.*\n[^]*pass --model[^]*\n> ?$/)
    terminal.keys('what is 12*7?', 'Enter')
    const screen = await terminal.shows(/→ calculator \{"expression":"12\*7"\}\n← calculator 84\n12\*7 = 84\.\n> ?$/)
    assert.ok(screen.split('\n').length <= 24)
    terminal.keys('hello', 'Enter')
    const answer = await terminal.shows(/or in \.env\.\n> ?$|\.env\.\n> ?$/)
    // Lines end between words: each begins with a whole one.
    assert.match(answer, /I am the built-in demo model, a few patterns and no intelligence: I can\ncalculate/)
  })

  test('Ctrl-C stops the answer and keeps the chat; a second one leaves', async (t) => {
    const { terminal, silent } = await withSilence(t)
    terminal.keys('are you there?', 'Enter')
    await silent.requested
    terminal.keys('C-c')
    await terminal.shows(/\(stopped\)\n> ?$/)
    terminal.keys('/help', 'Enter')
    await terminal.shows(/\/quit leaves/)
    terminal.keys('half a line', 'C-c')
    await terminal.shows(/> half a line\n?[^]*\(Ctrl-C again leaves\)\n> ?$|\(Ctrl-C again leaves\)\n> ?$/)
    terminal.keys('C-c')
    await terminal.shows(/ended with 0$/)
  })

  test('Ctrl-C twice leaves in the middle of an answer', async (t) => {
    const { terminal, silent } = await withSilence(t)
    terminal.keys('hello?', 'Enter')
    await silent.requested
    terminal.keys('C-c')
    await terminal.shows(/\(stopped\)/)
    terminal.keys('C-c')
    await terminal.shows(/ended with 0$/)
  })

  for (const [command, begun] of [
    ['serve --port 0', /Ctrl-C ends/],
    ['worker', undefined],
    ['chat', /F1 keys/],
  ] as const)
    test(`a closed window ends ${command} in good order`, async (t) => {
      const pipe = join(windows.folder, `${command.split(' ')[0]}.stderr`)
      assert.equal(spawnSync('mkfifo', [pipe]).status, 0)
      let said = ''
      const stderr = createReadStream(pipe, 'utf8').on('data', (piece) => (said += String(piece)))
      const ended = once(stderr, 'end')
      const terminal = windows.open(t, { command: `${command} 2> '${pipe}'` })
      if (begun !== undefined) await terminal.shows(begun)
      else while (!said.includes('Ctrl-C ends')) await once(stderr, 'data')
      terminal.close()
      await ended
      // Node would abort, loudly, at the exit of a process whose terminal is gone.
      assert.doesNotMatch(said, /Assertion|Error|abort/)
      if (command !== 'chat') assert.match(said, /Ending: no new/)
    })

  test('Ctrl-D leaves', async (t) => {
    const terminal = windows.open(t, { command: 'chat --plain' })
    await terminal.shows(/> ?$/)
    terminal.keys('C-d')
    await terminal.shows(/ended with 0$/)
  })

  test('asks with the exact arguments, and shows them inert', async (t) => {
    const call = { id: 'c1', name: 'read_file', pieces: ['{"path":"a\\u202e\\u001b[31m"}'] }
    const server = await serveWire(openAILanguage, [
      { steps: [{ call }, { finish: 'tool-calls' }] },
      { steps: [{ text: 'Very well.' }, { finish: 'stop' }] },
      { steps: [{ call }, { finish: 'tool-calls' }] },
      { steps: [{ text: 'Fine.' }, { finish: 'stop' }] },
    ])
    t.after(() => server.close())
    const env = { LLM_BASE_URL: server.baseURL, LLM_MODEL: 'm' }
    const terminal = windows.open(t, { env, command: 'chat --plain --ask' })
    await terminal.shows(/> ?$/)
    terminal.keys('read it', 'Enter')
    await terminal.shows(/Approval needed:[^]*"path": "a\\u202e\\u001b\[31m"[^]*Allow it\? \[y\/n\] ?$/)
    terminal.keys('maybe', 'Enter')
    await terminal.shows(/Please answer 'y' or 'n'\.\nAllow it\? \[y\/n\] ?$/)
    terminal.keys('n', 'Enter')
    await terminal.shows(/Very well\.\n> ?$/)
    terminal.keys('again', 'Enter')
    await terminal.shows(/Allow it\?[^]*Allow it\?[^]*Allow it\? \[y\/n\] ?$/)
    terminal.keys('C-c')
    await terminal.shows(/\(stopped\)\n> ?$/)
    terminal.keys('and now', 'Enter')
    await terminal.shows(/Fine\.\n> ?$/)
  })

  test('keeps what is typed ahead for the next question', async (t) => {
    const server = await serveWire(openAILanguage, { steps: [{ text: 'Yes.' }, { finish: 'stop' }] })
    t.after(() => server.close())
    const terminal = windows.open(t, { env: { LLM_BASE_URL: server.baseURL, LLM_MODEL: 'm' }, command: 'chat --plain' })
    await terminal.shows(/> ?$/)
    terminal.keys('one', 'Enter', 'two', 'Enter', 'thr')
    await terminal.shows(/> one\nYes\.\n> two\nYes\.\n> thr$/)
    terminal.keys('ee', 'Enter')
    await terminal.shows(/> three\nYes\.\n> ?$/)
    assert.equal(server.requests.length, 3)
  })

  test('runs start asks for each call, shows how far it is, and keeps the run at Ctrl-C', async (t) => {
    const command = 'runs start --store sqlite:./t.db --ask "what is 12*7 and wait 90 seconds"'
    const terminal = windows.open(t, { command })
    await terminal.shows(/Allow calculator.*Allow it\? \[y\/n\]/s)
    terminal.keys('y', 'Enter')
    await terminal.shows(/Allow wait.*Allow it\? \[y\/n\]/s)
    terminal.keys('y', 'Enter')
    const screen = await terminal.shows(/← calculator 84\n… wait \d+\/90 s$/)
    assert.doesNotMatch(screen, /denied/)
    terminal.keys('C-c')
    await terminal.shows(/\(kept: 'tellurion worker' goes on with run_\w{8}\)\nended with 130$/)
    const list = windows.open(t, { command: 'runs list --store sqlite:./t.db' })
    await list.shows(
      /^RUN {11}STATUS {2}AGENT {2}AGE {2}INPUT\nrun_\w{8} {2}queued {2}demo +\d+s {2}what is 12\*7 and wait 90 seconds\n/,
    )
  })

  test('runs start asks no more what was answered elsewhere', async (t) => {
    const terminal = windows.open(t, { command: 'runs start --store sqlite:./u.db --ask "2+2"' })
    const screen = await terminal.shows(/Allow it\? \[y\/n\]/)
    const run = /run_\w+/.exec(screen)?.[0] ?? ''
    const answer = windows.open(t, { command: `runs answer ${run} approve --store sqlite:./u.db` })
    await answer.shows(/is answered/)
    await terminal.shows(/2\+2 = 4\.\nended with 0$/)
  })
})
