// The commands about runs: `tellurion runs …`, with their options.

import type { Command } from 'commander'
import type { ExitCode } from './fault.ts'
import { answerRun, type AnswerFlags } from './run-answer.ts'
import { exportRun, importRun, labelRun, listLabels, type ImportFlags, type TickFlags } from './run-checkpoint.ts'
import type { DeskFlags } from './run-desk.ts'
import { listRuns, type ListFlags } from './run-list.ts'
import {
  cancelRun,
  editMessage,
  forkRun,
  pauseRun,
  regenerateMessage,
  resumeRun,
  retryRun,
  steerRun,
  undoRun,
  type AnewFlags,
  type ForkFlags,
  type UndoFlags,
} from './run-order.ts'
import { showDifference, showRun, type ShowFlags } from './run-report.ts'
import { startRun, type StartFlags } from './run-start.ts'
import { showEvents, showMessages, type EventFlags } from './run-watch.ts'
import type { Host } from './setting.ts'
import { defaultStore } from './store-choice.ts'

/** What the commands need of the command line they are part of. */
export interface RunCommandContext {
  readonly host: Host
  readonly end: (code: ExitCode) => void
  /** Adds the options of the agent that works. */
  readonly agentOptions: (command: Command) => Command
}

/** Adds `runs`. */
export function addRunCommands(program: Command, { host, end, agentOptions }: RunCommandContext): void {
  const runs = program
    .command('runs')
    .description('durable runs: start them, look at them, steer them')
    .helpCommand(false)
  const verbs = new Verbs(runs, end)

  agentOptions(storeOption(runs.command('start')))
    .description('start a durable run, and watch it to its end')
    .argument('<question...>', "the question, or '-' to read it from standard input")
    .option('--agent <name>', 'whom to ask; default: the first')
    .option('--session <id>', 'the conversation that it goes on')
    .option('--priority <n>', 'higher ones go first', '0')
    .option('--key <key>', 'the same key gives the same run again')
    .option('--detach', 'leave it to a worker, and print its id')
    .option('--json', 'print events and the result as lines of JSON')
    .action(async (words: string[], flags: StartFlags) => end(await startRun(words, flags, host)))

  verbs
    .add('list', 'the newest runs')
    .option('--status <names>', 'only these, such as running,waiting')
    .option('--agent <name>', 'only runs of this agent')
    .option('--session <id>', 'only runs of this session')
    .option('--limit <n>', 'at most so many', '20')
    .action(async (flags: ListFlags) => end(await listRuns(flags, host)))
  verbs
    .add('show <run>', 'one run in full: how it stands, what it said, what it asks')
    .option('--tick <n>', 'its world as it was after this tick')
    .action(async (id: string, flags: ShowFlags) => end(await showRun(id, flags, host)))
  verbs
    .add('events <run>', 'what has happened in it')
    .option('--follow', 'go on showing until it ends')
    .option('--after <n>', 'only events after this number', '0')
    .action(async (id: string, flags: EventFlags) => end(await showEvents(id, flags, host)))
  verbs
    .add('messages <run>', 'what was said in it, with ids for edit and regenerate')
    .action(async (id: string, flags: DeskFlags) => end(await showMessages(id, flags, host)))
  verbs
    .add('diff <run> <from> <to>', 'what changed in its world between two ticks')
    .action(async (id: string, from: string, to: string, flags: DeskFlags) =>
      end(await showDifference(id, [from, to], { flags, host })),
    )
  verbs
    .add('answer <run> <answer...>', 'approve, deny, or what it asked for')
    .option('--interaction <id>', 'which one, where it asks several things')
    .option('--by <name>', 'who answers, in a store; default: user')
    .action(async (id: string, words: string[], flags: AnswerFlags) =>
      end(await answerRun([id, ...words], flags, host)),
    )
  verbs
    .add('steer <run> <text...>', 'say something in the middle of the work')
    .action(async (id: string, words: string[], flags: DeskFlags) => end(await steerRun(id, words, { flags, host })))
  verbs.order('pause', 'stop it after its present tick', pauseRun, host)
  verbs.order('resume', 'let a paused run go on', resumeRun, host)
  verbs.order('cancel', 'end it; what it has is kept', cancelRun, host)
  verbs.order('retry', 'give a failed run another try', retryRun, host)
  addPastCommands(verbs, { host, end })
}

function addPastCommands(verbs: Verbs, { host, end }: Pick<RunCommandContext, 'host' | 'end'>): void {
  const cancel = ['--cancel', 'cancel it first, where it is live'] as const
  verbs
    .add('fork <run>', 'another run that goes on from one of its ticks')
    .requiredOption('--tick <n>', 'the tick, or its label')
    .option('--say <text>', 'something new to say there')
    .action(async (id: string, flags: ForkFlags) => end(await forkRun(id, { flags, host })))
  verbs
    .add('undo <run>', 'put its session back; later runs go on from there')
    .option('--ticks <n>', 'by so many ticks', '1')
    .option('--to <tick>', 'to this tick or label instead')
    .option(...cancel)
    .action(async (id: string, flags: UndoFlags) => end(await undoRun(id, { flags, host })))
  verbs
    .add('checkpoint <run> <label>', 'name one of its ticks, to be gone back to')
    .option('--tick <n>', 'the tick; default: the newest')
    .action(async (id: string, label: string, flags: TickFlags) => end(await labelRun(id, label, { flags, host })))
  verbs.order('checkpoints', 'the names of its ticks', listLabels, host)
  verbs
    .add('export <run> <file>', 'write its world to a file that goes on elsewhere')
    .option('--tick <n>', 'the tick, or its label; default: the newest')
    .action(async (id: string, path: string, flags: TickFlags) => end(await exportRun(id, path, { flags, host })))
  verbs
    .add('import <file>', 'a run that goes on from such a file, in a session of its own')
    .option('--session <id>', 'the id of that session')
    .option('--say <text>', 'something new to say there')
    .action(async (path: string, flags: ImportFlags) => end(await importRun(path, { flags, host })))
  verbs
    .add('edit <message> <text...>', 'go on as if a message had been another')
    .option(...cancel)
    .action(async (id: string, words: string[], flags: AnewFlags) => end(await editMessage(id, words, { flags, host })))
  verbs
    .add('regenerate <message>', 'have the model answer anew')
    .option(...cancel)
    .action(async (id: string, flags: AnewFlags) => end(await regenerateMessage(id, { flags, host })))
}

/** The commands below `runs`. */
class Verbs {
  readonly #runs: Command
  readonly #end: (code: ExitCode) => void

  constructor(runs: Command, end: (code: ExitCode) => void) {
    this.#runs = runs
    this.#end = end
  }

  add(usage: string, description: string): Command {
    return storeOption(this.#runs.command(usage).description(description))
      .option('--json', 'print JSON')
      .option('--verbose', 'show where an error came from')
  }

  /** A command that takes a run and nothing else. */
  order(name: string, description: string, give: typeof cancelRun, host: Host): void {
    this.add(`${name} <run>`, description).action(async (id: string, flags: DeskFlags) =>
      this.#end(await give(id, { flags, host })),
    )
  }
}

/** Adds what says whom a command asks: a server, or a store. */
export function placeOptions(command: Command, { store }: { readonly store: string }): Command {
  return command
    .option('--server <url>', 'ask this server; default: TELLURION_URL, if there is one')
    .option('--store <url>', store)
    .option('--config <file>', 'the configuration; default: tellurion.config.ts, .js or .json, if there is one')
}

function storeOption(command: Command): Command {
  return placeOptions(command, { store: `where runs are kept; default: DATABASE_URL, else ${defaultStore}` })
}
