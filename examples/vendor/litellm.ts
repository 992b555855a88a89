// Any of the vendors behind a LiteLLM proxy, by one name. Set LITELLM_BASE_URL where it is not at localhost:4000,
// LITELLM_API_KEY where it wants one, and LITELLM_MODEL to a model that your proxy serves. (ECS-110, ECS-19, ARC-77)
// needs: LITELLM_BASE_URL

import { Agent, TellurionError, model } from 'tellurion'
import { vendors } from 'tellurion/model'

const name = process.env['LITELLM_MODEL'] ?? vendors.litellm.defaultModel

const helper = new Agent({ name: 'helper', model: model(`litellm/${name}`), instructions: 'Answer in one sentence.' })

try {
  const { text, usage } = await helper.generate('What does a tellurion show?')
  console.log(text)
  // prints: the Sun.
  console.log(`${usage.totalTokens} tokens by ${name}`)
  // prints: tokens by
} catch (error) {
  // One line that says what to do, such as where nothing listens.
  console.error(error instanceof TellurionError ? `${error.code}: ${error.message}` : error)
  process.exitCode = 1
}
