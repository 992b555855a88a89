// What the commands that talk to the demo agent have in common: options, and the agent made of them.

import type { Agent, Event } from 'tellurion'
import { createLog, logEvents } from 'tellurion/trace'
import { demoAgent } from '../demo/demo-agent.ts'
import { openFileRoot } from '../demo/file-root.ts'
import { UsageError } from './fault.ts'
import { inert } from '../terminal/inert.ts'
import type { Streams } from './line-input.ts'
import { chooseModel, commandEnvironment, type ModelChoice } from './model-choice.ts'

/** The process as a command sees it. */
export interface Host extends Streams {
  readonly stdin: Streams['stdin'] & AsyncIterable<string | Uint8Array>
  readonly stderr: Streams['stdout']
  readonly env: Readonly<Record<string, string | undefined>>
  /** Ends the process at once; absent where it is not ours to end. */
  exit?(code: number): void
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
}

/** Options of every command that talks to the demo agent, as commander gives them. */
export interface AgentFlags {
  readonly model?: string
  readonly root: string
  readonly ask?: boolean
  readonly verbose?: boolean
}

/** An agent ready to talk, and what it talks to. */
export interface Setting {
  readonly agent: Agent
  readonly choice: ModelChoice
  /** The real path of the folder whose files may be read. */
  readonly root: string
  /** Writes debug lines where `--verbose` asks for them. */
  readonly trace: (event: Event) => void
}

/** Makes the agent. Whatever is wrong with options, environment or `.env` is a `UsageError`; nothing is sent. */
export async function setUp(flags: AgentFlags, host: Host, demoDelay = 0): Promise<Setting> {
  const choice = asUsage(() => chooseModel({ name: flags.model, env: commandEnvironment(host.env), demoDelay }))
  const root = await openFileRoot(flags.root).catch((error: unknown) => asUsage(() => raise(error), '--root '))
  const agent = demoAgent({ model: choice.model, root, ask: flags.ask === true })
  return { agent, choice, root: root.path, trace: tracer(flags, host) }
}

/** What `work` gives; what it throws becomes a `UsageError` with the same words behind `prefix`. */
export function asUsage<T>(work: () => T, prefix = ''): T {
  try {
    return work()
  } catch (error) {
    throw new UsageError(prefix + (error instanceof Error ? error.message : String(error)), { cause: error })
  }
}

function raise(error: unknown): never {
  throw error
}

/** Writes debug lines about events where `--verbose` asks for them. */
export function tracer({ verbose }: { readonly verbose?: boolean }, host: Host): (event: Event) => void {
  if (verbose !== true) return () => {}
  const write = (line: string): void => void host.stderr.write(`${inert(line)}\n`)
  return logEvents(createLog({ level: 'debug', format: 'text', write }))
}
