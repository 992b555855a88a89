// Results: how a turn ended and what it brought, gathered from the world.

import { TellurionError, type ErrorData } from '../error/error.ts'
import type { Interaction } from '../event/event.ts'
import { textOf, type AssistantMessage, type Message } from '../message/message.ts'
import type { FinishReason, Usage } from '../port/model.ts'
import type { CompiledSchema } from '../schema/schema.ts'
import type { Entity } from '../world/entity.ts'
import type { Stop } from '../world/runner.ts'
import type { World } from '../world/world.ts'
import { Conversation, TurnUsage } from './component.ts'
import { openInteractions } from './open-interaction.ts'
import { readOutput } from './output.ts'
import { noUsage } from './usage.ts'

/**
 * Why a turn stopped: `idle` when there was nothing left to do, a stop condition, a limit, a failure, a question to a
 * person, or the reason of a `Terminal` that a system set.
 */
export type StopReason =
  | 'idle'
  | 'stop_when'
  | 'provider_exhausted'
  | 'waiting'
  | 'paused'
  | 'max_ticks'
  | 'budget'
  | 'failed'
  | 'aborted'
  | (string & Record<never, never>)

/** What a turn brought. `generate` rejects for a failed one, with this in `error.result`; all others resolve. */
export interface AgentResult<Output = undefined> {
  readonly status: 'succeeded' | 'waiting' | 'cancelled' | 'failed'
  /** The text of the newest reply of this turn; empty when there is none. */
  readonly text: string
  /** The object of the asked shape; undefined unless the turn succeeded and a schema was given. */
  readonly output: Output
  /** What joined the conversation in this turn, the input included. */
  readonly messages: readonly Message[]
  /** Model calls of this turn. */
  readonly steps: number
  /** Tokens of all model calls of this turn. */
  readonly usage: Usage
  /** Why the newest reply ended, as the model says. */
  readonly finishReason: FinishReason | undefined
  readonly stopReason: StopReason
  /** What waits for a person; answer with `session.answer(id, …)`. */
  readonly interactions: readonly Interaction[]
}

/** What a result is made from. */
export interface Ending {
  readonly world: World
  readonly entity: Entity
  readonly stop: Stop
  /** Length of the conversation when the turn began. */
  readonly from: number
  readonly output: CompiledSchema | undefined
}

/** The result of a turn; throws the run's error, which carries the result, when it failed. */
export async function resultOf(ending: Ending): Promise<AgentResult<unknown>> {
  const { world, entity, stop, output } = ending
  const result = gather(ending)
  const error = errorOf(stop)
  if (error !== undefined) throw failed(error, { ...result, status: 'failed' })
  if (output === undefined || result.status !== 'succeeded') return result
  const reply = newestReply(world, entity, ending.from)
  const read =
    reply === undefined ? { issues: [{ message: 'there is no reply' }] } : await readOutput(textOf(reply), output)
  if (read.issues === undefined) return { ...result, output: read.value }
  const message = `The run ended without the asked output: ${read.issues[0]?.message ?? 'it does not match the schema'}.`
  throw failed({ code: 'output_invalid', message, retryable: false }, { ...result, status: 'failed' })
}

function gather({ world, entity, stop, from }: Ending): AgentResult<undefined> {
  const conversation = world.require(entity, Conversation)
  const { steps, usage, finishReason } = world.get(entity, TurnUsage) ?? { steps: 0, usage: noUsage }
  const reply = newestReply(world, entity, from)
  return {
    status: statusOf(stop),
    text: reply === undefined ? '' : textOf(reply),
    output: undefined,
    messages: conversation.slice(Math.min(from, conversation.length)),
    steps,
    usage,
    finishReason,
    stopReason: stopReasonOf(stop),
    interactions: openInteractions(world),
  }
}

/** The kernel's reason in the words of agents. */
export function stopReasonOf({ reason, terminal, error }: Stop): StopReason {
  if (reason === 'terminal') return terminal ?? 'terminal'
  return reason === 'failed' && error?.code === 'budget_exceeded' ? 'budget' : reason
}

function statusOf({ reason }: Stop): AgentResult['status'] {
  switch (reason) {
    case 'idle':
    case 'terminal':
      return 'succeeded'
    case 'waiting':
    case 'paused':
      return 'waiting'
    case 'aborted':
      return 'cancelled'
    case 'max_ticks':
    case 'failed':
      return 'failed'
    default:
      return reason satisfies never
  }
}

function errorOf({ reason, error, ticks }: Stop): ErrorData | undefined {
  switch (reason) {
    case 'failed':
      return error ?? { code: 'run_failed', message: 'The run failed.', retryable: false }
    case 'max_ticks':
      return {
        code: 'run_limit',
        message: `The run reached its limit of ${ticks} ticks: raise maxTicks or budget.ticks, or set stopWhen.`,
        retryable: false,
      }
    default:
      return undefined
  }
}

function failed(data: ErrorData, result: AgentResult<undefined>): TellurionError {
  const error = TellurionError.from(data)
  error.result = result
  return error
}

function newestReply(world: World, entity: Entity, from: number): AssistantMessage | undefined {
  const conversation = world.require(entity, Conversation)
  for (let index = conversation.length - 1; index >= Math.min(from, conversation.length); index--) {
    const message = conversation.at(index)
    if (message?.role === 'assistant') return message
  }
  return undefined
}
