// Schemas of what operators look at: health, numbers, caps.

import { z } from 'zod'
import type { HealthResource, LimitResource, StatsResource } from 'tellurion/protocol'
import { schemaOf } from './schema.ts'

/** Whether the server can do its work. */
export const healthResource = schemaOf<HealthResource>()(
  z
    .object({
      status: z.enum(['ok', 'degraded', 'closing']),
      version: z.string(),
      uptime: z.number().meta({ description: 'Milliseconds.' }),
      checks: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().exactOptional() })),
    })
    .meta({ id: 'Health' }),
)

const count = z.int().min(0)

/** Numbers of the server and its store. */
export const statsResource = schemaOf<StatsResource>()(
  z
    .object({
      uptime: z.number().meta({ description: 'Milliseconds.' }),
      runs: z.object({
        queued: count,
        running: count,
        waiting: count,
        paused: count,
        succeeded: count,
        failed: count,
        cancelled: count,
        timed_out: count,
      }),
      sessions: count,
      connections: z.object({ http: count, streams: count, sockets: count }),
      memory: z.object({ heapUsed: count, rss: count }).meta({ description: 'Bytes.' }),
    })
    .meta({ id: 'Stats' }),
)

/** A cap. */
export const limitResource = schemaOf<LimitResource>()(
  z
    .object({
      name: z.string(),
      limit: z.number(),
      unit: z.string().meta({ description: 'What counts towards it.' }),
      overflow: z.string().meta({ description: 'What happens when it is reached.' }),
    })
    .meta({ id: 'Limit' }),
)
