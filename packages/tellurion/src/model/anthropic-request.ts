// A request as Anthropic's messages take it: system text in one field, tool results as blocks of the user, neighbours
// of one role merged. Each message is encoded once and its JSON kept with the message.

import type { AssistantMessage, FilePart, Message, ToolMessage, UserPart } from '../message/message.ts'
import type { ModelRequest } from '../port/model.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { plainCallId } from './call-id.ts'
import { argumentsOf, cannotSend, withExtra } from './wire.ts'

/** Who is asked: the vendor's name for metadata and options, and the model's. */
export interface AnthropicTarget {
  readonly vendor: string
  readonly model: string
}

/** A message's blocks as JSON without the brackets around them; empty when it has none that may be sent. */
interface Encoded {
  readonly role: 'user' | 'assistant'
  readonly blocks: string
  readonly isResult: boolean
}

/** The most that a model may answer, by the beginning of its name; the first row that fits counts. */
const outputLimits: readonly (readonly [prefix: string, tokens: number])[] = [
  ['claude-3-7', 64_000],
  ['claude-3-5', 8_192],
  ['claude-3', 4_096],
  ['claude-opus-4-0', 32_000],
  ['claude-opus-4-1', 32_000],
  ['claude-opus-4-2025', 32_000],
  ['claude-', 64_000],
]

/** The `max_tokens` of a request that names none: the API demands one. 4,096 for a model that is not in the table. */
export function defaultMaxTokens(model: string): number {
  return outputLimits.find(([prefix]) => model.startsWith(prefix))?.[1] ?? 4_096
}

/** Makes the encoder of one model. It remembers encoded messages as long as the messages live. */
export function createAnthropicEncoder(target: AnthropicTarget): (request: ModelRequest) => string {
  const known = new WeakMap<Message, Encoded>()
  const encoded = (message: Exclude<Message, { role: 'system' }>): Encoded => {
    let found = known.get(message)
    if (found === undefined) {
      found = encodeMessage(message, target.vendor)
      known.set(message, found)
    }
    return found
  }
  return (request) => {
    const merged = new MergedMessages()
    let system = request.system ?? ''
    for (const message of request.messages) {
      if (message.role === 'system') system = system === '' ? message.content : `${system}\n\n${message.content}`
      else merged.add(encoded(message))
    }
    const fields = fieldsOf(request, target, system)
    if ('messages' in fields) return JSON.stringify(fields)
    const messages = merged.end()
    if (messages.length === 0) throw cannotSend('the request has no messages: put at least one user message into it')
    return `${JSON.stringify(fields).slice(0, -1)},"messages":[${messages.join(',')}]}`
  }
}

/** Joins neighbours of one role; in a user message the tool results come first, as the API demands. */
class MergedMessages {
  readonly #done: string[] = []
  #role: Encoded['role'] | undefined
  #results: string[] = []
  #blocks: string[] = []

  add({ role, blocks, isResult }: Encoded): void {
    if (blocks === '') return
    if (role !== this.#role) this.#close()
    this.#role = role
    ;(isResult ? this.#results : this.#blocks).push(blocks)
  }

  end(): readonly string[] {
    this.#close()
    return this.#done
  }

  #close(): void {
    if (this.#role === undefined) return
    this.#done.push(`{"role":"${this.#role}","content":[${[...this.#results, ...this.#blocks].join(',')}]}`)
    this.#role = undefined
    this.#results = []
    this.#blocks = []
  }
}

function fieldsOf(request: ModelRequest, { vendor, model }: AnthropicTarget, system: string): JsonObject {
  const { tools, output, maxOutputTokens, temperature, topP, stopSequences, seed } = request
  if (seed !== undefined) throw cannotSend("Anthropic's messages take no `seed`: leave it out")
  const fields: Record<string, Json> = {
    model,
    max_tokens: maxOutputTokens ?? defaultMaxTokens(model),
    stream: true,
  }
  if (system.trim() !== '') fields['system'] = system
  if (tools !== undefined && tools.length > 0) {
    fields['tools'] = tools.map(({ name, description, inputSchema }) => ({
      name,
      description,
      input_schema: inputSchema,
    }))
    const choice = toolChoiceOf(request)
    if (choice !== undefined) fields['tool_choice'] = choice
  }
  if (output !== undefined) fields['output_config'] = { format: { type: 'json_schema', schema: output.schema } }
  if (temperature !== undefined) fields['temperature'] = temperature
  if (topP !== undefined) fields['top_p'] = topP
  if (stopSequences !== undefined && stopSequences.length > 0) fields['stop_sequences'] = stopSequences
  return withExtra(fields, request.providerOptions?.[vendor])
}

function toolChoiceOf({ toolChoice, parallelToolCalls }: ModelRequest): JsonObject | undefined {
  if (toolChoice === 'none') return { type: 'none' }
  const single = parallelToolCalls === undefined ? {} : { disable_parallel_tool_use: !parallelToolCalls }
  if (toolChoice === undefined) return parallelToolCalls === undefined ? undefined : { type: 'auto', ...single }
  if (typeof toolChoice === 'object') return { type: 'tool', name: toolChoice.tool, ...single }
  return { type: toolChoice === 'required' ? 'any' : 'auto', ...single }
}

function encodeMessage(message: Exclude<Message, { role: 'system' }>, vendor: string): Encoded {
  switch (message.role) {
    case 'user':
      return { role: 'user', blocks: joined(contentBlocks(message.content, vendor)), isResult: false }
    case 'assistant':
      return { role: 'assistant', blocks: joined(assistantBlocks(message, vendor)), isResult: false }
    case 'tool':
      return { role: 'user', blocks: JSON.stringify(resultBlock(message, vendor)), isResult: true }
    default:
      return message satisfies never
  }
}

function joined(blocks: readonly JsonObject[]): string {
  return blocks.map((block) => JSON.stringify(block)).join(',')
}

function contentBlocks(content: string | readonly UserPart[], vendor: string): JsonObject[] {
  if (typeof content === 'string') return textBlocks(content)
  return content.flatMap((part) => partBlocks(part, vendor))
}

/** Blank text is refused by the API, so it is no block at all. */
function textBlocks(text: string, extra?: JsonObject): JsonObject[] {
  return text.trim() === '' ? [] : [withExtra({ type: 'text', text }, extra)]
}

function assistantBlocks({ content, partial }: AssistantMessage, vendor: string): JsonObject[] {
  if (partial) return []
  if (typeof content === 'string') return textBlocks(content)
  return content.flatMap((part): JsonObject[] => {
    const extra = part.providerMetadata?.[vendor]
    switch (part.type) {
      case 'text':
        return textBlocks(part.text, extra)
      case 'reasoning':
        // What another vendor signed would be refused here.
        if (part.providerMetadata !== undefined && extra === undefined) return []
        if (part.redacted !== undefined) return [{ type: 'redacted_thinking', data: part.redacted }]
        return part.signature === undefined
          ? []
          : [{ type: 'thinking', thinking: part.text, signature: part.signature }]
      case 'tool-call': {
        const { toolCallId, toolName: name } = part
        return [withExtra({ type: 'tool_use', id: plainCallId(toolCallId), name, input: argumentsOf(part) }, extra)]
      }
      default:
        return part satisfies never
    }
  })
}

function resultBlock({ toolCallId, content, isError }: ToolMessage, vendor: string): JsonObject {
  return {
    type: 'tool_result',
    tool_use_id: plainCallId(toolCallId),
    content: typeof content === 'string' ? content : contentBlocks(content, vendor),
    ...(isError ? { is_error: true } : {}),
  }
}

function partBlocks(part: UserPart, vendor: string): JsonObject[] {
  switch (part.type) {
    case 'text':
      return textBlocks(part.text, part.providerMetadata?.[vendor])
    case 'image':
      return [{ type: 'image', source: sourceOf(part) }]
    case 'file':
      return [
        {
          type: 'document',
          source: fileSource(part),
          ...(part.filename === undefined ? {} : { title: part.filename }),
        },
      ]
    default:
      return part satisfies never
  }
}

function sourceOf({ type, mediaType, data, url }: Exclude<UserPart, { type: 'text' }>): JsonObject {
  if (data !== undefined) return { type: 'base64', media_type: mediaType, data }
  if (url !== undefined) return { type: 'url', url }
  throw cannotSend(`an ${type} part has neither \`data\` nor \`url\`: give one of them`)
}

function fileSource(part: FilePart): JsonObject {
  const { mediaType, data } = part
  if (mediaType === 'application/pdf') return sourceOf(part)
  if (mediaType.startsWith('text/') && data !== undefined) {
    return { type: 'text', media_type: 'text/plain', data: textOfBase64(data) }
  }
  throw cannotSend(`Anthropic's messages take PDF and text files, not ${mediaType}`)
}

function textOfBase64(data: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(data), (character) => character.charCodeAt(0)))
  } catch {
    throw cannotSend('the `data` of a file part is not base64')
  }
}
