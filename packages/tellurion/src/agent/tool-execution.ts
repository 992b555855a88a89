// Tool execution: decides what has no decision, performs what is allowed, and moves results to the conversation in call
// order. It never throws for what a tool does: every call gets exactly one result.

import type { Interaction } from '../event/event.ts'
import { textOf, type Message, type ToolCallPart } from '../message/message.ts'
import type { Artifacts } from '../tool/artifact.ts'
import { decide, type Decided, type Decision } from '../tool/decide.ts'
import { perform } from '../tool/perform.ts'
import { errorOutcome, toolMessage, type ResultOptions, type ToolOutcome } from '../tool/result.ts'
import type { ToolSource } from '../tool/tool.ts'
import type { Entity } from '../world/entity.ts'
import { Failure, Halted, Terminal, Wait } from '../world/lifecycle.ts'
import type { LogView } from '../world/log.ts'
import { defineSystem } from '../world/system.ts'
import type { SystemContext, World } from '../world/world.ts'
import {
  Conversation,
  PendingToolCalls,
  ToolApproval,
  ToolRegistry,
  ToolResults,
  type PendingToolCall,
} from './component.ts'
import { clockOf, artifactsOf, configurationOf, scheduleOf, type AgentConfiguration } from './configuration.ts'
import { say } from './conversation.ts'

/** What one pass over an entity's calls works with. */
interface Pass {
  readonly context: SystemContext
  readonly configuration: AgentConfiguration
  readonly toolbox: ToolSource
}

/** Runs pending tool calls. Priority 5. */
export const toolExecution = defineSystem({
  name: 'toolExecution',
  priority: 5,
  query: [PendingToolCalls, Conversation],
  without: [Halted, Terminal, Failure],
  each(entity, world, context) {
    const configuration = configurationOf(world, entity)
    const pass = { context, configuration, toolbox: sourceFor(world, entity, configuration) }
    const results = world.get(entity, ToolResults)
    // The others wait for a person, or have their result and only wait for an earlier one.
    const open = world
      .require(entity, PendingToolCalls)
      .filter((call) => call.decision?.verdict !== 'ask' && resultOfCall(results, call) === undefined)
    const [only, second] = open
    if (only === undefined) return undefined
    if (second === undefined) {
      const decision = decideOnce(only, pass)
      return decision instanceof Promise
        ? decision.then((decided) => carryOutOne(world, entity, { call: only, pass, decided }))
        : carryOutOne(world, entity, { call: only, pass, decided: decision })
    }
    const decided = open.map((call) => decideOnce(call, pass))
    if (!decided.some((each) => each instanceof Promise)) {
      return carryOut(world, entity, { open, decided: decided as Decided[], pass })
    }
    return Promise.all(decided).then((all) => carryOut(world, entity, { open, decided: all, pass }))
  },
})

/** The decision of a call: the recorded one, or a new one. */
function decideOnce(call: PendingToolCall, { toolbox, configuration }: Pass): Decided | Promise<Decided> {
  if (call.decision !== undefined) return { decision: call.decision }
  const { approval, safeMode } = configuration
  return decide(partOf(call), { toolbox, approval, safeMode })
}

/** Shows and keeps what was decided, in call order, and performs what is allowed; a promise only where that takes time. */
function carryOut(
  world: World,
  entity: Entity,
  { open, decided, pass }: { open: readonly PendingToolCall[]; decided: readonly Decided[]; pass: Pass },
): Promise<void> | undefined {
  if (pass.context.signal.aborted) return undefined
  const decisions = new Map<string, Decision>()
  for (const [index, call] of open.entries()) {
    if (call.decision !== undefined) continue
    const { decision } = decided[index]!
    decisions.set(call.toolCallId, decision)
    announce(world, entity, call, decision)
  }
  record(world, entity, decisions)
  let waiting: Promise<void>[] | undefined
  for (const [index, call] of open.entries()) {
    if (decided[index]!.decision.verdict === 'ask') continue
    const work = start(world, entity, { part: partOf(call), call, pass, decided: decided[index]! })
    if (work !== undefined) (waiting ??= []).push(work)
  }
  if (waiting === undefined) return undefined
  return waiting.length === 1 ? waiting[0] : Promise.all(waiting).then(() => undefined)
}

/** A single call. When it has its result at once it is over before anybody could read what was decided about it. */
function carryOutOne(
  world: World,
  entity: Entity,
  { call, pass, decided }: Omit<Start, 'part'>,
): Promise<void> | undefined {
  if (pass.context.signal.aborted) return undefined
  const { decision } = decided
  const isNew = call.decision === undefined
  if (isNew) announce(world, entity, call, decision)
  const asks = decision.verdict === 'ask'
  const work = asks ? undefined : start(world, entity, { part: partOf(call), call, pass, decided })
  if (isNew && (asks || work !== undefined)) record(world, entity, new Map([[call.toolCallId, decision]]))
  return work
}

interface Start {
  readonly part: ToolCallPart
  readonly call: PendingToolCall
  readonly pass: Pass
  readonly decided: Decided
}

/** Begins a call, saving first that it begins where nobody may ever begin it again. */
function start(world: World, entity: Entity, given: Start): Promise<void> | undefined {
  const { call, pass, decided } = given
  if (decided.decision.verdict !== 'allow' || !neverRepeats(world, pass, call.toolName)) {
    return begin(world, entity, given)
  }
  if (call.started) return askOutcome(world, entity, call)
  change(world, entity, call, { decision: decided.decision, started: true })
  return Promise.resolve(pass.context.commit()).then(() => begin(world, entity, given))
}

/** Performs a call and keeps its result; a promise only where it takes time. */
function begin(world: World, entity: Entity, { part, call, pass, decided }: Start): Promise<void> | undefined {
  const { context } = pass
  const { toolCallId, toolName } = part
  if (decided.decision.verdict === 'allow') {
    world.emit({ type: 'tool.started', entity, toolCallId, toolName })
  }
  const outcome = perform(part, decided, {
    toolbox: pass.toolbox,
    schedule: scheduleOf(world),
    clock: clockOf(world),
    runId: world.findResource<string>('runId') ?? '',
    idempotencyKey: call.key,
    signal: context.signal,
    results: new LateArtifacts(world),
    onProgress: (progress) => world.emit({ type: 'tool.progress', entity, toolCallId, toolName, progress }),
  })
  if (outcome instanceof Promise) return outcome.then((each) => finish(world, entity, each, context))
  return finish(world, entity, outcome, context) as Promise<void> | undefined
}

/** Whether a call, once begun, must not begin again by itself. In memory nothing outlives the process anyway. */
function neverRepeats(world: World, { toolbox }: Pass, toolName: string): boolean {
  return world.findResource('durable') === true && toolbox.get(toolName)?.effects.repeat === 'never'
}

/** Artifacts are made when the first result is too long. */
class LateArtifacts implements ResultOptions {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  get artifacts(): Artifacts {
    return artifactsOf(this.#world)
  }
}

/** Writes decisions into their calls, in one write, so that they stand whatever happens next. */
function record(world: World, entity: Entity, decisions: ReadonlyMap<string, Decision>): void {
  if (decisions.size === 0 || !world.has(entity, PendingToolCalls)) return
  world.update(entity, PendingToolCalls, (calls) =>
    calls.map((call) => {
      const decision = call.decision === undefined ? decisions.get(call.toolCallId) : undefined
      return decision === undefined ? call : { ...call, decision }
    }),
  )
}

function change(
  world: World,
  entity: Entity,
  { toolCallId }: PendingToolCall,
  fields: Pick<PendingToolCall, 'decision' | 'started'>,
): void {
  world.update(entity, PendingToolCalls, (calls) =>
    calls.map((each) => (each.toolCallId === toolCallId ? { ...each, ...fields } : each)),
  )
}

/** Shows a decision; asks a person where it says so. */
function announce(world: World, entity: Entity, call: PendingToolCall, decision: Decision): void {
  const { toolCallId, toolName, input } = call
  switch (decision.verdict) {
    case 'allow':
      if (decision.by !== 'default') world.emit({ type: 'tool.approved', entity, toolCallId, by: decision.by })
      return
    case 'deny':
      world.emit({ type: 'tool.denied', entity, toolCallId, reason: decision.reason, by: decision.by })
      return
    case 'ask': {
      const { prompt, inputHash } = decision
      const { timeout } = world.get(entity, ToolApproval) ?? {}
      const due = timeout === undefined ? {} : { due: clockOf(world).now() + timeout }
      const id = interactionId(call)
      ask(world, entity, { id, kind: 'approval', entity, prompt, toolCallId, toolName, input, inputHash, ...due })
      return
    }
    case 'reject':
      return
    default:
      decision satisfies never
  }
}

/** A call that began in an attempt that died: only a person can know what became of it. Never a second execution. */
function askOutcome(world: World, entity: Entity, call: PendingToolCall): undefined {
  const { toolCallId, toolName, input } = call
  const prompt = `The outcome of ${toolName} is unknown: the process stopped while it ran. Run it again?`
  change(world, entity, call, { decision: { verdict: 'ask', prompt, inputHash: '', by: 'outcome unknown' } })
  const id = `outcome-${world.header.tick}-${call.key}`
  ask(world, entity, { id, kind: 'outcome', entity, prompt, toolCallId, toolName, input, inputHash: '' })
  return undefined
}

/** Opens a question to a person. */
export function ask(world: World, entity: Entity, interaction: Interaction): void {
  world.set(entity, Wait, [...(world.get(entity, Wait) ?? []), interaction])
  world.emit({ type: 'interaction.requested', entity, interaction })
}

/** Keeps a result, moves what is ready to the conversation, and commits, so that it is never lost to a crash. */
function finish(world: World, entity: Entity, outcome: ToolOutcome, context: SystemContext): void | Promise<void> {
  keep(world, entity, outcome)
  moveFinished(world, entity)
  return context.commit()
}

function keep(world: World, entity: Entity, outcome: ToolOutcome): void {
  const { toolCallId, toolName, isError, code, artifact } = outcome
  world.append(entity, ToolResults, outcome)
  const content = typeof outcome.content === 'string' ? outcome.content : textOf(toolMessage(outcome))
  const ended = { type: 'tool.ended', entity, toolCallId, toolName, content, isError: isError === true } as const
  if (code === undefined && artifact === undefined) world.emit(ended)
  else {
    world.emit({
      ...ended,
      ...(code === undefined ? {} : { code }),
      ...(artifact === undefined ? {} : { artifact: artifact.hash }),
    })
  }
}

/**
 * For a past that is gone on from: questions about calls are withdrawn, so that they are asked again under new keys, and
 * calls that were at work are closed.
 */
export function askAgain(world: World, entity: Entity): void {
  const pending = world.get(entity, PendingToolCalls)
  if (pending === undefined) return
  const done = new Set<string>()
  for (const result of world.get(entity, ToolResults) ?? []) done.add(result.toolCallId)
  const makeKey = world.findResource<(entity: Entity, index: number) => string>('callKey')
  const again = pending.map(({ decision, started: _begun, ...call }, index): PendingToolCall => {
    const { toolCallId, toolName } = call
    const key = makeKey?.(entity, index) ?? `${call.key}-again`
    const asks = decision === undefined || (decision.verdict === 'ask' && decision.by !== 'outcome unknown')
    if (asks || done.has(toolCallId)) return { ...call, key }
    keep(
      world,
      entity,
      errorOutcome(partOf(call), 'aborted', `The call of the tool '${toolName}' was cancelled by fork.`),
    )
    return { ...call, key }
  })
  world.set(entity, PendingToolCalls, again)
  moveFinished(world, entity)
  withdraw(world, entity)
}

/** A result that a person gave, for a call whose outcome nobody else knows. */
export function giveResult(world: World, entity: Entity, toolCallId: string, content: string): void {
  const call = world.require(entity, PendingToolCalls).find((each) => each.toolCallId === toolCallId)
  if (call === undefined) return
  keep(world, entity, { toolCallId, toolName: call.toolName, content })
  moveFinished(world, entity)
}

/**
 * Gives every call that has no result one that says it was cancelled, and withdraws its question: for a turn that has
 * ended, so that the conversation can go on.
 */
export function closeCalls(world: World, entity: Entity): void {
  const pending = world.get(entity, PendingToolCalls)
  if (pending === undefined) return
  const done = new Set<string>()
  for (const result of world.get(entity, ToolResults) ?? []) done.add(result.toolCallId)
  for (const call of pending) {
    if (done.has(call.toolCallId)) continue
    keep(world, entity, errorOutcome(partOf(call), 'aborted', `The call of the tool '${call.toolName}' was cancelled.`))
  }
  moveFinished(world, entity)
  withdraw(world, entity)
}

/** Every question about a call of this entity is void now; others may wait for something else. */
function withdraw(world: World, entity: Entity): void {
  const waits = world.get(entity, Wait)
  if (waits === undefined) return
  const left = waits.filter((wait) => !('toolCallId' in wait))
  if (left.length > 0) world.set(entity, Wait, left)
  else world.remove(entity, Wait)
}

/**
 * Moves the finished prefix of the batch to the conversation, in call order; its last result closes the batch. How many
 * have been moved the conversation itself tells: nothing else may follow a reply whose calls are open.
 */
function moveFinished(world: World, entity: Entity): void {
  const pending = world.require(entity, PendingToolCalls)
  const results = world.get(entity, ToolResults)
  let moved = answered(world.require(entity, Conversation))
  for (; moved < pending.length; moved++) {
    const result = resultOfCall(results, pending[moved]!)
    if (result === undefined) return
    say(world, entity, toolMessage(result))
  }
  world.remove(entity, PendingToolCalls)
}

/** The tool messages at the end of a conversation. */
function answered(conversation: LogView<Message>): number {
  let count = 0
  while (conversation.at(conversation.length - 1 - count)?.role === 'tool') count++
  return count
}

/** The newest results are the likeliest. */
function resultOfCall(
  results: LogView<ToolOutcome> | undefined,
  { toolCallId }: PendingToolCall,
): ToolOutcome | undefined {
  for (let index = (results?.length ?? 0) - 1; index >= 0; index--) {
    const result = results?.at(index)
    if (result?.toolCallId === toolCallId) return result
  }
  return undefined
}

/** An approval's id follows from the call's key: unique, and the same after a crash. */
function interactionId({ key }: PendingToolCall): string {
  return `approval-${key}`
}

function partOf({ toolCallId, toolName, input, invalidInput }: PendingToolCall): ToolCallPart {
  const part = { type: 'tool-call', toolCallId, toolName, input } as const
  return invalidInput === undefined ? part : { ...part, invalidInput }
}

const noTools: ToolSource = { get: () => undefined, names: () => [] }

/** The tools an entity may use: what its registry does not name does not exist for it. */
function sourceFor(world: World, entity: Entity, { tools }: AgentConfiguration): ToolSource {
  if (tools === undefined) return noTools
  const names = world.get(entity, ToolRegistry)?.names
  if (names === undefined) return tools
  return {
    get: (name) => (names.includes(name) ? tools.get(name) : undefined),
    names: () => tools.names().filter((name) => names.includes(name)),
  }
}
