// The door `tellurion/trace`: readers of what happens.

export { logEvents } from './event-log.ts'
export type { EventLogOptions } from './event-log.ts'
export { createLogFile } from './log-file.ts'
export type { LogFile, LogFileOptions } from './log-file.ts'
export { createLog, logLevels, redactedNames } from './log.ts'
export type { LogFormat, LogOptions } from './log.ts'
export type { Log, LogFields, LogLevel } from '../port/log.ts'
export { createMetrics } from './metrics.ts'
export type { CallSummary, EventPlace, Metrics, MetricsSummary } from './metrics.ts'
export type { DistributionSummary } from './distribution.ts'
