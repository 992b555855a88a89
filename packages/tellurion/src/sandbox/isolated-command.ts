// A program in a namespace of its own, as a command that anybody can start: for servers that talk over stdin and stdout,
// such as those of MCP. It sees the system read-only and the paths that were named; it dies with whoever started it.

import { isAbsolute, resolve } from 'node:path'
import { checkOptions } from '../error/option.ts'
import { TellurionError } from '../error/error.ts'
import {
  bubblewrapArguments,
  findBubblewrap,
  findProgram,
  inheritedDescriptors,
  shellWithoutProfile,
  type Bind,
} from './bubblewrap.ts'
import { sandboxUser } from './sandbox-user.ts'
import { systemCallFilter } from './system-call-filter.ts'

/** What is to run, and what it may touch. */
export interface IsolatedCommandOptions {
  /** A program: an absolute path, or a name that is looked up inside along `PATH`. */
  readonly command: string
  readonly args?: readonly string[] | undefined
  /** Absolute paths of the host that it may read, seen at the same place. /usr is always there. */
  readonly readOnly?: readonly string[] | undefined
  /** Absolute paths of the host that it may also write. */
  readonly readWrite?: readonly string[] | undefined
  /** Its whole environment, beside `PATH`, `HOME` and `TMPDIR`, which are the sandbox's own unless given. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Whether it keeps the host's network, with all that listens on it. Default false. */
  readonly network?: boolean | undefined
  /** The folder it starts in. Default /tmp, which is empty and in memory. */
  readonly folder?: string | undefined
  /**
   * Whether it stays the user that this process is, without any of its special rights. Default: where `readWrite` names
   * something. Else, where this process is root, it becomes a user that owns nothing.
   */
  readonly keepUser?: boolean | undefined
}

/** What to start: without a shell, with exactly this environment, and with stdin, stdout and stderr alone. */
export interface IsolatedCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const known = ['command', 'args', 'readOnly', 'readWrite', 'env', 'network', 'folder', 'keepUser']
const memory = 256 * 1024 * 1024

/** What starters such as the MCP client add from their own environment although nobody named it. */
const addedByOthers = ['HOME', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'USER']

/**
 * Wraps a command so that it runs under bubblewrap: all namespaces unshared (the network's unless it is given), no
 * capabilities, the system read-only, a filter of system calls, no descriptor above 2, an environment of named variables
 * only, killed with the process that starts it. Throws `sandbox_unavailable` where bubblewrap is missing: there is no
 * weaker way that this falls back to. `invalid_option` for paths that are not absolute and names that are none.
 */
export function isolatedCommand(options: IsolatedCommandOptions): IsolatedCommand {
  checkOptions('isolatedCommand', options, known)
  const { command, args = [], env: given = {}, network = false, folder = '/tmp' } = options
  const readOnly = binds('readOnly', options.readOnly)
  const readWrite = binds('readWrite', options.readWrite)
  checkText('command', [command, folder, ...args])
  if (command === '')
    throw new TellurionError('invalid_option', 'isolatedCommand needs a command, as a path or a name.')
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/tmp', TMPDIR: '/tmp', ...checkEnvironment(given) }
  const { keepUser = readWrite.length > 0 } = options
  const root = bubblewrapArguments({ readOnly, readWrite, memory: { '/tmp': memory }, network, folder })
  const inside = [findBubblewrap(), ...root, '--seccomp', '9', '--', command, ...args]
  const [shell = '/bin/sh', ...flags] = shellWithoutProfile()
  const script = wrapper(Object.keys(env), network)
  return { command: shell, args: [...flags, '-c', script, 'sandbox', ...changeUser(keepUser), ...inside], env }
}

/**
 * The shell's part, with no text of the caller's in it but names of variables: forgets what it was not to have, hands
 * over the filter by descriptor 9, and keeps the given stdin for the program.
 */
function wrapper(names: readonly string[], network: boolean): string {
  const closing = inheritedDescriptors().map((descriptor) => `exec ${descriptor}>&-`)
  const unnamed = [...addedByOthers.filter((name) => !names.includes(name)), 'OLDPWD', 'PWD', 'SHLVL']
  const filter = [...systemCallFilter({ netlink: network })].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`)
  return [
    ...closing,
    `unset ${unnamed.join(' ')}`,
    `exec 8<&0`,
    `printf '${filter.join('')}' | exec "$@" 9<&0 0<&8 8<&-`,
  ].join('\n')
}

function changeUser(keepUser: boolean): string[] {
  const user = keepUser ? undefined : sandboxUser()
  if (user === undefined) return []
  const setpriv = findProgram('setpriv')
  if (setpriv === undefined) {
    throw new TellurionError(
      'sandbox_unavailable',
      'setpriv is not installed, and root needs it: apt-get install util-linux',
    )
  }
  return [setpriv, `--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--']
}

function binds(option: string, paths: readonly string[] = []): Bind[] {
  if (!Array.isArray(paths)) throw new TellurionError('invalid_option', `${option} must be a list of absolute paths.`)
  checkText(option, paths)
  return paths.map((path) => {
    if (isAbsolute(path)) return { from: resolve(path) }
    throw new TellurionError('invalid_option', `${option} takes absolute paths: resolve(${JSON.stringify(path)}).`)
  })
}

function checkText(option: string, texts: readonly unknown[]): void {
  if (texts.every((text) => typeof text === 'string' && !text.includes('\0'))) return
  throw new TellurionError('invalid_option', `${option} must be text without NUL characters.`)
}

function checkEnvironment(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(env)) {
    checkText(`env.${name}`, [value])
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) continue
    throw new TellurionError('invalid_option', `env has a name that is none: ${JSON.stringify(name)}.`)
  }
  return env
}
