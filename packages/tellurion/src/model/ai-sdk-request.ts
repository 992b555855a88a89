// Call options of the AI SDK as a request of ours: the way back of `ai-sdk-prompt.ts`.

import { TellurionError } from '../error/error.ts'
import type { AssistantPart, Message, ProviderMetadata, ToolMessage, UserPart } from '../message/message.ts'
import type { ModelRequest, ToolSpec } from '../port/model.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { metadataOf, type AISDKCallOptions, type AISDKMessage, type AISDKPart, type AISDKWarning } from './ai-sdk.ts'

/** The request that call options of specification 4 stand for. Throws `model_validation` for what cannot be said. */
export function requestOf(options: AISDKCallOptions): ModelRequest {
  const { maxOutputTokens, temperature, topP, stopSequences, seed, providerOptions, responseFormat } = options
  const tools = toolsOf(options)
  const headers = headersOf(options.headers)
  return {
    messages: options.prompt.flatMap(messagesOf),
    ...(tools.length > 0 && { tools }),
    ...(options.toolChoice && { toolChoice: choiceOf(options.toolChoice) }),
    ...(responseFormat?.type === 'json' && {
      output: {
        name: responseFormat.name ?? 'output',
        schema: (responseFormat.schema ?? { type: 'object' }) as JsonObject,
      },
    }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(stopSequences && { stopSequences }),
    ...(seed !== undefined && { seed }),
    ...(headers && { headers }),
    ...(providerOptions && { providerOptions: providerOptions as ProviderMetadata }),
  }
}

/** What of the options has no counterpart here and is left out. */
export function warningsOf(options: AISDKCallOptions): AISDKWarning[] {
  const features = (['topK', 'presencePenalty', 'frequencyPenalty'] as const).filter(
    (name) => options[name] !== undefined,
  )
  const warnings: AISDKWarning[] = features.map((feature) => ({ type: 'unsupported', feature }))
  if (options.reasoning !== undefined && options.reasoning !== 'provider-default') {
    warnings.push({ type: 'unsupported', feature: 'reasoning', details: 'use providerOptions' })
  }
  for (const tool of options.tools ?? []) {
    if (tool.type !== 'function') warnings.push({ type: 'unsupported', feature: `provider tool ${tool.name}` })
  }
  return warnings
}

function toolsOf({ tools = [] }: AISDKCallOptions): ToolSpec[] {
  return tools.flatMap(({ type, name, description = '', inputSchema }) =>
    type === 'function' ? [{ name, description, inputSchema: inputSchema as JsonObject }] : [],
  )
}

function choiceOf(choice: NonNullable<AISDKCallOptions['toolChoice']>): NonNullable<ModelRequest['toolChoice']> {
  return choice.type === 'tool' ? { tool: choice.toolName } : choice.type
}

function headersOf(headers: AISDKCallOptions['headers']): Record<string, string> | undefined {
  if (!headers) return undefined
  const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length === 0 ? undefined : Object.fromEntries(given)
}

function messagesOf({ role, content }: AISDKMessage): Message[] {
  if (typeof content === 'string') {
    if (role === 'user' || role === 'assistant') return [{ role, content }]
    return [{ role: 'system', content }]
  }
  if (role === 'tool') return content.flatMap(toolMessage)
  if (role === 'assistant') {
    const parts = content.flatMap(assistantPart)
    return parts.length === 0 ? [] : [{ role, content: parts }]
  }
  return [{ role: 'user', content: content.map(userPart) }]
}

function userPart(part: AISDKPart): UserPart {
  if (part.type === 'text') return { type: 'text', text: String(part.text) }
  const content = fileContent(part)
  if ('text' in content) return { type: 'text', text: content.text }
  const mediaType = String(part.mediaType ?? 'application/octet-stream')
  if (mediaType.startsWith('image/')) return { type: 'image', mediaType, ...content }
  return { type: 'file', mediaType, ...content, ...(typeof part.filename === 'string' && { filename: part.filename }) }
}

/** Data is tagged in version 4 and bare before: bytes, base64, a data URL or a link. */
function fileContent({ data }: AISDKPart): { data: string } | { url: string } | { text: string } {
  if (typeof data === 'string') return { data }
  if (data instanceof Uint8Array) return { data: base64(data) }
  if (data instanceof URL) return { url: data.href }
  const tagged = (typeof data === 'object' && data !== null ? data : {}) as {
    type?: unknown
    data?: unknown
    url?: unknown
    text?: unknown
  }
  if (tagged.type === 'data') return fileContent({ type: 'file', data: tagged.data })
  if (tagged.type === 'url') return { url: String(tagged.url) }
  if (tagged.type === 'text') return { text: String(tagged.text) }
  const kind = String(tagged.type ?? typeof data)
  throw new TellurionError('model_validation', `A file given as '${kind}' cannot be sent; give its bytes or a link.`)
}

function assistantPart(part: AISDKPart): AssistantPart[] {
  const providerMetadata = metadataOf(part.providerOptions)
  const extra = providerMetadata ? { providerMetadata } : {}
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: String(part.text), ...extra }]
    case 'reasoning':
      return [{ type: 'reasoning', text: String(part.text), ...extra, ...signatureOf(providerMetadata) }]
    case 'tool-call': {
      if (part.providerExecuted) return []
      const { toolCallId, toolName, input } = part
      return [
        {
          type: 'tool-call',
          toolCallId: String(toolCallId),
          toolName: String(toolName),
          input: input as Json,
          ...extra,
        },
      ]
    }
    default:
      // Files and results of tools that a provider ran: other models cannot be shown them.
      return []
  }
}

function signatureOf(metadata: ProviderMetadata | undefined): { signature?: string; redacted?: string } {
  const { signature, redacted } = metadata?.['tellurion'] ?? {}
  return { ...(typeof signature === 'string' && { signature }), ...(typeof redacted === 'string' && { redacted }) }
}

function toolMessage(part: AISDKPart): ToolMessage[] {
  if (part.type !== 'tool-result') return []
  const message = { role: 'tool', toolCallId: String(part.toolCallId), toolName: String(part.toolName) } as const
  const output = (part.output ?? {}) as AISDKPart
  switch (output.type) {
    case 'text':
      return [{ ...message, content: String(output.value) }]
    case 'error-text':
      return [{ ...message, content: String(output.value), isError: true }]
    case 'error-json':
      return [{ ...message, content: JSON.stringify(output.value), isError: true }]
    case 'execution-denied':
      return [{ ...message, content: `The call was denied. ${String(output.reason ?? '')}`.trim(), isError: true }]
    case 'content':
      return [{ ...message, content: (output.value as AISDKPart[]).map(userPart) }]
    default:
      return [{ ...message, content: JSON.stringify(output.value ?? null) }]
  }
}

function base64(bytes: Uint8Array): string {
  let text = ''
  // In pieces: a spread of a large file would not fit on the stack.
  for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192))
  return btoa(text)
}
