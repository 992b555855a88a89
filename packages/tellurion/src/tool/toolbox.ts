// A toolbox: tools by name, as models are told about them, and by hand as they are run. Names are unique.

import { systemClock, type Clock } from '../clock/clock.ts'
import { TellurionError, messageOf } from '../error/error.ts'
import type { ToolCallPart } from '../message/message.ts'
import type { TaintSource } from '../message/trust.ts'
import type { ToolSpec } from '../port/model.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { gotText } from '../schema/schema.ts'
import type { Approval } from './approval.ts'
import { decide, type Decided } from './decide.ts'
import { originOf } from './origin.ts'
import { perform } from './perform.ts'
import type { ResultOptions, ToolOutcome } from './result.ts'
import { createSchedule, type Schedule } from './schedule.ts'
import { isMadeTool, type AnyTool, type ToolSource } from './tool.ts'

/** A tool as OpenAI's chat completions take it. */
export interface OpenAITool {
  readonly type: 'function'
  readonly function: { readonly name: string; readonly description: string; readonly parameters: JsonObject }
}

/** What one call by hand may bring. */
export interface ExecuteOptions {
  /** The model's id of the call; default `call`. */
  readonly toolCallId?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Rules. Without them a tool with `needsApproval` does not run unless `approved`. */
  readonly approval?: Approval | undefined
  /** Where the words came from that nobody vouches for, of those that led to the call: one that risks something does not run unless `approved`. */
  readonly taint?: readonly TaintSource[] | undefined
  /** A person has seen exactly this call and allows it. It does not overrule a rule that denies. Default false. */
  readonly approved?: boolean | undefined
  readonly results?: ResultOptions | undefined
  readonly clock?: Clock | undefined
  /** What the tool sees as its run; default `manual`. */
  readonly runId?: string | undefined
  /** What the tool sees as its user; default none. */
  readonly user?: string | undefined
  /** The same for each try of the same call; default its `toolCallId`. */
  readonly idempotencyKey?: string | undefined
}

/** Tools by name. */
export interface Toolbox extends ToolSource {
  /** What a model is told: the same array each time until a tool is registered. */
  specs(): readonly ToolSpec[]
  /** Adds a tool. Throws `duplicate_tool` when the name is taken, `invalid_name` when it is none. */
  register(name: string, tool: AnyTool): void
  toOpenAIFormat(): readonly OpenAITool[]
  /**
   * Runs one call by hand, through the same pipeline as an agent's. `args` is an object, or its JSON text as models
   * send it. Never rejects; calls of one toolbox keep to their effects among each other.
   */
  execute(name: string, args: Json, options?: ExecuteOptions): Promise<ToolOutcome>
}

/** What makes a toolbox: tools by name, named tools, other toolboxes, or a list of these. */
export type Tools = Toolbox | AnyTool | { readonly [name: string]: AnyTool } | readonly Tools[]

const namePattern = /^[a-zA-Z0-9_-]{1,64}$/

/**
 * Makes a toolbox, also out of others. Names match `^[a-zA-Z0-9_-]{1,64}$`. Throws `duplicate_tool`, naming it, when
 * two tools have one name, and `invalid_option` for what was not made by `tool`.
 */
export function createToolbox(tools: Tools = {}): Toolbox {
  const byName = new Map<string, AnyTool>()
  let names: readonly string[] | undefined
  let specs: readonly ToolSpec[] | undefined
  let schedule: Schedule | undefined

  const register = (name: string, tool: AnyTool): void => {
    if (typeof name !== 'string' || !namePattern.test(name)) {
      const shown = JSON.stringify(String(name).slice(0, 80).toWellFormed())
      throw new TellurionError(
        'invalid_name',
        `${shown} is no name for a tool: use 1 to 64 letters, digits, '_' and '-'.`,
      )
    }
    if (!isMadeTool(tool)) {
      throw new TellurionError(
        'invalid_option',
        `The tool '${name}' is ${gotText(tool)}; make it with tool({ description, inputSchema, execute }).`,
      )
    }
    if (byName.has(name)) {
      const [one, other] = [byName.get(name), tool].map((each) => originOf(each) ?? 'the program')
      const places = one === other ? '' : ` (one of ${one}, one of ${other})`
      throw new TellurionError('duplicate_tool', `There are two tools named '${name}'${places}; rename one of them.`)
    }
    byName.set(name, tool)
    names = undefined
    specs = undefined
  }
  for (const [name, tool] of named(tools)) register(name, tool)

  const toolbox: Toolbox = {
    get: (name) => byName.get(name),
    names: () => (names ??= Object.freeze([...byName.keys()])),
    specs: () => (specs ??= Object.freeze([...byName].map(([name, tool]) => specOf(name, tool)))),
    register,
    toOpenAIFormat: () =>
      toolbox.specs().map(({ name, description, inputSchema }) => ({
        type: 'function',
        function: { name, description, parameters: inputSchema },
      })),
    async execute(name, args, options = {}) {
      const call = callOf(name, args, options.toolCallId ?? 'call')
      const { approval, taint } = options
      const decided = await decide(call, { toolbox, approval, taint })
      return perform(call, options.approved === true ? approve(decided) : decided, {
        toolbox,
        schedule: (schedule ??= createSchedule()),
        clock: options.clock ?? systemClock,
        runId: options.runId ?? 'manual',
        user: options.user,
        idempotencyKey: options.idempotencyKey ?? call.toolCallId,
        signal: options.signal,
        results: options.results,
      })
    },
  }
  return toolbox
}

function specOf(name: string, { description, input }: AnyTool): ToolSpec {
  return Object.freeze({ name, description, inputSchema: input.jsonSchema })
}

function approve(decided: Decided): Decided {
  return decided.decision.verdict === 'ask' ? { ...decided, decision: { verdict: 'allow', by: 'caller' } } : decided
}

function callOf(toolName: string, args: Json, toolCallId: string): ToolCallPart {
  const base = { type: 'tool-call', toolCallId, toolName } as const
  if (typeof args !== 'string') return { ...base, input: args }
  try {
    return { ...base, input: args.trim() === '' ? {} : (JSON.parse(args) as Json) }
  } catch (error) {
    return { ...base, input: null, invalidInput: `${args.slice(0, 150)} (${messageOf(error)})` }
  }
}

/** Every tool with its name, in order. */
function* named(tools: Tools): Generator<readonly [string, AnyTool]> {
  if (Array.isArray(tools)) {
    for (const each of tools as readonly Tools[]) yield* named(each)
  } else if (isMadeTool(tools)) {
    if (tools.name === undefined) {
      throw new TellurionError(
        'invalid_option',
        'A tool in a list needs a name; pass tools by name instead: { weather: tool({ … }) }.',
      )
    }
    yield [tools.name, tools]
  } else if (isToolbox(tools as Tools)) {
    for (const name of (tools as Toolbox).names()) yield [name, (tools as Toolbox).get(name) as AnyTool]
  } else if (typeof tools === 'object' && tools !== null) {
    yield* Object.entries(tools as { readonly [name: string]: AnyTool })
  } else {
    throw new TellurionError(
      'invalid_option',
      'tools must be an object of tools by name, such as { weather: tool({ … }) }.',
    )
  }
}

/** Whether a value is a toolbox rather than tools by name. */
export function isToolbox(tools: Tools): tools is Toolbox {
  return (
    typeof tools === 'object' &&
    tools !== null &&
    typeof (tools as { specs?: unknown }).specs === 'function' &&
    typeof (tools as { get?: unknown }).get === 'function'
  )
}
