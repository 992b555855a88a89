// A tool: something that a model may ask to be done. A definition is checked once, here; to run it, hand it to a
// toolbox or an agent: there is one pipeline (decide, perform) and no other way.

import { TellurionError, suggestion } from '../error/error.ts'
import type { Trust } from '../message/trust.ts'
import type { KeptArtifact } from '../message/message.ts'
import type { InferSchema, Schema } from '../schema/infer.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { compileSchema, type CompiledSchema } from '../schema/schema.ts'
import { checkPaths, checkRisk, normaliseEffects } from './effects.ts'
import type { EffectMode, EffectOptions, Effects, Risk } from './effects.ts'
import type { KeepOptions } from './keep.ts'

/** What a running tool is given beside its input. */
export interface ToolContext {
  readonly toolCallId: string
  /** The same for every execution of this call, also after a crash: hand it to services that can deduplicate. */
  readonly idempotencyKey: string
  readonly runId: string
  /** The user on whose behalf the run is; undefined where nobody said. Said by the program, never by a model. */
  readonly user?: string | undefined
  /** What the entity's `SandboxConfig` leaves to tools that run code; undefined where it says nothing. */
  readonly limits?: ToolLimits | undefined
  /** Aborts at the tool's timeout and when the run is cancelled. Hand it on to whatever the tool waits for. */
  readonly abortSignal: AbortSignal
  /** Reports on the way to whoever watches. Plain JSON; ignored once the call has ended. */
  progress(progress: Json): void
  /**
   * Keeps bytes, or a text as UTF-8, beside the result: as an artifact of the session that the call's outcome, its tool
   * message and the event `tool.ended` name in `kept`, however the call ends. The same name again takes the place of the
   * first. Resolves with undefined, and keeps nothing, where the session's artifacts are full or there are none. Rejects
   * with `invalid_name`, `invalid_option`, for more than 100 names with `invalid_value`, after the call's end with `aborted`.
   */
  keep(name: string, content: string | Uint8Array, options?: KeepOptions): Promise<KeptArtifact | undefined>
  /**
   * What an earlier execution of this same call had kept under a name when a crash ended it; undefined for a call that
   * runs for the first time. With `repeat: 'keyed'` a tool sees by this what it has done already.
   */
  kept(name: string): Promise<Uint8Array | undefined>
}

/** What one call may take, beyond what the tool says itself. */
export interface ToolLimits {
  /** Milliseconds. The pipeline holds every tool to it. */
  readonly timeout?: number
  /** Bytes of memory, for tools that run code. */
  readonly memory?: number
  /** Longest result in characters, which the pipeline holds every tool to; bytes of output for tools that run code. */
  readonly maxOutput?: number
}

/** What `needsApproval` is given beside the input. */
export interface ApprovalContext {
  readonly toolCallId: string
  readonly toolName: string
}

/** The input of a tool with this schema. */
export type ToolInput<S> = S extends
  | { readonly '~standard': unknown }
  | { readonly schema: unknown; readonly jsonSchema: unknown }
  ? InferSchema<S>
  : string extends keyof S
    ? JsonObject
    : InferSchema<S>

/** The options of `tool`. */
export interface ToolOptions<Input extends Schema, Output extends Schema> {
  /** What it does, for the model. */
  readonly description: string
  /** Any Standard Schema, a pair `{ schema, jsonSchema }`, or JSON Schema; it must describe an object. */
  readonly inputSchema: Input
  /** Checks what `execute` returns; a mismatch is a `tool_output_invalid` result. */
  readonly outputSchema?: Output | undefined
  /** Does it. What it throws becomes a result that the model reads; only the message, never the stack. */
  execute(
    input: ToolInput<Input>,
    context: ToolContext,
  ): Schema extends Output ? unknown : InferSchema<Output> | Promise<InferSchema<Output>>
  /**
   * Whether a person is asked first, where no rule list decides. Default false. `'always'` asks about every single call:
   * no rule and no earlier answer allows it.
   */
  readonly needsApproval?:
    | boolean
    | 'always'
    | ((input: ToolInput<Input>, context: ApprovalContext) => boolean | Promise<boolean>)
    | undefined
  /** Milliseconds after which a call is stopped; `Infinity` for none. Default 30,000. */
  readonly timeout?: number | undefined
  /** Default `exclusive`, repeated never, both risks. */
  readonly effects?: EffectMode | EffectOptions<ToolInput<Input>> | undefined
  /**
   * Whose words its results are. After untrusted ones every tool that is not known to be harmless asks a person, after
   * unvouched ones those that say of themselves what they risk. Default `unvouched`.
   */
  readonly trust?: Trust | undefined
}

const isTool = Symbol.for('tellurion.tool')

/** A checked tool, as `tool` makes it. */
export interface Tool<Input = unknown, Output = unknown> {
  /** Its own name, where it has one: a function's or a method's. A toolbox's key goes before it. */
  readonly name?: string
  readonly description: string
  readonly effects: Effects
  readonly trust: Trust
  readonly timeout: number
  readonly input: CompiledSchema
  readonly output: CompiledSchema | undefined
  /** The pipeline's business: calling it directly goes around every check. */
  execute(input: Input, context: ToolContext): Output | Promise<Output>
  needsApproval(input: Input, context: ApprovalContext): boolean | Promise<boolean>
  /** Whether only a person's answer to this very call lets it run. */
  readonly asksEachTime?: true
  /** The places that a call touches, or undefined where the tool declares none. */
  paths(input: Input): readonly string[] | undefined
  /** What a call could risk. */
  risk(input: Input): readonly Risk[]
}

/** A tool of whatever input and output. */
export type AnyTool = Tool

const known = ['description', 'inputSchema', 'outputSchema', 'execute', 'needsApproval', 'timeout', 'effects', 'trust']
known.push('name')
/** All there are. */
export const trusts: readonly Trust[] = ['trusted', 'unvouched', 'untrusted']

/**
 * Defines a tool; the types of input and output come from the schemas. Throws `invalid_schema`, `invalid_option` or
 * `unknown_option` where the definition is wrong. The form is that of the AI SDK's `tool`.
 */
export function tool<const Input extends Schema, const Output extends Schema = Schema>(
  options: ToolOptions<Input, Output>,
): Tool<ToolInput<Input>, Schema extends Output ? unknown : InferSchema<Output>>
export function tool(options: ToolOptions<Schema, Schema>): AnyTool {
  return createTool(options as unknown as UntypedToolOptions)
}

/** The options of `tool` when the types are known elsewhere, as for functions and methods. */
export interface UntypedToolOptions {
  readonly name?: string | undefined
  readonly description: string
  readonly inputSchema: Schema
  readonly outputSchema?: Schema | undefined
  execute(input: unknown, context: ToolContext): unknown
  readonly needsApproval?:
    | boolean
    | 'always'
    | ((input: never, context: ApprovalContext) => boolean | Promise<boolean>)
    | undefined
  readonly timeout?: number | undefined
  readonly effects?: EffectMode | EffectOptions<never> | undefined
  readonly trust?: Trust | undefined
}

/** `tool` without the inference, and with a name. */
export function createTool(options: UntypedToolOptions): AnyTool {
  if (typeof options !== 'object' || options === null) {
    throw new TellurionError('invalid_option', 'tool() takes one object: tool({ description, inputSchema, execute }).')
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new TellurionError('unknown_option', `tool() has no option '${key}'.${suggestion(key, known)}`)
    }
  }
  const { name, description, inputSchema, outputSchema, needsApproval = false, timeout = 30_000, effects } = options
  const { trust = 'unvouched' } = options
  const what = name === undefined ? `tool ${JSON.stringify(String(description).slice(0, 40))}` : `tool '${name}'`
  if (typeof description !== 'string' || description.trim() === '') {
    throw new TellurionError(
      'invalid_option',
      `${what} needs a description: say in a sentence what it does, for the model.`,
    )
  }
  if (typeof options.execute !== 'function') {
    throw new TellurionError('invalid_option', `${what} needs execute(input, { abortSignal }).`)
  }
  if (typeof timeout !== 'number' || !(timeout > 0)) {
    throw new TellurionError(
      'invalid_option',
      `timeout of ${what} must be a number of milliseconds above 0, or Infinity.`,
    )
  }
  if (typeof needsApproval !== 'boolean' && typeof needsApproval !== 'function' && needsApproval !== 'always') {
    throw new TellurionError(
      'invalid_option',
      `needsApproval of ${what} must be true, false, 'always' or a function of the input.`,
    )
  }
  const input = compileSchema(inputSchema, `the inputSchema of ${what}`)
  if (input.jsonSchema['type'] !== 'object') {
    throw new TellurionError(
      'invalid_schema',
      `the inputSchema of ${what} must describe an object: tools take named arguments. Put the value into a property.`,
    )
  }
  if (!trusts.includes(trust)) {
    throw new TellurionError('invalid_option', `trust of ${what} must be 'trusted', 'unvouched' or 'untrusted'.`)
  }
  const { paths, risk } = (typeof effects === 'object' ? effects : {}) as EffectOptions
  const normalised = normaliseEffects(effects, what)
  return {
    [isTool]: true,
    ...(name === undefined ? {} : { name }),
    description: description.toWellFormed(),
    effects: normalised,
    trust,
    timeout,
    input,
    output: outputSchema === undefined ? undefined : compileSchema(outputSchema, `the outputSchema of ${what}`),
    execute: (value, context) => options.execute(value, context),
    ...(needsApproval === 'always' ? { asksEachTime: true } : {}),
    needsApproval:
      typeof needsApproval === 'function' ? (needsApproval as AnyTool['needsApproval']) : () => needsApproval !== false,
    paths: (value) => (paths === undefined ? undefined : checkPaths(paths(value), what)),
    risk: (value) => (typeof risk === 'function' ? checkRisk(risk(value), what) : normalised.risk),
  } as AnyTool
}

/** Whether a value was made by `tool`. */
export function isMadeTool(value: unknown): value is AnyTool {
  return typeof value === 'object' && value !== null && (value as { [isTool]?: unknown })[isTool] === true
}

/** Where the pipeline looks tools up. */
export interface ToolSource {
  get(name: string): AnyTool | undefined
  names(): readonly string[]
}
