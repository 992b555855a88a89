// Reading the server of server-sent events: CPU time of this process for 1,000 chunks, as a burst and paced.

import { fork } from 'node:child_process'
import { join } from 'node:path'
import { cpuMicroseconds, median } from './measure.ts'
import type { Figures, Scale } from './workload/workload.ts'

/** Asks `<baseURL>/chat/completions` and reads to the end; the number of texts that came. */
export type ReadCompletion = (baseURL: string) => Promise<number>

/** CPU milliseconds per 1,000 chunks. */
export async function measureReading(scale: Scale, read: ReadCompletion): Promise<Figures> {
  const server = fork(join(import.meta.dirname, 'sse-server.ts'))
  try {
    const port = await new Promise<number>((resolve) => server.once('message', (message) => resolve(Number(message))))
    const base = `http://127.0.0.1:${port}`
    const burst = await perThousand(`${base}/burst/2000`, read, {
      count: 2000,
      warmUp: 8,
      rounds: scale.quick ? 7 : 25,
    })
    const count = scale.quick ? 400 : 2000
    const paced = await perThousand(`${base}/paced/${count}`, read, { count, warmUp: 1, rounds: scale.quick ? 1 : 2 })
    return { burst, paced }
  } finally {
    server.disconnect()
  }
}

async function perThousand(
  url: string,
  read: ReadCompletion,
  { count, warmUp, rounds }: { count: number; warmUp: number; rounds: number },
): Promise<number> {
  const times: number[] = []
  for (let round = -warmUp; round < rounds; round++) {
    const start = process.cpuUsage()
    const seen = await read(url)
    if (round >= 0) times.push(cpuMicroseconds(start) / count)
    if (seen < count) throw new Error(`only ${seen} of ${count} chunks came`)
  }
  return median(times)
}
