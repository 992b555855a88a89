// The memory backend: everything in this process and gone with it. For tests, and for runs that need not outlive it.

import { memoryKeyValue } from '../../../port/memory-key-value.ts'
import type { BackendOpener } from '../../backend.ts'
import { createHintHub } from '../hint-hub.ts'
import { createTableQueue } from '../table-queue.ts'
import { createMemoryStore } from './memory-store.ts'

/** A backend in memory. Each opening is empty. */
export function memory(): BackendOpener {
  return async ({ clock }) => {
    const hints = createHintHub()
    const keyValue = memoryKeyValue({ clock })
    const { store, table } = createMemoryStore({ hints, keyValue })
    const queue = createTableQueue(table, { hints, clock })
    return { name: 'memory', durable: false, store, queue, hints, keyValue, close: () => store.close() }
  }
}
