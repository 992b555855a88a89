// What can be told of an AI SDK model without speaking to it: whether it is one, whose it is, and its name.

import { TellurionError } from '../error/error.ts'
import type { AISDKModel } from './ai-sdk.ts'

const versions: ReadonlySet<string> = new Set(['v2', 'v3', 'v4'])

/** Whether a value is an AI SDK language model, by its structure. Versions this library cannot speak count too. */
export function isAISDKModel(value: unknown): value is AISDKModel {
  if (typeof value !== 'object' || value === null) return false
  const { specificationVersion, doStream, modelId } = value as Partial<AISDKModel>
  return typeof specificationVersion === 'string' && typeof doStream === 'function' && typeof modelId === 'string'
}

/** The vendor's part of `provider`: `openai` of `openai.responses`. */
export function vendorOf(model: AISDKModel): string {
  return model.provider.split('.')[0] ?? model.provider
}

/** The name as `vendor/modelId`. Throws `invalid_option` for a version of the specification this library cannot speak. */
export function nameOfAISDK(model: AISDKModel): string {
  if (versions.has(model.specificationVersion)) return `${vendorOf(model)}/${model.modelId}`
  throw new TellurionError(
    'invalid_option',
    `The AI SDK model '${model.modelId}' has specification '${model.specificationVersion}'; use v2, v3 or v4.`,
  )
}
