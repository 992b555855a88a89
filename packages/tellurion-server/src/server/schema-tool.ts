// Schemas of agents, tools and interactions.

import { z } from 'zod'
import type { Answer, StandingAnswer } from 'tellurion/agent'
import type {
  AgentResource,
  AnswerRequest,
  InteractionResource,
  ToolCallRequest,
  ToolCallResource,
  ToolResource,
} from 'tellurion/protocol'
import { schemaOf } from './schema.ts'
import { id, json, jsonObject } from './schema-part.ts'
import { interactionFields } from './schema-run.ts'

/** An agent. */
export const agentResource = schemaOf<AgentResource>()(
  z.object({ name: z.string(), tools: z.array(z.string()) }).meta({ id: 'Agent' }),
)

/** A tool. */
export const toolResource = schemaOf<ToolResource>()(
  z
    .object({
      name: z.string(),
      agents: z.array(z.string()),
      description: z.string(),
      inputSchema: jsonObject,
      effects: z.object({ mode: z.string(), repeat: z.string(), risk: z.array(z.string()) }),
      origin: z.string().exactOptional().meta({ description: 'The file or server it came from, where it is known.' }),
    })
    .meta({ id: 'Tool' }),
)

/** Calls a tool. */
export const toolCallRequest = schemaOf<ToolCallRequest>()(
  z
    .strictObject({
      tool: id,
      agent: id.exactOptional().meta({ description: 'Default: the first that has the tool.' }),
      arguments: json.exactOptional().meta({ description: 'Default {}.' }),
      approved: z
        .boolean()
        .exactOptional()
        .meta({ description: 'Whether a person has seen exactly this call and allows it.' }),
    })
    .meta({ id: 'NewToolCall' }),
)

/** What came of a call. */
export const toolCallResource = schemaOf<ToolCallResource>()(
  z
    .object({ toolName: z.string(), content: json, isError: z.boolean(), code: z.string().exactOptional() })
    .meta({ id: 'ToolCall' }),
)

/** A question to a person, and the run that waits for it. */
export const interactionResource = schemaOf<InteractionResource>()(
  z
    .object({ ...interactionFields, run: z.string(), agent: z.string(), session: z.string() })
    .meta({ id: 'OpenInteraction' }),
)

const standing = schemaOf<StandingAnswer>()(
  z.strictObject({
    always: z.enum(['approve', 'deny']),
    where: z.union([z.literal('same'), jsonObject]).exactOptional(),
    ttl: z.number().positive().exactOptional().meta({ description: 'Milliseconds until it lapses.' }),
    reason: z.string().max(1000).exactOptional(),
  }),
)

/** What a person answers. */
export const answer: z.ZodType<Answer> = z
  .union(
    [
      z.enum(['approve', 'deny']),
      z.strictObject({ deny: z.string().max(1000) }),
      standing,
      z.strictObject({ text: z.string() }),
      z.strictObject({ choice: z.string() }),
    ],
    { error: "must be 'approve', 'deny', { deny: 'why' }, { always: 'approve' }, { text } or { choice }" },
  )
  .meta({ id: 'Answer' })

/** Answers an interaction. */
export const answerRequest = schemaOf<AnswerRequest>()(
  z
    .strictObject({
      answer,
      run: id.exactOptional().meta({ description: 'The run that asks; spares the search.' }),
    })
    .meta({ id: 'NewAnswer' }),
)
