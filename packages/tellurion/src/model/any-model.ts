// What may be handed in wherever a model is wanted: a model of ours, or one of the AI SDK.

import { TellurionError } from '../error/error.ts'
import type { Model, ModelEvent } from '../port/model.ts'
import { isAISDKModel, nameOfAISDK } from './ai-sdk-model.ts'
import type { AISDKModel } from './ai-sdk.ts'

/** A model of ours or any AI SDK language model. */
export type AnyModel = Model | AISDKModel

/** The model itself, or an AI SDK model made one of ours. Throws `invalid_option` for anything else. */
export function asModel(model: AnyModel): Model {
  if (isAISDKModel(model)) return adapted(model)
  if (typeof model?.stream === 'function' && typeof model.name === 'string') return model
  const given =
    typeof model === 'string' ? `the text '${String(model)}'; write model('${String(model)}')` : typeof model
  throw new TellurionError('invalid_option', `Expected a model, such as model('openai/gpt-5'), not ${given}.`)
}

/** The adapter is loaded by the first call: a program without AI SDK models never carries it. */
function adapted(model: AISDKModel): Model {
  return {
    name: nameOfAISDK(model),
    stream: (request, options) => ({
      [Symbol.asyncIterator]() {
        let events: AsyncIterator<ModelEvent> | undefined
        const open = async (): Promise<AsyncIterator<ModelEvent>> => {
          const { fromAISDK } = await import('./from-ai-sdk.ts')
          return (events = fromAISDK(model).stream(request, options)[Symbol.asyncIterator]())
        }
        return {
          next: () => (events === undefined ? open().then((opened) => opened.next()) : events.next()),
          return: async () => (await events?.return?.()) ?? { done: true, value: undefined },
        }
      },
    }),
  }
}
