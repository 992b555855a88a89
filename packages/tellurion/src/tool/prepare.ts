// A call made ready: its tool found, its arguments checked. Pure, and the only way to a tool's `execute`.

import type { ErrorCode } from '../error/catalogue.ts'
import { nearest } from '../error/error.ts'
import type { ToolCallPart } from '../message/message.ts'
import { issuesText } from '../schema/issue.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import type { StandardResult } from '../schema/standard.ts'
import type { AnyTool, ToolSource } from './tool.ts'

/** A call that may be run as far as its tool and arguments go. Live: never stored. */
export interface Prepared {
  readonly tool: AnyTool
  /** What the schema made of the arguments. */
  readonly input: unknown
}

/** Why a call cannot be run, in words the model can act on. */
export interface Rejection {
  readonly verdict: 'reject'
  readonly code: ErrorCode
  readonly message: string
}

/** Whether preparing ended in a rejection. */
export function isRejection(prepared: Prepared | Rejection): prepared is Rejection {
  return 'verdict' in prepared
}

/** Finds the tool and checks the arguments; a promise only where the schema is asynchronous. Never throws. */
export function prepare(call: ToolCallPart, toolbox: ToolSource): Prepared | Rejection | Promise<Prepared | Rejection> {
  const tool = toolbox.get(call.toolName)
  if (tool === undefined) return unknownTool(call.toolName, toolbox.names())
  if (call.invalidInput !== undefined) {
    return invalid(call, `they are not one JSON object: ${call.invalidInput.slice(0, 200).toWellFormed()}`)
  }
  // Models that have nothing to say to a tool send null or nothing at all.
  const input = call.input ?? {}
  const problem = jsonProblem(input)
  if (problem !== undefined) return invalid(call, problem)
  const result = tool.input.validate(input)
  return result instanceof Promise ? result.then((each) => checked(call, tool, each)) : checked(call, tool, result)
}

function checked(call: ToolCallPart, tool: AnyTool, result: StandardResult<unknown>): Prepared | Rejection {
  return result.issues === undefined ? { tool, input: result.value } : invalid(call, issuesText(result.issues))
}

function invalid(call: ToolCallPart, problem: string): Rejection {
  const message = `The arguments for the tool '${call.toolName}' are not valid: ${problem}. Call it again with arguments that match its schema.`
  return { verdict: 'reject', code: 'tool_input_invalid', message }
}

function unknownTool(name: string, names: readonly string[]): Rejection {
  const near = nearest(name, names)
  const shown = names.slice(0, 50).join(', ')
  const tools = names.length === 0 ? 'There are no tools.' : `The tools are: ${shown}${names.length > 50 ? ', …' : ''}.`
  const hint = near === undefined ? '' : ` Did you mean '${near}'?`
  const message = `There is no tool '${String(name).slice(0, 64).toWellFormed()}'.${hint} ${tools}`
  return { verdict: 'reject', code: 'unknown_tool', message }
}
