// What a container may use: the limits that control groups set, of version 2 or 1, as the process itself can read them.

import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'

/** Limits of a container, and what it uses; absent where there is no limit. Bytes, processes, and processors. */
export interface ContainerLimits {
  readonly memory?: { readonly limit: number; readonly used: number }
  readonly processes?: { readonly limit: number; readonly used: number }
  /** Processors that may be used at one time, such as 1.5. */
  readonly cpus?: number
}

/** Reads a file of the system; undefined where there is none, or it may not be read. */
export type ReadSystemFile = (path: string) => Promise<string | undefined>

/** Reads them from the machine. */
export const readSystemFile: ReadSystemFile = (path) => readFile(path, 'utf8').catch(() => undefined)

/** Version 1 writes that there is no limit as a number near the largest. */
const noLimit = 2 ** 60

/** The limits that hold for this process, those of groups around its own included; undefined where there are none. */
export async function containerLimits(read: ReadSystemFile = readSystemFile): Promise<ContainerLimits | undefined> {
  const groups = (await read('/proc/self/cgroup')) ?? ''
  const own = /^0::(\/.*)$/m.exec(groups)?.[1]
  const unified = own === undefined ? {} : await unifiedLimits(own, read)
  const limits = Object.keys(unified).length > 0 ? unified : await olderLimits(groups, read)
  return Object.keys(limits).length === 0 ? undefined : limits
}

/** Version 2: the tightest of a group and those it is in. */
async function unifiedLimits(own: string, read: ReadSystemFile): Promise<ContainerLimits> {
  let limits: ContainerLimits = {}
  for (const group of upFrom(own)) {
    const at = (name: string): Promise<string | undefined> => read(posix.join('/sys/fs/cgroup', group, name))
    const memory = pairOf(await at('memory.max'), await at('memory.current'))
    const processes = pairOf(await at('pids.max'), await at('pids.current'))
    const [quota, period] = ((await at('cpu.max')) ?? '').trim().split(' ').map(Number)
    limits = tighter(limits, { memory, processes, cpus: shareOf(quota, period) })
  }
  return limits
}

/** Version 1: a tree for each thing that is limited. Inside a container its own group is the root of the tree. */
async function olderLimits(groups: string, read: ReadSystemFile): Promise<ContainerLimits> {
  const at = async (kind: string, name: string): Promise<string | undefined> => {
    const own = groups.split('\n').find((line) => line.split(':')[1]?.split(',').includes(kind))
    const path = own?.split(':').slice(2).join(':') ?? '/'
    const base = posix.join('/sys/fs/cgroup', kind)
    return (await read(posix.join(base, path, name))) ?? read(posix.join(base, name))
  }
  const quota = Number(await at('cpu', 'cpu.cfs_quota_us'))
  const period = Number(await at('cpu', 'cpu.cfs_period_us'))
  return tighter(
    {},
    {
      memory: pairOf(await at('memory', 'memory.limit_in_bytes'), await at('memory', 'memory.usage_in_bytes')),
      processes: pairOf(await at('pids', 'pids.max'), await at('pids', 'pids.current')),
      cpus: shareOf(quota, period),
    },
  )
}

function upFrom(group: string): string[] {
  const groups: string[] = []
  // A process may see the path of its group from outside its namespace: `/../other`.
  for (let path = posix.join('/', group); ; path = posix.dirname(path)) {
    groups.push(path)
    if (path === '/') return groups
  }
}

type Pair = { readonly limit: number; readonly used: number } | undefined

function pairOf(limit: string | undefined, used: string | undefined): Pair {
  const [most, now] = [numberOf(limit), numberOf(used)]
  return most === undefined || now === undefined ? undefined : { limit: most, used: now }
}

/** A number of a limit; undefined for `max`, for what is none, and for what stands for none. */
function numberOf(text: string | undefined): number | undefined {
  const number = /^\d+\s*$/.test(text ?? '') ? Number(text) : Number.NaN
  return number < noLimit ? number : undefined
}

function shareOf(quota: number | undefined, period: number | undefined): number | undefined {
  const share = (quota ?? Number.NaN) / (period ?? Number.NaN)
  return share > 0 && Number.isFinite(share) ? Math.round(share * 100) / 100 : undefined
}

interface Found {
  readonly memory: Pair
  readonly processes: Pair
  readonly cpus: number | undefined
}

function tighter(known: ContainerLimits, { memory, processes, cpus }: Found): ContainerLimits {
  const less = (a: Pair, b: Pair): Pair => (a === undefined || (b !== undefined && b.limit < a.limit) ? b : a)
  const [bytes, count] = [less(known.memory, memory), less(known.processes, processes)]
  const share = Math.min(known.cpus ?? Infinity, cpus ?? Infinity)
  return {
    ...(bytes === undefined ? {} : { memory: bytes }),
    ...(count === undefined ? {} : { processes: count }),
    ...(share === Infinity ? {} : { cpus: share }),
  }
}
