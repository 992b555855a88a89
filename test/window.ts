// A real terminal for tests: a window of a tmux of our own, with keys, a screen and a size. No other tmux is seen, nor its
// configuration read.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../gate/source.ts'

const hasTmux = spawnSync('tmux', ['-V']).status === 0

/** What `describe` takes as `skip`. */
export const withoutTmux = hasTmux ? false : 'tmux is not installed: apt-get install tmux'

const main = join(root, 'packages/tellurion-server/src/cli/main.ts')

/** What runs in a window. */
export interface WindowOptions {
  readonly env?: Readonly<Record<string, string>>
  /** A command of `tellurion` with its arguments, as a shell reads them. */
  readonly command: string
  /** Whether the shell looks after jobs: what is suspended lets it go on with its next command. Default false. */
  readonly jobs?: boolean
}

/** A window of 80 × 24 that shows a command of `tellurion`, and how it ended. */
export interface Window {
  keys(...keys: string[]): void
  resize(columns: number, rows: number): void
  screen(): string
  /** Closes the window under the command. */
  close(): void
  /** Waits until the screen shows it; at most ten seconds. */
  shows(words: RegExp): Promise<string>
}

/** Windows, and the folder in which their commands run. Everything is taken away when the tests of the file have ended. */
export interface Windows {
  readonly folder: string
  open(t: TestContext, options: WindowOptions): Window
}

/** Makes windows; to be called in a `describe`. */
export function createWindows(): Windows {
  const folder = mkdtempSync(join(tmpdir(), 'terminal-'))
  const socket = join(folder, 'tmux')
  let count = 0

  const tmux = (...args: string[]): string => {
    const { stdout, stderr, status } = spawnSync('tmux', ['-S', socket, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
    return stdout
  }
  after(() => {
    spawnSync('tmux', ['-S', socket, 'kill-server'])
    rmSync(folder, { recursive: true })
  })

  return {
    folder,
    open(t, { env = {}, command, jobs = false }) {
      const name = `t${++count}`
      const cache = join(folder, 'cache')
      const all = { PATH: process.env['PATH'] ?? '', TERM: 'screen', NODE_COMPILE_CACHE: cache, ...env }
      const variables = Object.entries(all).map(([key, value]) => `${key}='${value}'`)
      const program = `'${process.execPath}' --conditions=@tellurion/source '${main}'`
      const shell = `${jobs ? 'set -m; ' : ''}cd '${folder}'; env -i ${variables.join(' ')} ${program} ${command}; echo "ended with $?"; exec cat`
      tmux('new-session', '-d', '-s', name, '-x', '80', '-y', '24', shell)
      // What waits for a second key would wait for half a second.
      tmux('set-option', '-s', 'escape-time', '0')
      let open = true
      const close = (): void => {
        if (open) tmux('kill-session', '-t', name)
        open = false
      }
      t.after(close)
      const screen = (): string => tmux('capture-pane', '-p', '-t', name).trimEnd()
      return {
        keys: (...keys) => void tmux('send-keys', '-t', name, ...keys),
        resize: (columns, rows) => void tmux('resize-window', '-t', name, '-x', String(columns), '-y', String(rows)),
        screen,
        close,
        async shows(words) {
          for (let tries = 0; tries < 1000; tries++) {
            const seen = screen()
            if (words.test(seen)) return seen
            await sleep(50)
          }
          return assert.fail(`the screen never showed ${words}:\n${screen()}`)
        },
      }
    },
  }
}
