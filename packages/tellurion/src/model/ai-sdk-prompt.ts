// Requests of ours in the AI SDK's words, for the three versions of its specification.

import { TellurionError } from '../error/error.ts'
import type { AssistantPart, FilePart, ImagePart, Message, ProviderMetadata, ToolMessage } from '../message/message.ts'
import { textOf, type ReasoningPart, type UserPart } from '../message/message.ts'
import type { ModelRequest, ToolChoice } from '../port/model.ts'
import type { JsonObject } from '../schema/json.ts'
import { vendorOf } from './ai-sdk-model.ts'
import type { AISDKCallOptions, AISDKMessage, AISDKModel, AISDKPart } from './ai-sdk.ts'

/** Our request as call options for `model`. Throws `model_validation` for what it has no words for. */
export function callOptions(
  model: AISDKModel,
  request: ModelRequest,
  signal: AbortSignal | undefined,
): AISDKCallOptions {
  const { tools, toolChoice, output, maxOutputTokens, temperature, topP, stopSequences, seed, headers } = request
  const providerOptions = withParallelCalls(model, request)
  return {
    prompt: promptOf(request, model.specificationVersion),
    ...(tools && { tools: tools.map((tool) => ({ type: 'function', ...tool })) }),
    ...(tools && toolChoice && { toolChoice: choiceOf(toolChoice) }),
    ...(output && { responseFormat: { type: 'json', ...output } }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(stopSequences && { stopSequences: [...stopSequences] }),
    ...(seed !== undefined && { seed }),
    ...(headers && { headers: { ...headers } }),
    ...(providerOptions && { providerOptions }),
    ...(signal && { abortSignal: signal }),
  }
}

function choiceOf(choice: ToolChoice): NonNullable<AISDKCallOptions['toolChoice']> {
  return typeof choice === 'object' ? { type: 'tool', toolName: choice.tool } : { type: choice }
}

/** The AI SDK has no common word for parallel calls; each vendor has its option. */
function withParallelCalls(model: AISDKModel, request: ModelRequest): Record<string, JsonObject> | undefined {
  const { parallelToolCalls, providerOptions } = request
  if (parallelToolCalls === undefined) return providerOptions && { ...providerOptions }
  const vendor = vendorOf(model)
  const named: JsonObject | undefined =
    vendor === 'anthropic'
      ? { disableParallelToolUse: !parallelToolCalls }
      : ['openai', 'azure', 'groq', 'mistral', 'xai'].includes(vendor)
        ? { parallelToolCalls }
        : undefined
  if (named) return { ...providerOptions, [vendor]: { ...named, ...providerOptions?.[vendor] } }
  if (parallelToolCalls) return providerOptions && { ...providerOptions }
  throw new TellurionError(
    'model_validation',
    `The AI SDK provider '${model.provider}' cannot be told to make one tool call at a time by 'parallelToolCalls'; use 'providerOptions'.`,
  )
}

function promptOf(request: ModelRequest, version: string): AISDKMessage[] {
  const prompt: AISDKMessage[] = request.system ? [{ role: 'system', content: request.system }] : []
  for (const message of request.messages) {
    // What died half-way is kept for people; no model sees it.
    if (message.role === 'assistant' && message.partial) continue
    prompt.push(messageOf(message, version))
  }
  return prompt
}

function messageOf(message: Message, version: string): AISDKMessage {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: message.content }
    case 'user':
      return { role: 'user', content: partsOf(message.content, (part) => userPart(part, version)) }
    case 'assistant':
      return { role: 'assistant', content: partsOf(message.content, assistantPart) }
    case 'tool':
      return { role: 'tool', content: [toolResult(message, version)] }
    default:
      return message satisfies never
  }
}

function partsOf<Part>(content: string | readonly Part[], convert: (part: Part) => AISDKPart): AISDKPart[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content.map(convert)
}

function userPart(part: UserPart, version: string): AISDKPart {
  if (part.type === 'text') return { type: 'text', text: part.text }
  const filename = part.type === 'file' && part.filename !== undefined ? { filename: part.filename } : {}
  return { type: 'file', mediaType: part.mediaType, data: fileData(part, version), ...filename }
}

function fileData({ data, url }: ImagePart | FilePart, version: string): unknown {
  const link = url === undefined ? undefined : new URL(url)
  if (version === 'v2' || version === 'v3') return link ?? data
  return link ? { type: 'url', url: link } : { type: 'data', data }
}

function assistantPart(part: AssistantPart): AISDKPart {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text, ...optionsOf(part.providerMetadata) }
    case 'reasoning':
      return { type: 'reasoning', text: part.text, ...optionsOf(part.providerMetadata ?? anthropicMetadata(part)) }
    case 'tool-call': {
      const { toolCallId, toolName, input, providerMetadata } = part
      // Providers want an object here; what was not JSON is explained by the call's result.
      const sent = typeof input === 'object' && input !== null ? input : {}
      return { type: 'tool-call', toolCallId, toolName, input: sent, ...optionsOf(providerMetadata) }
    }
    default:
      return part satisfies never
  }
}

/** A signature that came over our own wire is Anthropic's; their provider wants it under these names. */
function anthropicMetadata({ signature, redacted }: ReasoningPart): ProviderMetadata | undefined {
  if (signature !== undefined) return { anthropic: { signature } }
  return redacted === undefined ? undefined : { anthropic: { redactedData: redacted } }
}

function optionsOf(metadata: ProviderMetadata | undefined): { providerOptions?: ProviderMetadata } {
  return metadata ? { providerOptions: metadata } : {}
}

function toolResult(message: ToolMessage, version: string): AISDKPart {
  const { toolCallId, toolName, content, isError } = message
  const output =
    typeof content === 'string' || isError
      ? { type: isError ? 'error-text' : 'text', value: textOf(message) }
      : { type: 'content', value: content.map((part) => resultPart(part, version)) }
  return { type: 'tool-result', toolCallId, toolName, output }
}

function resultPart(part: UserPart, version: string): object {
  if (part.type === 'text') return { type: 'text', text: part.text }
  const { type, mediaType, data, url } = part
  if (version === 'v2') {
    // Version 2 knows no links in results; the model is told the address.
    return data === undefined ? { type: 'text', text: url ?? '' } : { type: 'media', data, mediaType }
  }
  if (version === 'v3')
    return data === undefined ? { type: `${type}-url`, url } : { type: `${type}-data`, data, mediaType }
  return userPart(part, version)
}
