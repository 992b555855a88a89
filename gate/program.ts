// A program run as a person would run it: a process of its own, no key in its environment, its output compared with
// what its `// prints: …` lines promise.

import { spawn } from 'node:child_process'
import { compileCache, root } from './source.ts'

/** How a program ended and what it wrote. */
export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const passed = ['PATH', 'HOME', 'TMPDIR', 'SystemRoot', 'USERPROFILE', 'TEMP']

/** Runs a command and waits for its end. It sees a few variables of ours and `env`, and is killed after `timeout` ms. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { env?: Readonly<Record<string, string>>; cwd?: string; input?: string; timeout?: number } = {},
): Promise<Outcome> {
  const inherited = passed.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  const child = spawn(command, args, {
    cwd: options.cwd ?? root,
    env: { ...Object.fromEntries(inherited), ...options.env },
    timeout: options.timeout ?? 120_000,
    killSignal: 'SIGKILL',
  })
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** Runs a TypeScript file of the project from its source, with the pinned Node. */
export const runSource = (file: string, options: Parameters<typeof runCommand>[2] = {}): Promise<Outcome> =>
  runCommand(process.execPath, ['--conditions=@tellurion/source', file], {
    ...options,
    env: { ...compileCache, ...options.env },
  })

/** What the `// prints: …` lines of a program promise, in order. */
export const promised = (text: string): string[] =>
  [...text.matchAll(/^[ \t]*\/\/ prints: (.+)$/gm)].map((match) => (match[1] ?? '').trim())

/** The first promise that no line of the output keeps, after the lines that keep the ones before it. */
export function brokenPromise(text: string, stdout: string): string | undefined {
  const lines = stdout.split('\n')
  let next = 0
  for (const promise of promised(text)) {
    const found = lines.findIndex((line, index) => index >= next && line.includes(promise))
    if (found === -1) return promise
    next = found + 1
  }
  return undefined
}
