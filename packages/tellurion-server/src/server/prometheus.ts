// Metrics in the text format of Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats. Durations are in
// seconds there.

import type { StatsResource } from 'tellurion/protocol'
import type { CallSummary, DistributionSummary, MetricsSummary } from 'tellurion/trace'

/** The media type of the format. */
export const prometheusType = 'text/plain; version=0.0.4; charset=utf-8'

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number]

/** The numbers as text. */
export function prometheusText(metrics: MetricsSummary, stats: StatsResource): string {
  const { runs, tokens, models, tools } = metrics
  return [
    family('runs', 'gauge', 'Runs in the store by status.', by('status', stats.runs)),
    family('sessions', 'gauge', 'Sessions in the store.', one(stats.sessions)),
    family('connections', 'gauge', 'Open connections by kind.', by('kind', stats.connections)),
    family('memory_bytes', 'gauge', 'Memory of the process by kind.', by('kind', stats.memory)),
    family('uptime_seconds', 'gauge', 'Since the server began.', one(stats.uptime / 1000)),
    family('runs_started_total', 'counter', 'Runs that began.', one(runs.started)),
    family('runs_ended_total', 'counter', 'Runs that ended, by how.', [
      [{ status: 'succeeded' }, runs.succeeded],
      [{ status: 'failed' }, runs.failed],
      [{ status: 'cancelled' }, runs.cancelled],
      [{ status: 'timed_out' }, runs.timedOut],
    ]),
    family('runs_retried_total', 'counter', 'Attempts that failed and were followed by another.', one(runs.retried)),
    summary('run_duration_seconds', 'How long runs took.', [[{}, runs.duration]]),
    ...calls('model', 'Model calls', models),
    ...calls('tool', 'Tool calls', tools),
    family('tokens_total', 'counter', 'Tokens of model calls.', [
      [{ kind: 'input' }, tokens.input],
      [{ kind: 'output' }, tokens.output],
    ]),
    family('cost_total', 'counter', 'Cost in the unit of the price function.', one(metrics.cost)),
    family('errors_total', 'counter', 'Failures by code.', by('code', metrics.errorCodes)),
  ].join('')
}

function calls(kind: string, what: string, all: Readonly<Record<string, CallSummary>>): string[] {
  const rows = Object.entries(all)
  const counted = rows.map(([name, row]): Sample => [{ [kind]: name }, row.calls])
  const failed = rows.map(([name, row]): Sample => [{ [kind]: name }, row.errors])
  const durations = rows.map(([name, row]) => [{ [kind]: name }, row.duration] as const)
  return [
    family(`${kind}_calls_total`, 'counter', `${what}.`, counted),
    ...(kind === 'tool' ? [family('tool_errors_total', 'counter', `${what} that failed.`, failed)] : []),
    summary(`${kind}_call_duration_seconds`, `How long ${what.toLowerCase()} took.`, durations),
  ]
}

const one = (value: number): Sample[] => [[{}, value]]

function by(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([name, value]) => [{ [label]: name }, value])
}

function family(name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => line(name, labels, value))
  return `# HELP tellurion_${name} ${help}\n# TYPE tellurion_${name} ${type}\n${lines.join('')}`
}

function summary(name: string, help: string, all: readonly (readonly [Labels, DistributionSummary])[]): string {
  const lines = all.flatMap(([labels, { p50, p95, p99, sum, count }]) => [
    line(name, { ...labels, quantile: '0.5' }, p50 / 1000),
    line(name, { ...labels, quantile: '0.95' }, p95 / 1000),
    line(name, { ...labels, quantile: '0.99' }, p99 / 1000),
    line(`${name}_sum`, labels, sum / 1000),
    line(`${name}_count`, labels, count),
  ])
  return `# HELP tellurion_${name} ${help}\n# TYPE tellurion_${name} summary\n${lines.join('')}`
}

function line(name: string, labels: Labels, value: number): string {
  const shown = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `tellurion_${name}${shown.length === 0 ? '' : `{${shown.join(',')}}`} ${value}\n`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
