// Routes that stay open: events of runs, what is said and watched, and the WebSocket.

import { RequestError } from './failure.ts'
import { operation } from './operation.ts'

/** Upgrades are taken before requests are read; what comes here did not ask for one. */
export const socket = operation('socket', {
  status: 101,
  handle: () =>
    Promise.reject(
      new RequestError('upgrade_required', 'Connect to /ws with a WebSocket.', {
        upgrade: 'websocket',
        connection: 'upgrade',
      }),
    ),
})
