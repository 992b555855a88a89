// A source of 10,000 events a second, and how many processor seconds it takes to bring them to a crowd of clients.

import { fork } from 'node:child_process'
import { join } from 'node:path'
import { cpuMicroseconds } from './measure.ts'
import type { Figures, Scale } from './workload/workload.ts'

/** Clients: half of them read server-sent events, half a WebSocket. */
export const crowd = 200
const rate = 10_000

/** What is measured: it listens on a port, and brings each event that is emitted to all clients. */
export interface Broadcast {
  readonly port: number
  /** The run whose events the clients ask for. */
  readonly run: string
  emit(event: { readonly type: 'text.delta'; readonly text: string }): void
  /** Resolves when so many clients listen. */
  joined(clients: number): Promise<void>
  close(): void | Promise<void>
}

/** What the crowd says when it has everything; `ended` is when that was, in milliseconds since 1970. */
interface Report {
  readonly p50: number
  readonly p99: number
  readonly ended: number
}

/** Microseconds of processor time a delivery, how old events are when they arrive, and the share that arrives. */
export async function measureBroadcast(scale: Scale, open: () => Promise<Broadcast>): Promise<Figures> {
  const broadcast = await open()
  const events = rate * (scale.quick ? 1 : 4)
  const child = fork(join(import.meta.dirname, 'stream-crowd.ts'), [`${broadcast.port}`, `${crowd}`, `${events}`], {
    env: { ...process.env, RUN: broadcast.run },
  })
  const report = Promise.withResolvers<Report>()
  report.promise.catch(() => {})
  child.on('message', (message: Report & { readonly error?: string }) => {
    if (message.error === undefined) report.resolve(message)
    else report.reject(new Error(message.error))
  })
  try {
    await broadcast.joined(crowd)
    const start = process.cpuUsage()
    const began = performance.timeOrigin + performance.now()
    await emitAll(events, broadcast)
    const { p50, p99, ended } = await report.promise
    const cpu = cpuMicroseconds(start) / (events * crowd)
    return { cpu, p50, p99, rate: events / ((ended - began) / 1000) }
  } finally {
    child.disconnect()
    await broadcast.close()
  }
}

/** As many each millisecond as are due by the clock. */
function emitAll(events: number, { emit }: Broadcast): Promise<void> {
  const began = performance.now()
  let sent = 0
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(events, Math.floor(((performance.now() - began) * rate) / 1000))
      for (; sent < due; sent++) {
        const now = (performance.timeOrigin + performance.now()).toFixed(3)
        emit({ type: 'text.delta', text: `${now} word ${sent}.` })
      }
      if (sent < events) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
}
