import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Argument, Command } from 'commander'
import { completionScript, shells } from './completion.ts'

const folder = mkdtempSync(join(tmpdir(), 'completion-'))
after(() => rmSync(folder, { recursive: true }))

function commandLine(): Command {
  const program = new Command('tellurion').version('1.0.0')
  program.command('serve').description("it's a server").option('--port <n>', 'a port').option('--debug', 'loud')
  const runs = program.command('runs').description('durable: runs')
  runs.command('list').description('all').option('--limit <n>', 'at most')
  runs.command('show').description('one')
  program.command('list').description('a command of the same name elsewhere').option('--long', 'more')
  program.command('init').description('a project').argument('[dir]', 'where').option('--here', 'now')
  program
    .command('speak')
    .addArgument(new Argument('<tongue>', 'which').choices(['norn', 'manx']))
    .option('--low', 'softly')
  return program
}

const script = (shell: (typeof shells)[number]): string => completionScript(shell, commandLine())

/** Whether a shell is installed. */
const has = (shell: string): boolean => spawnSync(shell, ['-c', ':']).status === 0

/** What a shell proposes for a line; the last word is the one at the cursor. */
function proposals(...words: string[]): string[] {
  const path = join(folder, 'c.bash')
  writeFileSync(path, script('bash'))
  const line = `source '${path}'; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tellurion; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, status, stderr } = spawnSync('bash', ['-uc', line, 'bash', ...words], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout.split('\n').filter((word) => word !== '')
}

describe('completion in bash', { skip: has('bash') ? false : 'bash is not installed' }, () => {
  const cases: readonly [words: string[], expected: string[]][] = [
    [
      ['tellurion', ''],
      ['serve', 'runs', 'list', 'init', 'speak', '--version', '--help'],
    ],
    [['tellurion', 'ser'], ['serve']],
    [
      ['tellurion', 'serve', '--'],
      ['--port', '--debug', '--help'],
    ],
    [
      ['tellurion', 'runs', ''],
      ['list', 'show', '--help'],
    ],
    [['tellurion', 'runs', 'list', '--l'], ['--limit']],
    [['tellurion', 'list', '--l'], ['--long']],
    [['tellurion', 'runs', '--json', 'list', '--l'], ['--limit']],
    // The value of an option is the shell's to complete: a file, perhaps.
    [['tellurion', 'serve', '--port', ''], []],
    // Where an argument stands too: what it may be, else nothing, so that the shell offers its files.
    [['tellurion', 'init', ''], []],
    [
      ['tellurion', 'init', '-'],
      ['--here', '--help'],
    ],
    [
      ['tellurion', 'speak', ''],
      ['norn', 'manx'],
    ],
    [['tellurion', 'speak', '--l'], ['--low']],
    [['tellurion', 'nothing', 'ser'], ['serve']],
    [['tellurion', 'zz'], []],
  ]
  for (const [words, expected] of cases) test(words.join(' '), () => assert.deepEqual(proposals(...words), expected))
})

for (const shell of shells)
  test(
    `the script for ${shell} is one that it can read`,
    { skip: has(shell) ? false : `${shell} is not installed` },
    () => {
      const path = join(folder, `c.${shell}`)
      writeFileSync(path, script(shell))
      const { status, stderr } = spawnSync(shell, ['-n', path], { encoding: 'utf8' })
      assert.deepEqual([status, stderr], [0, ''])
    },
  )

test('fish is asked and answers', { skip: has('fish') ? false : 'fish is not installed' }, () => {
  const path = join(folder, 'd.fish')
  writeFileSync(path, script('fish'))
  const ask = (line: string): string[] =>
    spawnSync('fish', ['--no-config', '-c', `source '${path}'; complete -C '${line}'`], { encoding: 'utf8' })
      .stdout.split('\n')
      .flatMap((each) => each.split('\t')[0] || [])
      .toSorted()
  assert.deepEqual(ask('tellurion runs '), ['list', 'show'])
  assert.deepEqual(ask('tellurion serve --p'), ['--port'])
  assert.deepEqual(ask('tellurion s'), ['serve', 'speak'])
  assert.deepEqual(ask('tellurion speak '), ['manx', 'norn'])
})

test('zsh is asked and answers', { skip: has('zsh') ? false : 'zsh is not installed' }, () => {
  const path = join(folder, 'd.zsh')
  writeFileSync(path, script('zsh'))
  // The completion system proper needs a terminal; what it would be given is seen without one.
  const line = `compdef() { : }; _describe() { print -l -- $items }; source '${path}'
    words=(tellurion runs ''); CURRENT=3; _tellurion; words=(tellurion serve --p); CURRENT=3; _tellurion
    words=(tellurion speak ''); CURRENT=3; _tellurion; words=(tellurion init --); CURRENT=3; _tellurion`
  const { stdout, stderr } = spawnSync('zsh', ['-fc', line], { encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    'list:all',
    'show:one',
    '--help:show this',
    '--port:a port',
    '--debug:loud',
    '--help:show this',
    'norn:which',
    'manx:which',
    '--here:now',
    '--help:show this',
  ])
})

test('a description cannot end its quotes', () => {
  for (const shell of ['zsh', 'fish'] as const) assert.ok(script(shell).includes(`it'\\''s a server`))
})
