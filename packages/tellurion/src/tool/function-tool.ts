// Tools from what a program already has: plain functions, and methods of objects marked with a decorator.

import { TellurionError } from '../error/error.ts'
import type { Schema } from '../schema/infer.ts'
import type { EffectMode, EffectOptions } from './effects.ts'
import { parameterSchema, type ParameterSpecs, type ParameterValues } from './parameter.ts'
import { createTool, type AnyTool, type ApprovalContext, type Tool, type ToolContext } from './tool.ts'

/** What a tool may say beside its parameters; see `tool`. */
export interface FunctionToolDetails<Input = never> {
  /** Default: the function's own name. */
  readonly name?: string | undefined
  readonly outputSchema?: Schema | undefined
  readonly needsApproval?:
    | boolean
    | ((input: Input, context: ApprovalContext) => boolean | Promise<boolean>)
    | undefined
  readonly timeout?: number | undefined
  readonly effects?: EffectMode | EffectOptions<Input> | undefined
}

/** The options of `functionTool`. */
export interface FunctionToolOptions<Specs extends ParameterSpecs> extends FunctionToolDetails<ParameterValues<Specs>> {
  readonly description: string
  /** By name, such as `{ place: 'string', days: { type: 'integer', default: 1 } }`. Default none. */
  readonly parameters?: Specs | undefined
}

/**
 * A tool from a plain function of one object argument. Its name is the function's; hand it to a toolbox in a list.
 * Throws like `tool`, and `invalid_name` for a function without a name.
 */
export function functionTool<const Specs extends ParameterSpecs = Record<never, never>, Output = unknown>(
  execute: (input: ParameterValues<Specs>, context: ToolContext) => Output | Promise<Output>,
  options: FunctionToolOptions<Specs>,
): Tool<ParameterValues<Specs>, Output> {
  if (typeof execute !== 'function') {
    throw new TellurionError('invalid_option', 'functionTool(fn, { description, parameters }) takes a function first.')
  }
  const name = options.name ?? execute.name
  if (name === '') {
    throw new TellurionError(
      'invalid_name',
      'A tool from a function without a name needs one: functionTool(fn, { name, … }).',
    )
  }
  return fromParameters(name, execute as (input: unknown, context: ToolContext) => unknown, options) as Tool<
    ParameterValues<Specs>,
    Output
  >
}

function fromParameters(
  name: string,
  execute: (input: unknown, context: ToolContext) => unknown,
  { parameters, ...options }: FunctionToolDetails & { description: string; parameters?: ParameterSpecs | undefined },
): AnyTool {
  for (const key of ['inputSchema', 'execute']) {
    if (key in options) {
      throw new TellurionError('unknown_option', `A tool from a function has no option '${key}': it takes parameters.`)
    }
  }
  const inputSchema = parameterSchema(parameters ?? {}, `the parameters of tool '${name}'`)
  return createTool({ ...options, name, inputSchema, execute })
}

const marked = Symbol.for('tellurion.tool.method')

interface Mark extends FunctionToolDetails {
  readonly description: string
  readonly parameters: ParameterSpecs
}

/**
 * A standard decorator that marks a method as a tool: `@toolMethod('Adds', { a: 'number', b: 'number' })`. The method
 * takes one object argument and the tool's context; `toolsOf(instance)` collects what is marked. Needs a compiler,
 * since Node does not run decorators yet. The form is the reference's `@tool(description)`.
 */
export function toolMethod<const Specs extends ParameterSpecs = Record<never, never>>(
  description: string,
  parameters?: Specs,
  details: FunctionToolDetails<ParameterValues<Specs>> = {},
): <This>(
  method: (this: This, input: ParameterValues<Specs>, context: ToolContext) => unknown,
  context: ClassMethodDecoratorContext,
) => void {
  return (method, context) => {
    if (context.kind !== 'method' || context.private || typeof context.name !== 'string') {
      throw new TellurionError(
        'invalid_option',
        `@toolMethod marks public methods with a name, not ${String(context.name)}.`,
      )
    }
    const mark = { ...details, description, parameters: parameters ?? {}, name: details.name ?? context.name }
    Object.defineProperty(method, marked, { value: mark })
  }
}

/**
 * The tools that are marked on an object, by name, bound to it; marks on a class's own statics come from the class.
 * A method that overrides a marked one without a mark of its own is no tool. Throws `invalid_option` when there is none.
 */
export function toolsOf(owner: object): { readonly [name: string]: AnyTool } {
  const tools: Record<string, AnyTool> = {}
  const seen = new Set<string>()
  for (let each: object | null = owner; each !== null; each = Object.getPrototypeOf(each) as object | null) {
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(each))) {
      if (seen.has(key)) continue
      seen.add(key)
      const mark = typeof value === 'function' ? (value as { [marked]?: Mark })[marked] : undefined
      if (mark === undefined) continue
      const name = mark.name ?? key
      if (Object.hasOwn(tools, name))
        throw new TellurionError('duplicate_tool', `There are two tools named '${name}'; rename one of them.`)
      tools[name] = fromParameters(name, (value as (input: unknown, context: ToolContext) => unknown).bind(owner), mark)
    }
  }
  if (Object.keys(tools).length === 0) {
    throw new TellurionError('invalid_option', 'toolsOf(object) found no method that is marked with @toolMethod.')
  }
  return tools
}
