// Stop conditions: when a turn should end although the model would go on.

import { TellurionError } from '../error/error.ts'
import type { StopCondition } from './configuration.ts'

/** True once the turn has made `count` model calls. The name is the field's word for them. */
export function isStepCount(count: number): StopCondition {
  if (!Number.isInteger(count) || count < 1) {
    throw new TellurionError('invalid_option', `isStepCount takes a positive integer, got ${count}.`)
  }
  return ({ steps }) => steps >= count
}

/** True when the newest reply called the tool of that name. */
export function hasToolCall(toolName: string): StopCondition {
  return ({ toolCalls }) => toolCalls.some((call) => call.toolName === toolName)
}
