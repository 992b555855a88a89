// Turns: input until idle. Prepares the world, runs it, sleeps over retries, and says how it ended.

import { isAbort } from '../abort/abort.ts'
import { sleep } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { systemIds, type Ids } from '../id/id.ts'
import type { UserMessage } from '../message/message.ts'
import type { Schema } from '../schema/infer.ts'
import { compileSchema, type CompiledSchema } from '../schema/schema.ts'
import type { Entity } from '../world/entity.ts'
import type { History } from '../world/history.ts'
import { run, type Stop } from '../world/runner.ts'
import type { World } from '../world/world.ts'
import { ticksUnder } from './budget-limits.ts'
import { Budget, Conversation, LLM, Output, Streaming, TurnUsage } from './component.ts'
import { clockOf } from './configuration.ts'
import { hear, renewBudget } from './conversation.ts'
import { openInteractions } from './open-interaction.ts'
import { resultOf, type AgentResult } from './result.ts'
import { closeCalls } from './tool-results.ts'
import type { TurnOptions } from './turn-options.ts'
import { noUsage } from './usage.ts'

/** A turn that is about to run. */
export interface Turn {
  readonly world: World
  readonly entity: Entity
  readonly agent: string
  readonly options: TurnOptions<Schema | undefined>
  readonly streams: boolean
  readonly history?: History | undefined
  /** Input, or nothing when the turn goes on after an answer. */
  readonly input?: UserMessage
}

/** Runs a turn, whose options are checked, to its end. Rejects with the run's error when it failed. */
export async function runTurn(turn: Turn): Promise<AgentResult<unknown>> {
  const { world, entity } = turn
  const output = prepare(turn)
  let stop = await drive(turn)
  for (let due = dueOf(stop, world); due !== undefined; due = dueOf(stop, world)) {
    stop = await driveLater(turn, stop, due)
  }
  if (stop.reason !== 'waiting' && stop.reason !== 'paused') closeCalls(world, entity)
  try {
    const { from = 0 } = world.get(entity, TurnUsage) ?? {}
    const result = await resultOf({ world, entity, stop, from, output })
    if (result.status === 'waiting') world.emit({ type: 'run.waiting', interactions: result.interactions })
    else if (result.status === 'cancelled') world.emit({ type: 'run.cancelled' })
    else world.emit({ type: 'run.succeeded', stopReason: result.stopReason })
    return result
  } catch (error) {
    if (error instanceof TellurionError) {
      world.emit({ type: 'run.failed', stopReason: stop.reason, error: error.toJSON() })
    }
    throw error
  }
}

/** Puts input and wishes into the world. */
function prepare({ world, entity, agent, options, streams, input }: Turn): CompiledSchema | undefined {
  const output = options.output === undefined ? undefined : compileSchema(options.output, 'the output schema')
  for (const [name, resource] of Object.entries(options.resources ?? {})) world.bind(name, resource)
  world.emit({ type: 'run.started', agent })
  const ids = world.findResource<Ids>('ids') ?? systemIds
  if (options.resources?.['runId'] === undefined) world.bind('runId', ids('run'))
  if (input !== undefined) {
    const from = world.require(entity, Conversation).length
    hear(world, entity, input)
    world.set(entity, TurnUsage, { steps: 0, usage: noUsage, from })
    renewBudget(world, entity)
  }
  if (output !== undefined) {
    world.bind('output', output)
    world.set(entity, Output, { name: 'output', schema: output.jsonSchema, repairs: 0 })
  } else if (input !== undefined) world.remove(entity, Output)
  if (streams) world.set(entity, Streaming, { enabled: true })
  else world.remove(entity, Streaming)
  const { settings } = options
  if (settings !== undefined)
    world.update(entity, LLM, (llm) => ({ ...llm, settings: { ...llm.settings, ...settings } }))
  return output
}

/** Ticks until nothing more can be done now. */
function drive({ world, entity, options, history }: Turn): Promise<Stop> {
  const { abortSignal, maxTicks = ticksUnder(world.get(entity, Budget)?.limits) } = options
  return run(world, { main: entity, clock: clockOf(world), signal: abortSignal, maxTicks, history })
}

/** When a turn goes on by itself that has stopped: nobody is asked, something is only halted until then. */
function dueOf({ reason, due }: Stop, world: World): number | undefined {
  return reason === 'waiting' && openInteractions(world).length === 0 ? due : undefined
}

/** Waits until `due` and ticks on. */
async function driveLater(turn: Turn, { ticks }: Stop, due: number): Promise<Stop> {
  const { abortSignal: signal } = turn.options
  const clock = clockOf(turn.world)
  try {
    await sleep(due - clock.now(), { clock, signal })
  } catch (error) {
    if (!isAbort(error, signal)) throw error
    return { reason: 'aborted', ticks }
  }
  return drive(turn)
}
