// What a chat needs of a client: as much as a test has to stand in for.

import type { Client } from 'tellurion/client'

/** The part of a client that a chat needs. */
export interface ChatClient {
  readonly runs: Pick<
    Client['runs'],
    'start' | 'get' | 'list' | 'events' | 'ticks' | 'cancel' | 'pause' | 'resume' | 'retry' | 'steer'
  >
  readonly sessions: Pick<Client['sessions'], 'messages' | 'runs'>
  readonly interactions: Pick<Client['interactions'], 'answer'>
}
