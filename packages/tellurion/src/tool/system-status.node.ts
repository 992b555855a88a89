// How this process and its machine stand: memory, processors, load, open handles, and what its container may use. Numbers
// alone: no names of hosts, users or files, no environment, no arguments.

import { availableParallelism, freemem, loadavg, totalmem, uptime } from 'node:os'
import { containerLimits, readSystemFile, type ContainerLimits, type ReadSystemFile } from './container-limit.node.ts'
import { createTool, type AnyTool } from './tool.ts'

/** How things stand. Memory in bytes, time in seconds. */
export interface SystemStatus {
  readonly process: {
    readonly node: string
    readonly uptime: number
    readonly memory: {
      readonly resident: number
      readonly heapUsed: number
      readonly heapTotal: number
      readonly external: number
    }
    /** Processor time since it began. */
    readonly cpu: { readonly user: number; readonly system: number }
    /** What keeps it busy, by kind: timers, sockets, files. */
    readonly handles: Readonly<Record<string, number>>
  }
  readonly machine: {
    readonly platform: string
    readonly architecture: string
    readonly uptime: number
    /** Processors that this process may use. */
    readonly processors: number
    /** Over 1, 5 and 15 minutes; zeros on Windows. */
    readonly load: readonly [number, number, number]
    readonly memory: { readonly total: number; readonly free: number }
  }
  /** Absent outside a container, and in one without limits. */
  readonly container?: ContainerLimits
}

/** Looks at this process, its machine and its container; takes about a millisecond. */
export async function systemStatus(options: { readonly read?: ReadSystemFile } = {}): Promise<SystemStatus> {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const [one = 0, five = 0, fifteen = 0] = loadavg()
  const container = process.platform === 'linux' ? await containerLimits(options.read ?? readSystemFile) : undefined
  return {
    process: {
      node: process.versions.node,
      uptime: rounded(process.uptime()),
      memory: { resident: rss, heapUsed, heapTotal, external },
      cpu: { user: rounded(user / 1e6), system: rounded(system / 1e6) },
      handles: counted(process.getActiveResourcesInfo()),
    },
    machine: {
      platform: process.platform,
      architecture: process.arch,
      uptime: rounded(uptime()),
      processors: availableParallelism(),
      load: [rounded(one), rounded(five), rounded(fifteen)],
      memory: { total: totalmem(), free: freemem() },
    },
    ...(container === undefined ? {} : { container }),
  }
}

/** The same as a tool, for agents that look after the program they run in: `tools: { systemStatus: systemStatusTool() }`. */
export function systemStatusTool(): AnyTool {
  return createTool({
    name: 'systemStatus',
    description:
      'How this process and its machine stand: memory in bytes, processor time and uptime in seconds, load, open handles, and the limits of its container.',
    inputSchema: { type: 'object', properties: {}, additionalProperties: false },
    effects: 'read',
    trust: 'trusted',
    execute: () => systemStatus(),
  })
}

function counted(kinds: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const kind of kinds.toSorted()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

const rounded = (value: number): number => Math.round(value * 100) / 100
