// The agent: configuration, and how it furnishes a world. It holds no state; the same object is run in memory, by a
// runtime, or by a server.

import { TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import type { UserInput } from '../message/message.ts'
import { asModel, type AnyModel } from '../model/any-model.ts'
import type { Model, PriceFunction } from '../port/model.ts'
import type { Schema } from '../schema/infer.ts'
import { createApproval, type ApprovalRule } from '../tool/approval.ts'
import type { Permissions } from '../tool/permission.ts'
import { createToolbox, isToolbox, type Toolbox, type Tools } from '../tool/toolbox.ts'
import type { Component } from '../world/component.ts'
import type { Entity } from '../world/entity.ts'
import { World, type System } from '../world/world.ts'
import type { AgentStream } from './agent-stream.ts'
import { agentComponents, Budget, Conversation, ConversationLimit, LLM, type BudgetLimits } from './component.ts'
import { checkBudget } from './budget-limits.ts'
import { createFileLocks, type AgentConfiguration, type StopCondition } from './configuration.ts'
import { errorHandling } from './error-handling.ts'
import { memory } from './memory.ts'
import { reasoning } from './reasoning.ts'
import type { AgentResult } from './result.ts'
import { Session } from './session.ts'
import { steering } from './steering.ts'
import { toolApproval } from './tool-approval.ts'
import { toolExecution } from './tool-execution.ts'
import type { OutputOf, TurnOptions } from './turn-options.ts'
import { userInput } from './user-input.ts'
import { broughtBy, type Brought, type Inhabitant } from './world-tool.ts'

/** What makes an agent. */
export interface AgentOptions {
  /** Matches `^[a-zA-Z0-9_-]{1,64}$`. */
  readonly name: string
  /** A model of this library or any AI SDK model. */
  readonly model: AnyModel
  /** The system text; a function is called for every model call. */
  readonly instructions?: string | (() => string | Promise<string>)
  /** Tools by name, or a toolbox. */
  readonly tools?: Tools
  /** Ends the turn, between model calls, when one of them holds. Without it, the run's `maxTicks` bounds a turn. */
  readonly stopWhen?: StopCondition | readonly StopCondition[]
  /**
   * Rules for tool calls: the first that matches decides, none that matches denies. `safeMode`: all but reads ask.
   * `permissions`: what people have granted, asked before a person is; see `createPermissions`.
   */
  readonly approval?:
    | readonly ApprovalRule[]
    | { readonly rules?: readonly ApprovalRule[]; readonly safeMode?: boolean; readonly permissions?: Permissions }
  /** What a turn may spend, reserved before each model call; `price` says what tokens cost. */
  readonly budget?: BudgetLimits & { readonly price?: PriceFunction }
  /** Systems beside the built-in ones; one with the name of a built-in takes its place. */
  readonly systems?: readonly System[]
}

const known = ['name', 'model', 'instructions', 'tools', 'stopWhen', 'approval', 'budget', 'systems']
/** Resources whose things are what their names say, whoever made them. */
const sayWhatTheyAre = ['models', 'tokenCounters']
const builtIn: readonly System[] = [userInput, steering, reasoning, toolApproval, toolExecution, memory, errorHandling]

/** An agent. Throws `invalid_option`, `unknown_option` and the errors of tools and rules when it is made. */
export class Agent {
  readonly name: string
  readonly #model: Model
  readonly #configuration: AgentConfiguration
  readonly #systems: readonly System[]
  readonly #limits: BudgetLimits | undefined
  readonly #brought: readonly Brought[]
  #template: World | undefined

  constructor(options: AgentOptions) {
    checkAgent(options)
    const { name, model, instructions, tools, stopWhen, approval, budget, systems = [] } = options
    this.name = name
    this.#model = asModel(model)
    const { price, ...limits } = budget ?? {}
    this.#limits = budget === undefined ? undefined : limits
    const box = tools === undefined || isToolbox(tools) ? tools : createToolbox(tools)
    const brought = (box?.names() ?? []).flatMap((tool) => broughtBy(box?.get(tool)) ?? [])
    const added = [...new Set([...systems, ...brought.flatMap((each) => each.systems ?? [])])]
    const replaced = new Set(added.map((system) => system.name))
    this.#systems = [...builtIn.filter((system) => !replaced.has(system.name)), ...added]
    this.#brought = brought
    const { rules, safeMode, permissions } = approval === undefined ? {} : approvalOf(approval)
    this.#configuration = whatIsSaid({
      instructions,
      tools: box,
      stopWhen: typeof stopWhen === 'function' ? [stopWhen] : stopWhen,
      approval: rules && createApproval(rules),
      safeMode,
      permissions,
      price,
    })
  }

  /** The components that its systems ask for, its own ones included: what a stored world of it may hold. */
  get components(): readonly Component[] {
    const own = this.#systems.flatMap(({ query, without, initial = [] }) => [
      ...query,
      ...without,
      ...initial.map(({ component }) => component),
    ])
    return [...new Set<Component>([...agentComponents, ...own])]
  }

  /** What a turn of it may spend. */
  get limits(): BudgetLimits | undefined {
    return this.#limits
  }

  /** The agents that its tools hand work to. */
  get others(): readonly Inhabitant[] {
    return this.#brought.flatMap(({ agents, errand }) => [...(agents?.() ?? []), ...(errand?.agents ?? [])])
  }

  /** What people have granted for its calls, where it has a place for that. */
  get permissions(): Permissions | undefined {
    return this.#configuration.permissions
  }

  /** What decides on calls of its tools, for whoever runs them by hand. */
  get authority(): Pick<AgentConfiguration, 'approval' | 'safeMode' | 'permissions'> {
    return this.#configuration
  }

  /** Its tools, for whoever lists or runs them. */
  get toolbox(): Toolbox | undefined {
    return this.#configuration.tools
  }

  /**
   * Binds this agent's model and configuration to a world and adds the systems that are missing: what a restored world
   * needs before it can go on. Throws `duplicate_name` when another agent of its name, or of one that it hands over to, is
   * bound, or something else where its systems look for documents or facts.
   */
  bindTo(world: World): void {
    const models = world.findResource<Readonly<Record<string, Model>>>('models')
    const agents = world.findResource<Readonly<Record<string, AgentConfiguration>>>('agents')
    if (boundAs(world, this.name) !== undefined) throw twice(`agent '${this.name}'`)
    world.bind('models', { ...models, [this.name]: this.#model })
    world.bind('agents', { ...agents, [this.name]: this.#configuration })
    if (world.findResource('locks') === undefined) world.bind('locks', createFileLocks())
    const present = world.systemNames()
    for (const system of this.#systems) {
      if (!present.includes(system.name)) world.addSystem(system)
      for (const [name, things] of Object.entries(system.resources ?? {})) {
        const bound = world.findResource<Readonly<Record<string, unknown>>>(name)
        const differs = (key: string): boolean => (bound?.[key] ?? things[key]) !== things[key]
        const clash = sayWhatTheyAre.includes(name) ? undefined : Object.keys(things).find(differs)
        if (clash !== undefined) throw twice(`'${clash}' in ${name}`)
        world.bind(name, { ...bound, ...things })
      }
    }
    for (const { agents } of this.#brought) {
      for (const other of agents?.() ?? []) {
        const bound = boundAs(world, other.name)
        if (bound === undefined) other.bindTo(world)
        else if (#configuration in other && other.#configuration !== bound) throw twice(`agent '${other.name}'`)
      }
    }
  }

  /** Puts this agent into a world: binds it and spawns its entity. Several agents may live in one world. */
  furnish(world: World): Entity {
    this.bindTo(world)
    return this.spawn(world)
  }

  /** Makes this agent's entity in a world it is bound to. */
  spawn(world: World): Entity {
    const initial = this.#systems.flatMap((system) => system.initial ?? [])
    const entity = world.spawn(
      LLM({ model: this.name, agent: this.name }),
      Conversation(),
      ConversationLimit({ max: null }),
      ...initial,
    )
    if (this.#limits !== undefined) world.set(entity, Budget, { limits: this.#limits })
    return entity
  }

  /** A chat that remembers, on a world of its own. */
  session(): Session {
    if (this.#template === undefined) {
      this.#template = new World({ components: agentComponents })
      this.furnish(this.#template)
    }
    return new Session(this.#template.fork(), 1 as Entity, this.name)
  }

  /** One turn of a fresh conversation. Rejects when it failed; waiting and cancelled resolve, with `status`. */
  generate<S extends Schema | undefined = undefined>(
    input: UserInput,
    options: TurnOptions<S> = {},
  ): Promise<AgentResult<OutputOf<S>>> {
    return this.session().generate(input, options)
  }

  /** One turn of a fresh conversation, to be watched, awaited, or both. */
  stream<S extends Schema | undefined = undefined>(
    input: UserInput,
    options: TurnOptions<S> = {},
  ): AgentStream<OutputOf<S>> {
    return this.session().stream(input, options)
  }
}

/** The fields that are not undefined. */
function whatIsSaid(fields: {
  [K in keyof AgentConfiguration]: AgentConfiguration[K] | undefined
}): AgentConfiguration {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function boundAs(world: World, name: string): AgentConfiguration | undefined {
  const agents = world.findResource<Readonly<Record<string, AgentConfiguration>>>('agents') ?? {}
  return Object.hasOwn(agents, name) ? agents[name] : undefined
}

function twice(what: string): TellurionError {
  return new TellurionError('duplicate_name', `This world has another ${what} already; rename one of them.`)
}

function checkAgent(options: AgentOptions): void {
  checkOptions('An agent', options, known)
  const { name, instructions, stopWhen, systems } = options
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw new TellurionError('invalid_name', "An agent's name is 1 to 64 letters, digits, '_' and '-'.")
  }
  if (instructions !== undefined && typeof instructions !== 'string' && typeof instructions !== 'function') {
    throw new TellurionError('invalid_option', 'instructions must be a text, or a function that gives one.')
  }
  checkBudget(options.budget)
  const conditions = stopWhen === undefined ? [] : Array.isArray(stopWhen) ? stopWhen : [stopWhen]
  if (!conditions.every((condition) => typeof condition === 'function')) {
    throw new TellurionError('invalid_option', 'stopWhen takes conditions such as isStepCount(20).')
  }
  if (systems !== undefined && !Array.isArray(systems)) {
    throw new TellurionError('invalid_option', 'systems must be a list of what defineSystem made.')
  }
}

const approvalKeys = ['rules', 'safeMode', 'permissions']

function approvalOf(
  approval: NonNullable<AgentOptions['approval']>,
): Exclude<NonNullable<AgentOptions['approval']>, readonly ApprovalRule[]> {
  if (isRules(approval)) return { rules: approval }
  // A name that is not known would let calls pass that were to ask.
  checkOptions('approval', approval, approvalKeys)
  return approval
}

function isRules(approval: NonNullable<AgentOptions['approval']>): approval is readonly ApprovalRule[] {
  return Array.isArray(approval)
}
