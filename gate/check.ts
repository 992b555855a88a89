// `npm run check`: the gate before each commit. Everything at once, one line each; what failed prints its output.

import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { compileCache, root } from './source.ts'

const bin = (name: string): string => join(root, 'node_modules', '.bin', name)
const laws = ['floors', 'names', 'catalogue', 'features', 'docs'].flatMap((name) =>
  globSync(`test/${name}.test.ts`, { cwd: root }),
)

/** The checks: a name and a command that exits with 0 when all is well. */
const checks: readonly [name: string, ...command: string[]][] = [
  ['types', bin('tsc'), '-p', 'tsconfig.json'],
  [
    'laws',
    process.execPath,
    '--conditions=@tellurion/source',
    '--test',
    '--test-isolation=none',
    '--test-reporter=dot',
    ...laws,
  ],
  ['lint', bin('oxlint'), '--deny-warnings'],
  ['format', bin('oxfmt'), '--check'],
]

async function run(name: string, command: readonly string[]): Promise<boolean> {
  const started = performance.now()
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, ...compileCache },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const passed = await new Promise<boolean>((resolve) => {
    child.on('error', (error) => ((output += `${error.message}\n`), resolve(false)))
    child.on('close', (code) => resolve(code === 0))
  })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name.padEnd(8)} ${seconds} s${passed ? '' : `\n${output.trimEnd()}`}`)
  return passed
}

const passed = await Promise.all(checks.map(([name, ...command]) => run(name, command)))
process.exitCode = passed.every(Boolean) ? 0 : 1
