import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StatsResource } from 'tellurion/protocol'
import { createMetrics } from 'tellurion/trace'
import { prometheusText } from './prometheus.ts'

const stats: StatsResource = {
  uptime: 1500,
  runs: { queued: 1, running: 2, waiting: 0, paused: 0, succeeded: 3, failed: 0, cancelled: 0, timed_out: 0 },
  sessions: 4,
  connections: { http: 5, streams: 6, sockets: 7 },
  memory: { heapUsed: 8, rss: 9 },
}

describe('prometheusText', () => {
  it('has each family once with its kind, and durations in seconds', () => {
    const metrics = createMetrics()
    metrics.read({ type: 'run.started', agent: 'a' }, { run: 'r', at: 0 })
    metrics.read({ type: 'run.succeeded', stopReason: 'idle' }, { run: 'r', at: 2000 })
    const text = prometheusText(metrics.summary(), stats)
    const families = [...text.matchAll(/^# TYPE (\w+) (gauge|counter|summary)$/gm)].map(([, name]) => name)
    assert.deepEqual(new Set(families).size, families.length)
    assert.match(text, /^tellurion_run_duration_seconds\{quantile="0\.5"\} 2$/m)
    assert.match(text, /^tellurion_run_duration_seconds_sum 2$/m)
    assert.match(text, /^tellurion_runs\{status="running"\} 2$/m)
    assert.match(text, /^tellurion_uptime_seconds 1\.5$/m)
    assert.ok(text.endsWith('\n'))
  })

  it('escapes what stands in labels', () => {
    const metrics = createMetrics()
    metrics.read({ type: 'model.called', entity: 1, model: 'a"b\\c\nd' })
    const text = prometheusText(metrics.summary(), stats)
    assert.ok(text.includes('tellurion_model_calls_total{model="a\\"b\\\\c\\nd"} 1\n'))
    for (const line of text.trimEnd().split('\n')) assert.match(line, /^(# |tellurion_)/)
  })
})
