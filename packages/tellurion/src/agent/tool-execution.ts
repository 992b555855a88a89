// Tool execution: decides what has no decision, performs what is allowed, and moves results to the conversation in call
// order. It never throws for what a tool does: every call gets exactly one result.

import { messageOf, TellurionError } from '../error/error.ts'
import type { ToolCallPart } from '../message/message.ts'
import type { TaintSource } from '../message/trust.ts'
import type { Artifacts } from '../tool/artifact.ts'
import { decide, type Allowed, type Decided, type Decision, type Denied } from '../tool/decide.ts'
import { perform } from '../tool/perform.ts'
import { isRejection, prepare, type Prepared, type Rejection } from '../tool/prepare.ts'
import { errorOutcome, valueOutcome, type ResultOptions, type ToolOutcome } from '../tool/result.ts'
import type { ToolSource } from '../tool/tool.ts'
import type { Entity } from '../world/entity.ts'
import { Failure, Halted, Terminal, Wait } from '../world/lifecycle.ts'
import { defineSystem } from '../world/system.ts'
import type { SystemContext, World } from '../world/world.ts'
import { capsOf } from './caps.ts'
import {
  Children,
  Conversation,
  PendingToolCalls,
  Taint,
  SandboxConfig,
  ToolApproval,
  ToolRegistry,
  ToolResults,
  type Child,
  type PendingToolCall,
} from './component.ts'
import { clockOf, artifactsOf, configurationOf, scheduleOf, type AgentConfiguration } from './configuration.ts'
import { ask } from './open-interaction.ts'
import { taintByResult } from './taint.ts'
import { partOf, resultOfCall, takeResult } from './tool-results.ts'
import { broughtBy, type Brought } from './world-tool.ts'

/** What one pass over an entity's calls works with. */
interface Pass {
  readonly context: SystemContext
  readonly configuration: AgentConfiguration
  readonly toolbox: ToolSource
  readonly taint: readonly TaintSource[] | undefined
}

/** Runs pending tool calls. Priority 5. */
export const toolExecution = defineSystem({
  name: 'toolExecution',
  priority: 5,
  query: [PendingToolCalls, Conversation],
  without: [Halted, Terminal, Failure],
  each(entity, world, context) {
    const configuration = configurationOf(world, entity)
    const taint = world.get(entity, Taint)
    const pass = { context, configuration, toolbox: sourceFor(world, entity, configuration), taint }
    const results = world.get(entity, ToolResults)
    const children = world.get(entity, Children)
    const now = children === undefined ? 0 : clockOf(world).now()
    const open: PendingToolCall[] = []
    for (const call of world.require(entity, PendingToolCalls)) {
      // It waits for a person, or has its result and only waits for an earlier one.
      if (call.decision?.verdict === 'ask' || resultOfCall(results, call) !== undefined) continue
      if (children === undefined || !isElsewhere(world, entity, { call, children, now })) open.push(call)
    }
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
function decideOnce(call: PendingToolCall, { toolbox, configuration, taint }: Pass): Decided | Promise<Decided> {
  const { approval, safeMode, permissions } = configuration
  const { decision } = call
  if (decision === undefined) return decide(partOf(call), { toolbox, approval, safeMode, permissions, taint })
  if (permissions === undefined || !('grant' in decision)) return { decision }
  // An answer that stands for later calls is written down first; the same one again changes nothing.
  return permissions.grant(decision.grant).then(() => ({ decision }))
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
  const brought = decided.decision.verdict === 'allow' ? broughtBy(pass.toolbox.get(call.toolName)) : undefined
  if (brought?.change !== undefined || brought?.errand !== undefined) return actInside(world, entity, given, brought)
  if (decided.decision.verdict !== 'allow' || !neverRepeats(world, pass, call.toolName)) {
    return begin(world, entity, given)
  }
  if (call.started) return import('./allowance.ts').then(({ askOutcome }) => askOutcome(world, entity, call))
  const begun = { ...call, decision: decided.decision, started: true } as const
  world.update(entity, PendingToolCalls, (calls) => calls.map((each) => (each.key === call.key ? begun : each)))
  return Promise.resolve(pass.context.commit()).then(() => begin(world, entity, given))
}

/** A call that changes this world, or is work for another agent. */
function actInside(world: World, entity: Entity, given: Start, brought: Brought): Promise<void> | undefined {
  const { part, pass, decided } = given
  const prepared = decided.prepared ?? prepare(part, pass.toolbox)
  return prepared instanceof Promise
    ? prepared.then((ready) => act(world, entity, { ...given, brought, ready }))
    : act(world, entity, { ...given, brought, ready: prepared })
}

function act(
  world: World,
  entity: Entity,
  given: Start & { brought: Brought; ready: Prepared | Rejection },
): Promise<void> | undefined {
  const { part, call, pass, brought, ready } = given
  const { context } = pass
  if (isRejection(ready)) {
    return finish(world, entity, errorOutcome(part, ready.code, ready.message), { ...given, tool: undefined })
  }
  const { input, tool } = ready
  const { change, errand } = brought
  if (errand !== undefined) {
    return import('./allowance.ts').then(({ tendChild }) => tendChild(world, entity, { call, errand, input, context }))
  }
  world.emit({ type: 'tool.started', entity, toolCallId: part.toolCallId, toolName: part.toolName })
  let outcome: ToolOutcome | Promise<ToolOutcome>
  try {
    outcome = valueOutcome(part, change?.(world, entity, input as never), { maxLength: Infinity })
  } catch (error) {
    const code = error instanceof TellurionError ? error.code : 'tool_failed'
    outcome = errorOutcome(part, code, `The tool '${part.toolName}' failed: ${messageOf(error)}`)
  }
  return finish(world, entity, outcome as ToolOutcome, { ...given, tool })
}

/** Whether somebody else is at work for a call: there is nothing to do for it but to wait. */
function isElsewhere(
  world: World,
  entity: Entity,
  { call, children, now }: { call: PendingToolCall; children: readonly Child[]; now: number },
): boolean {
  const child = children.find(({ toolCallId }) => toolCallId === call.toolCallId)
  if (child === undefined || child.end !== undefined || (child.due ?? Infinity) <= now) return false
  if (child.parked !== undefined) return child.answers === undefined
  return (world.get(entity, Wait) ?? []).some(({ id }) => id === child.id)
}

/** Performs a call and keeps its result; a promise only where it takes time. */
function begin(world: World, entity: Entity, given: Start): Promise<void> | undefined {
  const { part, call, pass, decided } = given
  const { context } = pass
  const { toolCallId, toolName } = part
  if (decided.decision.verdict === 'allow') {
    world.emit({ type: 'tool.started', entity, toolCallId, toolName })
  }
  const limits = world.get(entity, SandboxConfig)
  // The tool that is run: its server may take it back while it runs, and what it says is a stranger's all the same.
  const tool = decided.decision.verdict === 'allow' ? (decided.prepared?.tool ?? pass.toolbox.get(toolName)) : undefined
  const outcome = perform(part, decided, {
    toolbox: pass.toolbox,
    schedule: scheduleOf(world),
    clock: clockOf(world),
    runId: world.findResource<string>('runId') ?? '',
    user: world.findResource<string>('user'),
    idempotencyKey: call.key,
    timeout: Math.min(capsOf(world).toolTimeout ?? Infinity, limits?.timeout ?? Infinity),
    limits,
    signal: context.signal,
    results: new LateArtifacts(world, limits?.maxOutput),
    onProgress: (progress) => world.emit({ type: 'tool.progress', entity, toolCallId, toolName, progress }),
  })
  if (outcome instanceof Promise) return outcome.then((each) => finish(world, entity, each, { call, pass, tool }))
  return finish(world, entity, outcome, { call, pass, tool })
}

/** Whether a call, once begun, must not begin again by itself. In memory nothing outlives the process anyway. */
function neverRepeats(world: World, { toolbox }: Pass, toolName: string): boolean {
  return world.findResource('durable') === true && toolbox.get(toolName)?.effects.repeat === 'never'
}

/** Artifacts are made when the first result is too long. */
class LateArtifacts implements ResultOptions {
  readonly #world: World
  readonly maxLength: number | undefined

  constructor(world: World, maxLength: number | undefined) {
    this.#world = world
    this.maxLength = maxLength
  }

  get artifacts(): Artifacts {
    return artifactsOf(this.#world)
  }

  /** Keys of calls are unique for ever where runs are durable; in memory no call outlives the process. */
  get recall(): boolean {
    return this.#world.findResource('durable') === true
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

function whoDecided({ by, permission }: Allowed | Denied): { by: string; permission?: string } {
  return permission === undefined ? { by } : { by, permission }
}

/** Shows a decision; asks a person where it says so. */
function announce(world: World, entity: Entity, call: PendingToolCall, decision: Decision): void {
  const { toolCallId, toolName, input } = call
  switch (decision.verdict) {
    case 'allow':
      if (decision.by !== 'default') world.emit({ type: 'tool.approved', entity, toolCallId, ...whoDecided(decision) })
      return
    case 'deny':
      world.emit({ type: 'tool.denied', entity, toolCallId, reason: decision.reason, ...whoDecided(decision) })
      return
    case 'ask': {
      const { prompt, inputHash, taint } = decision
      const { timeout } = world.get(entity, ToolApproval) ?? {}
      const due = timeout === undefined ? {} : { due: clockOf(world).now() + timeout }
      const id = interactionId(call)
      const more = taint === undefined ? due : { ...due, taint }
      ask(world, entity, { id, kind: 'approval', entity, prompt, toolCallId, toolName, input, inputHash, ...more })
      return
    }
    case 'reject':
      return
    default:
      decision satisfies never
  }
}

/** Keeps a result and whose words it is, moves what is ready to the conversation, and commits: no crash loses it. */
function finish(
  world: World,
  entity: Entity,
  outcome: ToolOutcome,
  { call, pass, tool }: Pick<Start, 'call' | 'pass'> & { readonly tool: Prepared['tool'] | undefined },
): Promise<void> | undefined {
  if (tool !== undefined) taintByResult(world, entity, { call, outcome, trust: tool.trust })
  takeResult(world, entity, outcome)
  return pass.context.commit() as Promise<void> | undefined
}

/** An approval's id follows from the call's key: unique, and the same after a crash. */
function interactionId({ key }: PendingToolCall): string {
  return `approval-${key}`
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
