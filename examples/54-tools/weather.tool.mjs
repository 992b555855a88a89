// A file of tools: its exports are what an agent may call.

import { tool } from 'tellurion'

export const weather = tool({
  description: 'The weather of a place',
  inputSchema: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
  effects: 'read',
  trust: 'trusted',
  execute: ({ place }) => `Rain in ${place}.`,
})
