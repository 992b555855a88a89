// The command line: its commands and options, and what becomes of whatever goes wrong in them.

import { Command, CommanderError } from 'commander'
import { chat, type LineChatFlags } from './chat.ts'
import { faultText, UsageError, type ExitCode } from './fault.ts'
import { inertLine } from '../terminal/inert.ts'
import { runQuestion, type RunFlags } from './run.ts'
import { addRunCommands, placeOptions } from './runs.ts'
import { addServerCommands } from './server-command.ts'
import type { Host } from './setting.ts'
import { testModel, type TestFlags } from './test-model.ts'
import { version } from './version.ts'

/**
 * Runs the command with these arguments. Writes at most one line about a failure, unless `--verbose` is among them.
 * 0 succeeded, 1 failed, 2 wrong usage or configuration, 130 cancelled. Never rejects.
 */
export async function main(args: readonly string[], host: Host): Promise<ExitCode> {
  let code: ExitCode = 0
  const program = commandLine(host, (ended) => {
    code = ended
  })
  try {
    await program.parseAsync(wordsFor(program, args), { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    host.stderr.write(`${faultText(error, { verbose: args.includes('--verbose') })}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

/** The arguments; help where there are none, and none for a command that is not there, so that it is said. */
function wordsFor(program: Command, args: readonly string[]): readonly string[] {
  const [first] = args
  if (first === undefined) return ['--help']
  const isKnown = first.startsWith('-') || program.commands.some((command) => command.name() === first)
  return isKnown ? args : [first]
}

function commandLine(host: Host, end: (code: ExitCode) => void): Command {
  const program = new Command('tellurion')
    .description('Agents that must not lose work.')
    .version(version(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      writeErr: (text) => void host.stderr.write(text),
      outputError: (text, write) => write(`tellurion: ${usageLine(text)}\n`),
      getOutHelpWidth: () => helpWidth(host),
      getErrHelpWidth: () => helpWidth(host),
    })

  chatOptions(program.command('chat'))
    .description('talk with an agent, here or on a server; reads lines from a pipe as well')
    .option('--plain', 'line by line at a terminal too')
    .action(async (flags: LineChatFlags) => end(await chat(flags, host)))

  chatOptions(program.command('run'))
    .description('ask an agent one question')
    .argument('<question...>', "the question, or '-' to read it from standard input")
    .option('--json', 'print events and the result as lines of JSON')
    .action(async (words: string[], flags: RunFlags) => end(await runQuestion(words, flags, host)))

  addRunCommands(program, { host, end, agentOptions })
  addServerCommands(program, { host, end, agentOptions })

  program
    .command('test-model')
    .description('ask a model a tiny question and say how it went')
    .option('--provider <name>', 'the provider; default: what the environment names')
    .option('--model <name>', "the model; default: the provider's own")
    .option('--config <file>', 'the configuration file')
    .option('--json', 'print how it went as a line of JSON')
    .option('--verbose', 'show where an error came from')
    .action(async (flags: TestFlags) => end(await testModel(flags, host)))

  return program
}

function agentOptions(command: Command): Command {
  return command
    .option('--model <vendor/name>', "the model, or 'demo'; default: what the environment or .env names")
    .option('--root <dir>', 'the folder whose files may be read', '.')
    .option('--ask', 'ask before each tool call')
    .option('--verbose', 'show debug logs, and where an error came from')
}

function chatOptions(command: Command): Command {
  return placeOptions(agentOptions(command), { store: 'keep the conversation in this store; default: in memory' })
    .option('--agent <name>', 'whom to ask; default: the first')
    .option('--session <id>', 'the conversation to go on with; default: a new one')
}

/** What commander says in several lines, in one. */
function usageLine(text: string): string {
  const line = inertLine(text).replace(/^error: /, '')
  return `${line}${/[.?)]$/.test(line) ? '' : '.'} See 'tellurion --help'.`
}

function helpWidth(host: Host): number {
  return Math.min(host.stdout.columns || 80, 100)
}
