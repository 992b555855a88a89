// What is common to programs that are started here and spoken to over more descriptors than the usual three.

import type { ChildProcess } from 'node:child_process'
import type { Duplex, Readable } from 'node:stream'
import type { FullLimits } from './limit.ts'

/** Node's types end at descriptor 4. */
export function streamOf({ stdio }: ChildProcess, descriptor: number): Duplex {
  return (stdio as readonly unknown[])[descriptor] as Duplex
}

/** The first group of a pattern in what a stream brings. */
export function firstMatch(stream: Readable, pattern: RegExp): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const listen = (bytes: Buffer): void => {
      text = (text + bytes.toString()).slice(-4_096)
      const match = pattern.exec(text)
      if (match === null) return
      stream.off('data', listen)
      resolve(match[1] ?? '')
    }
    stream.on('data', listen)
  })
}

const nodeData = 768 * 1024 * 1024
const kilobytes = (bytes: number): number => Math.floor(bytes / 1024)

/** What each process may take by itself. The number of processes counts those of the same user in the same sandbox. */
export function ownLimits({ memory, processes }: FullLimits, boundAddresses: boolean): string {
  const number = `{ ulimit -u ${processes} 2>/dev/null || ulimit -p ${processes}; }`
  // Node reserves far more addresses than it uses, and needs this much beside its heap to start.
  const space = boundAddresses ? `ulimit -v ${kilobytes(memory * 4)}` : `ulimit -d ${kilobytes(memory + nodeData)}`
  return ['ulimit -c 0', 'ulimit -n 512', number, space].join(' && ')
}
