// Schemas of runs: how they are asked for, and how they are shown.

import { z } from 'zod'
import type { Interaction } from 'tellurion'
import type { BudgetLimits } from 'tellurion/agent'
import type { TaintSource } from 'tellurion/tool'
import type { NewRunRequest, NewTaskRequest, ResultResource, RunResource, TurnResource } from 'tellurion/protocol'
import { schemaOf } from './schema.ts'
import { errorData, finishReason, id, instant, json, jsonObject, usage, userInput } from './schema-part.ts'

/** Where a run stands. */
export const runStatus = z
  .enum(['queued', 'running', 'waiting', 'paused', 'succeeded', 'failed', 'cancelled', 'timed_out'])
  .meta({ id: 'RunStatus' })

const amount = z.number().min(0)

/** What a run may spend at most. */
export const budgetLimits = schemaOf<BudgetLimits>()(
  z
    .strictObject({
      modelCalls: z.int().min(0).exactOptional(),
      toolCalls: z.int().min(0).exactOptional(),
      tokens: z.int().min(0).exactOptional(),
      cost: amount.exactOptional(),
      wallTime: amount.exactOptional().meta({ description: 'Milliseconds since the first model call.' }),
      ticks: z.int().min(0).exactOptional(),
      depth: z.int().min(0).exactOptional().meta({ description: 'Levels of sub-agents.' }),
    })
    .meta({ id: 'BudgetLimits' }),
)

/** Where words came from that nobody vouches for. */
const taintSource = schemaOf<TaintSource>()(
  z
    .object({
      level: z.enum(['unvouched', 'untrusted']),
      kind: z.enum(['tool', 'document', 'fact', 'message', 'agent', 'attachment']),
      name: z.string(),
      toolCallId: z.string().exactOptional(),
      excerpt: z.string().exactOptional(),
    })
    .meta({ id: 'TaintSource' }),
)

/** The fields of a question to a person. */
export const interactionFields = {
  id: z.string(),
  kind: z.enum(['approval', 'question', 'outcome']),
  entity: z.int(),
  prompt: z.string(),
  toolCallId: z.string().exactOptional(),
  toolName: z.string().exactOptional(),
  input: json.exactOptional().meta({ description: 'The exact arguments.' }),
  inputHash: z.string().exactOptional(),
  taint: z
    .array(taintSource)
    .exactOptional()
    .meta({ description: "Strangers' words that the model had read before the call; show them, inert." }),
  choices: z.array(z.string()).exactOptional(),
  child: z.string().exactOptional(),
  due: instant.exactOptional(),
}

/** A question to a person. */
export const interaction = schemaOf<Interaction>()(z.object(interactionFields).meta({ id: 'Interaction' }))

const resultFields = {
  text: z.string(),
  output: json.exactOptional(),
  steps: z.int().meta({ description: 'Model calls.' }),
  usage,
  finishReason: finishReason.exactOptional(),
}

/** What a run brought. */
export const resultResource = schemaOf<ResultResource>()(z.object(resultFields).meta({ id: 'Result' }))

/** How a turn ended, or that it waits. */
export const turnResource = schemaOf<TurnResource>()(
  z
    .object({
      ...resultFields,
      run: z.string(),
      session: z.string(),
      status: z.enum(['succeeded', 'waiting', 'cancelled', 'failed', 'running']),
      stopReason: z.string(),
      interactions: z.array(interaction),
      error: errorData.exactOptional(),
    })
    .meta({ id: 'Turn' }),
)

/** The fields of a run. */
export const runFields = {
  id: z.string(),
  agent: z.string(),
  session: z.string(),
  branch: z.string(),
  status: runStatus,
  priority: z.number(),
  input: json,
  metadata: jsonObject,
  user: z.string(),
  tenant: z.string().exactOptional(),
  parent: z.string().exactOptional(),
  createdAt: instant,
  availableAt: instant,
  startedAt: instant.exactOptional(),
  endedAt: instant.exactOptional(),
  attempt: z.int().meta({ description: 'The number of its newest attempt; 0 before the first.' }),
  retries: z.int().meta({ description: 'Attempts that ended in an error.' }),
  crashes: z.int().meta({ description: 'Attempts that lost their worker since the last commit.' }),
  ranFor: z.number().meta({ description: 'Milliseconds it has been at work, waiting not counted.' }),
  events: z.int().meta({ description: 'Events so far: cursors run from 0 to this number.' }),
  firstTick: z.int(),
  interactions: z.array(interaction),
  due: instant.exactOptional(),
  limits: budgetLimits.exactOptional(),
  result: resultResource.exactOptional(),
  error: errorData.exactOptional(),
  stopReason: z.string().exactOptional(),
  usage: usage.exactOptional(),
}

/** A run. */
export const runResource = schemaOf<RunResource>()(z.object(runFields).meta({ id: 'Run' }))

const priority = z.int().min(-1_000_000).max(1_000_000)

/** Makes a run. */
export const newRunRequest = schemaOf<NewRunRequest>()(
  z
    .strictObject({
      agent: id.exactOptional().meta({ description: 'Default: the first agent of the server.' }),
      input: userInput,
      session: id.exactOptional(),
      priority: priority.exactOptional().meta({ description: 'Higher first. Default 0.' }),
      delay: z
        .int()
        .min(0)
        .max(31_536_000_000)
        .exactOptional()
        .meta({ description: 'Milliseconds before it may begin.' }),
      metadata: jsonObject.exactOptional(),
      budget: budgetLimits.exactOptional(),
      output: jsonObject.exactOptional().meta({
        description:
          'JSON Schema of the asked output. The model is told all of it. The server checks types, values, bounds, properties, items, alternatives and references in bounded time, but no pattern, format, not, if, contains, or uniqueItems.',
      }),
    })
    .meta({ id: 'NewRun' }),
)

/** Makes a run, in the words of tasks. */
export const newTaskRequest = schemaOf<NewTaskRequest>()(
  z
    .strictObject({
      type: z.literal('chat').exactOptional(),
      content: z.string().min(1),
      session_id: id.exactOptional(),
      agent: id.exactOptional(),
      priority: priority.exactOptional(),
      metadata: jsonObject.exactOptional(),
    })
    .meta({ id: 'NewTask' }),
)
