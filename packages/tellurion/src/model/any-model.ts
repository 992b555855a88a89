// What may be handed in wherever a model is wanted: a model of ours, or one of the AI SDK.

import { TellurionError } from '../error/error.ts'
import type { Model } from '../port/model.ts'
import type { AISDKModel } from './ai-sdk.ts'
import { fromAISDK, isAISDKModel } from './from-ai-sdk.ts'

/** A model of ours or any AI SDK language model. */
export type AnyModel = Model | AISDKModel

/** The model itself, or an AI SDK model made one of ours. Throws `invalid_option` for anything else. */
export function asModel(model: AnyModel): Model {
  if (isAISDKModel(model)) return fromAISDK(model)
  if (typeof model?.stream === 'function' && typeof model.name === 'string') return model
  const given =
    typeof model === 'string' ? `the text '${String(model)}'; write model('${String(model)}')` : typeof model
  throw new TellurionError('invalid_option', `Expected a model, such as model('openai/gpt-5'), not ${given}.`)
}
