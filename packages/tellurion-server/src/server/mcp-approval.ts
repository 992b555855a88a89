// Approvals by the person at an MCP client, where the operator has said that there is one: a question that shows the exact
// arguments, an answer that is good for these alone, and once.

import {
  inputRequired,
  inputResponse,
  type InputRequiredResult,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Json } from 'tellurion/protocol'
import type { Ids } from 'tellurion/runtime'
import type { Decision } from 'tellurion/tool'
import type { Clock } from 'tellurion/world'
import { exactJson } from '../terminal/inert.ts'

/** A decision that asks. */
type Asked = Extract<Decision, { verdict: 'ask' }>

/** What a person is asked about. */
export interface ApprovalCall {
  readonly user: string
  readonly toolName: string
  readonly input: Json
  readonly decision: Asked
  readonly context: ServerContext
}

/** Asks people at clients. */
export interface McpApprovals {
  /** What they said, if that came with the call; else the question. `unshown`: the arguments are too long to be read. */
  settle(call: ApprovalCall): 'allowed' | 'refused' | 'unshown' | InputRequiredResult
}

interface Question {
  readonly user: string
  readonly toolName: string
  readonly inputHash: string
  readonly until: number
}

/** Milliseconds in which an answer counts. */
const patience = 600_000
/** Questions that are open at one time; past it the oldest are forgotten. */
const most = 1000
/** Longest arguments that a person is shown, in characters. */
const longest = 4000

const requestedSchema = {
  type: 'object' as const,
  properties: { allow: { type: 'boolean' as const, title: 'Allow this call' } },
  required: ['allow'],
}

/** Makes it. Questions are kept here, under ids that nobody can guess; a client carries only the id to and fro. */
export function createMcpApprovals({ clock, ids }: { readonly clock: Clock; readonly ids: Ids }): McpApprovals {
  const open = new Map<string, Question>()

  const answered = (id: string, { user, toolName, decision, context }: ApprovalCall): boolean => {
    const question = open.get(id)
    open.delete(id)
    if (question === undefined || question.until <= clock.monotonic()) return false
    const same = question.user === user && question.toolName === toolName && question.inputHash === decision.inputHash
    const said = inputResponse(context.mcpReq.inputResponses, 'approval')
    return same && said.kind === 'elicit' && said.action === 'accept' && said.content?.['allow'] === true
  }
  return {
    settle(call) {
      const { user, toolName, input, decision, context } = call
      const id = context.mcpReq.requestState()
      if (id !== undefined) return typeof id === 'string' && answered(id, call) ? 'allowed' : 'refused'
      const shown = exactJson(input)
      if (shown.length > longest) return 'unshown'
      const requestState = ids('ask')
      open.set(requestState, { user, toolName, inputHash: decision.inputHash, until: clock.monotonic() + patience })
      for (const oldest of open.keys()) {
        if (open.size <= most) break
        open.delete(oldest)
      }
      const message = `Allow the call of ${toolName} with exactly these arguments?\n${shown}`
      return inputRequired({
        inputRequests: { approval: inputRequired.elicit({ message, requestedSchema }) },
        requestState,
      })
    },
  }
}
