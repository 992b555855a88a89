// Routes of operators: health, numbers, caps, metrics and the cache.

import { TellurionError } from 'tellurion'
import type { HealthResource, JsonObject, StatsResource } from 'tellurion/protocol'
import { cacheSize, clearCaches } from 'tellurion/tool'
import { z } from 'zod'
import { limitResources } from './limit.ts'
import { operation } from './operation.ts'
import { pageOf, pageQuery, slicePage } from './page.ts'
import { prometheusText, prometheusType } from './prometheus.ts'
import { healthResource, limitResource, statsResource } from './schema-operation.ts'
import { jsonObject } from './schema-part.ts'
import type { ServerSetting } from './setting.ts'

const uptimeOf = ({ clock, began }: ServerSetting): number => Math.round(clock.monotonic() - began)

/** Whether the store answers. What it says does not leave the house. */
async function storeAnswers(setting: ServerSetting): Promise<{ ok: boolean; detail?: string }> {
  const { runtime, log, trust } = setting
  try {
    await runtime.runs({ limit: 1 })
    // A full disk can still be read. Trying costs a write, so only a store that has refused one is tried.
    if (trust.doubted)
      await runtime.keyValue.set({ scope: 'global', owner: '' }, 'health', new Uint8Array(), { ttl: 1 })
    trust.doubted = false
    return { ok: true }
  } catch (error) {
    log.error('health.store', { error: String(error) })
    const isGone = error instanceof TellurionError && error.code === 'store_gone'
    if (isGone) return { ok: false, detail: 'The file of the store was deleted or replaced.' }
    return { ok: false, detail: trust.doubted ? 'The store keeps nothing new.' : 'The store does not answer.' }
  }
}

async function healthOf(setting: ServerSetting): Promise<Response> {
  const store = await storeAnswers(setting)
  const status = setting.closing.aborted ? 'closing' : store.ok ? 'ok' : 'degraded'
  const checks = { ...setting.checks(), store }
  const body: HealthResource = { status, version: setting.version, uptime: uptimeOf(setting), checks }
  return Response.json(body, { status: status === 'ok' ? 200 : 503 })
}

async function statsOf(setting: ServerSetting): Promise<StatsResource> {
  const { heapUsed, rss } = process.memoryUsage()
  return {
    uptime: uptimeOf(setting),
    ...(await setting.runtime.count()),
    connections: { ...setting.connections },
    memory: { heapUsed, rss },
  }
}

const healthParts = { answer: healthResource, others: { 503: healthResource } } as const

/** Whether the server can do its work: 200, else 503. */
export const health = operation('health', { ...healthParts, handle: ({ setting }) => healthOf(setting) })

/** The same under the path of the interface. */
export const apiHealth = operation('apiHealth', { ...healthParts, handle: ({ setting }) => healthOf(setting) })

/** Numbers of the server and its store. */
export const stats = operation('stats', { answer: statsResource, handle: ({ setting }) => statsOf(setting) })

/** Every cap. */
export const limits = operation('limits', {
  query: z.strictObject(pageQuery),
  answer: pageOf(limitResource),
  handle: async ({ setting, query }) => slicePage(query, limitResources(setting.limits, setting.runtime)),
})

/** Metrics as JSON. */
export const metrics = operation('metrics', {
  answer: jsonObject,
  handle: async ({ setting }) => (await setting.meter.summary()) as unknown as JsonObject,
})

/** Metrics as Prometheus text. */
export const prometheus = operation('prometheus', {
  media: ['text/plain'],
  handle: async ({ setting }) => {
    const text = prometheusText(await setting.meter.summary(), await statsOf(setting))
    return new Response(text, { headers: { 'content-type': prometheusType } })
  },
})

/** What the caches of the store hold. */
export const cacheStats = operation('cacheStats', {
  answer: jsonObject,
  handle: async ({ setting }) => cacheSize(setting.runtime.keyValue),
})

/** Empties the caches; nothing else of the store is touched. */
export const clearCache = operation('clearCache', {
  handle: async ({ setting, requestId, identity }) => {
    const cleared = await clearCaches(setting.runtime.keyValue)
    setting.log.info('cache.cleared', { requestId, user: identity.user, cleared })
  },
})
