// A tool that a person is asked about, as it says itself; a rule of the agent goes before that.

import { tool } from 'tellurion'

export default tool({
  description: 'Sends a mail',
  inputSchema: { type: 'object', properties: { to: { type: 'string' }, text: { type: 'string' } }, required: ['to'] },
  needsApproval: true,
  effects: { mode: 'write', repeat: 'keyed', risk: ['exfiltrating'] },
  execute: ({ to }) => `Sent to ${to}.`,
})
