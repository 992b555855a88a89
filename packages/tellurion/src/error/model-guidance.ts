// What helps against failures of models: the one part of the catalogue's texts that messages quote, so running code
// carries these few and not all.

import { networkGuidance, timeoutGuidance } from './connection-guidance.ts'

/** Code → one sentence for a person. */
export const modelGuidance = {
  model_network: networkGuidance,
  model_timeout: timeoutGuidance,
  model_rate_limit: 'Wait as long as the provider says, lower the rate, or add a second model to a pool.',
  model_validation: 'Read the provider’s message: a parameter, a message or a tool schema is not accepted.',
  model_permission: 'Ask for access, or choose another model.',
  model_authentication: 'Check the API key in the environment, `.env` or the `apiKey` option.',
  model_service: 'Try again, or fail over to another model with a pool.',
  model_not_found: 'Check the model’s name and the base URL.',
  model_unknown: 'Read the cause.',
  context_overflow: 'Trim or summarise the conversation, or use a model with a larger window.',
} as const
