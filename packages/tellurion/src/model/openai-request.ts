// A request as OpenAI's chat completions take it. Each message is encoded once and its JSON kept with the message, so a
// long history costs a turn only the joining of strings.

import type { AssistantMessage, Message, ToolMessage, UserMessage, UserPart } from '../message/message.ts'
import type { ModelRequest, ToolChoice } from '../port/model.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { shortCallId } from './call-id.ts'
import { argumentsOf, cannotSend, isJsonObject, withExtra } from './wire.ts'

/** How a vendor's dialect differs from OpenAI's. Absent means: like OpenAI's compatible servers commonly do. */
export interface OpenAIQuirks {
  /** The field for the limit of a reply. Default `max_tokens`. */
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens'
  /** False where `stream_options` is refused. Default true. */
  readonly streamOptions?: boolean
  /** `json_object` where a schema is not understood: it is then put into words. Default `json_schema`. */
  readonly output?: 'json_schema' | 'json_object'
  /** True where a schema can be kept to strictly; it is asked for when the schema allows it. */
  readonly strictOutput?: boolean
  /** The field in which a reply's reasoning must travel back. Default: reasoning is not sent. */
  readonly reasoningField?: string
  /** True where ids of tool calls must be nine letters and digits. */
  readonly shortCallIds?: boolean
  /** True where `tool_choice: 'required'` is spelt `any`. */
  readonly anyForRequired?: boolean
  /** The name of the field for the seed. Default `seed`. */
  readonly seedField?: string
}

/** Who is asked: the vendor's name for metadata and options, and the model's. */
export interface OpenAITarget {
  readonly vendor: string
  readonly model: string
  readonly quirks: OpenAIQuirks
}

/** A message as JSON. `after`: what must follow the run of tool messages it stands in, because a tool message holds text only. */
interface Encoded {
  readonly json: string
  readonly after?: string
}

/** Makes the encoder of one model. It remembers encoded messages as long as the messages live. */
export function createOpenAIEncoder(target: OpenAITarget): (request: ModelRequest) => string {
  const known = new WeakMap<Message, Encoded | null>()
  const encoded = (message: Message): Encoded | null => {
    let found = known.get(message)
    if (found === undefined) {
      found = encodeMessage(message, target)
      known.set(message, found)
    }
    return found
  }
  return (request) => {
    const messages: string[] = []
    const system = systemText(request, target)
    if (system !== '') messages.push(JSON.stringify({ role: 'system', content: system }))
    let after: string[] = []
    for (const message of request.messages) {
      if (after.length > 0 && message.role !== 'tool') {
        messages.push(...after)
        after = []
      }
      const found = encoded(message)
      if (found === null) continue
      messages.push(found.json)
      if (found.after !== undefined) after.push(found.after)
    }
    messages.push(...after)
    const fields = fieldsOf(request, target)
    if ('messages' in fields) return JSON.stringify(fields)
    if (messages.length === 0) throw cannotSend('the request has no messages: put at least one user message into it')
    return `${JSON.stringify(fields).slice(0, -1)},"messages":[${messages.join(',')}]}`
  }
}

function systemText({ system = '', output }: ModelRequest, { quirks }: OpenAITarget): string {
  if (output === undefined || quirks.output !== 'json_object') return system
  const wish = `Answer with JSON alone, matching this JSON Schema:\n${JSON.stringify(output.schema)}`
  return system === '' ? wish : `${system}\n\n${wish}`
}

function fieldsOf(request: ModelRequest, { vendor, model, quirks }: OpenAITarget): JsonObject {
  const { tools, output, maxOutputTokens, temperature, topP, stopSequences, seed } = request
  const fields: Record<string, Json> = { model, stream: true }
  if (quirks.streamOptions !== false) fields['stream_options'] = { include_usage: true }
  if (tools !== undefined && tools.length > 0) {
    fields['tools'] = tools.map(({ name, description, inputSchema }) => ({
      type: 'function',
      function: { name, description, parameters: inputSchema },
    }))
    if (request.toolChoice !== undefined) fields['tool_choice'] = toolChoiceOf(request.toolChoice, quirks)
    if (request.parallelToolCalls !== undefined) fields['parallel_tool_calls'] = request.parallelToolCalls
  }
  if (output !== undefined) fields['response_format'] = responseFormatOf(output, quirks)
  if (maxOutputTokens !== undefined) fields[quirks.maxTokensField ?? 'max_tokens'] = maxOutputTokens
  if (temperature !== undefined) fields['temperature'] = temperature
  if (topP !== undefined) fields['top_p'] = topP
  if (stopSequences !== undefined && stopSequences.length > 0) fields['stop'] = stopSequences
  if (seed !== undefined) fields[quirks.seedField ?? 'seed'] = seed
  return withExtra(fields, request.providerOptions?.[vendor])
}

function toolChoiceOf(choice: ToolChoice, quirks: OpenAIQuirks): Json {
  if (typeof choice === 'object') return { type: 'function', function: { name: choice.tool } }
  return choice === 'required' && quirks.anyForRequired ? 'any' : choice
}

function responseFormatOf(output: NonNullable<ModelRequest['output']>, quirks: OpenAIQuirks): Json {
  if (quirks.output === 'json_object') return { type: 'json_object' }
  const name = output.name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || 'output'
  const strict = quirks.strictOutput
    ? { strict: output.schema['type'] === 'object' && allowsStrict(output.schema) }
    : {}
  return { type: 'json_schema', json_schema: { name, schema: output.schema, ...strict } }
}

const strictKeywords = new Set(
  (
    'type properties required additionalProperties items anyOf enum const $ref $defs description title $schema ' +
    'pattern minimum maximum multipleOf minItems maxItems'
  ).split(' '),
)

/** Whether a schema keeps the rules of strict mode: known keywords, every object closed, all its properties required. */
function allowsStrict(schema: Json | undefined): boolean {
  if (!isJsonObject(schema) || !Object.keys(schema).every((keyword) => strictKeywords.has(keyword))) return false
  const { type, properties, required, additionalProperties, items, anyOf, $defs } = schema
  if (type === 'object') {
    if (additionalProperties !== false || !isJsonObject(properties)) return false
    const names = new Set<Json>(Array.isArray(required) ? (required as readonly Json[]) : [])
    if (!Object.keys(properties).every((name) => names.has(name))) return false
  }
  const inner = [
    ...(isJsonObject(properties) ? Object.values(properties) : []),
    ...(isJsonObject($defs) ? Object.values($defs) : []),
    ...(Array.isArray(anyOf) ? (anyOf as readonly Json[]) : []),
    ...(items === undefined ? [] : [items]),
  ]
  return inner.every(allowsStrict)
}

function encodeMessage(message: Message, target: OpenAITarget): Encoded | null {
  switch (message.role) {
    case 'system':
      return { json: JSON.stringify({ role: 'system', content: message.content }) }
    case 'user':
      return { json: JSON.stringify({ role: 'user', content: userContent(message) }) }
    case 'assistant':
      return message.partial ? null : { json: JSON.stringify(assistantFields(message, target)) }
    case 'tool':
      return encodeTool(message, target)
    default:
      return message satisfies never
  }
}

function userContent({ content }: UserMessage): Json {
  return typeof content === 'string' ? content : content.map(partOf)
}

function assistantFields({ content }: AssistantMessage, { vendor, quirks }: OpenAITarget): JsonObject {
  if (typeof content === 'string') return { role: 'assistant', content }
  let text = ''
  let reasoning = ''
  const calls: Json[] = []
  for (const part of content) {
    if (part.type === 'text') text += part.text
    else if (part.type === 'reasoning') reasoning += part.text
    else {
      const id = quirks.shortCallIds ? shortCallId(part.toolCallId) : part.toolCallId
      const call = { name: part.toolName, arguments: JSON.stringify(argumentsOf(part)) }
      calls.push(withExtra({ id, type: 'function', function: call }, part.providerMetadata?.[vendor]))
    }
  }
  return {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
    ...(quirks.reasoningField === undefined || reasoning === '' ? {} : { [quirks.reasoningField]: reasoning }),
  }
}

function encodeTool({ toolCallId, content }: ToolMessage, { quirks }: OpenAITarget): Encoded {
  const id = quirks.shortCallIds ? shortCallId(toolCallId) : toolCallId
  const message = (text: string): string => JSON.stringify({ role: 'tool', tool_call_id: id, content: text })
  if (typeof content === 'string') return { json: message(content) }
  let text = ''
  const media: Json[] = []
  for (const part of content) {
    if (part.type === 'text') text += part.text
    else media.push(partOf(part))
  }
  if (media.length === 0) return { json: message(text) }
  const note = { type: 'text', text: `Attached to the result of tool call ${id}:` }
  return {
    json: message(text === '' ? 'The result is attached below.' : text),
    after: JSON.stringify({ role: 'user', content: [note, ...media] }),
  }
}

function partOf(part: UserPart): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image':
      return { type: 'image_url', image_url: { url: part.url ?? dataURL(part.mediaType, part.data, 'image') } }
    case 'file': {
      const { mediaType, data, filename } = part
      if (data === undefined) {
        throw cannotSend('chat completions take no file by URL: give its bytes as base64 in `data`')
      }
      const audio = audioFormat(mediaType)
      if (audio !== undefined) return { type: 'input_audio', input_audio: { data, format: audio } }
      return { type: 'file', file: { filename: filename ?? 'file', file_data: dataURL(mediaType, data, 'file') } }
    }
    default:
      return part satisfies never
  }
}

function audioFormat(mediaType: string): string | undefined {
  if (mediaType === 'audio/wav' || mediaType === 'audio/x-wav') return 'wav'
  return mediaType === 'audio/mpeg' || mediaType === 'audio/mp3' ? 'mp3' : undefined
}

function dataURL(mediaType: string, data: string | undefined, what: string): string {
  if (data === undefined) throw cannotSend(`an ${what} part has neither \`data\` nor \`url\`: give one of them`)
  return `data:${mediaType};base64,${data}`
}
