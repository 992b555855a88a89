// Routes of operators: health.

import { z } from 'zod'
import type { HealthResource } from 'tellurion/protocol'
import { operation } from './operation.ts'
import { schemaOf } from './schema.ts'
import type { ServerSetting } from './setting.ts'

const healthResource = schemaOf<HealthResource>()(
  z
    .object({
      status: z.enum(['ok', 'degraded', 'closing']),
      version: z.string(),
      uptime: z.number().meta({ description: 'Milliseconds.' }),
      checks: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().exactOptional() })),
    })
    .meta({ id: 'Health' }),
)

/** Whether the store answers. */
async function storeAnswers({ runtime }: ServerSetting): Promise<{ ok: boolean; detail?: string }> {
  try {
    await runtime.runs({ limit: 1 })
    return { ok: true }
  } catch {
    return { ok: false, detail: 'The store does not answer.' }
  }
}

async function healthOf(setting: ServerSetting): Promise<Response> {
  const store = await storeAnswers(setting)
  const status = setting.closing.aborted ? 'closing' : store.ok ? 'ok' : 'degraded'
  const uptime = Math.round(setting.clock.monotonic() - setting.began)
  const health: HealthResource = { status, version: setting.version, uptime, checks: { store } }
  return Response.json(health, { status: status === 'ok' ? 200 : 503 })
}

/** Whether the server can do its work: 200, else 503. */
export const health = operation('health', {
  answer: healthResource,
  handle: ({ setting }) => healthOf(setting),
})

/** The same under the path of the interface. */
export const apiHealth = operation('apiHealth', {
  answer: healthResource,
  handle: ({ setting }) => healthOf(setting),
})
