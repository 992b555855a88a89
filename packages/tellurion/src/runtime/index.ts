// The door `tellurion/runtime`: the same agents, made to survive.

export type { AgentRuntime, Question, RunContext, RunResult, StepDone, StepLog } from './agent-runtime.ts'
export type { Backend, BackendOpener } from './backend.ts'
export { compressed } from './backend/compressed.ts'
export { memory } from './backend/memory/memory.ts'
export { readCheckpoint, writeCheckpoint } from './checkpoint-file.ts'
export type { CheckpointedRun, CheckpointFile } from './checkpoint-file.ts'
export { DurableSession, DurableTurn } from './durable-session.ts'
export type { DurableTurnOptions } from './durable-session.ts'
export type { Hint, Hints } from './hints.ts'
export { Registry } from './registry.ts'
export type { AnyAgent } from './registry.ts'
export type { ForkOptions, MessagePlace, OutsideEffect } from './past.ts'
export type { RestoreRunOptions } from './restore.ts'
export { RunHandle } from './run-handle.ts'
export type { RunEvent } from './run-events.ts'
export type { Desk } from './run-handle.ts'
export type { RunOutcome } from './run-outcome.ts'
export type { Consumer, QueueItem, RunQueue } from './run-queue.ts'
export type { BranchRecord, RunRecord, RunStatus, SessionRecord } from './run.ts'
export type {
  Commit,
  CommitResult,
  JournalRow,
  Mail,
  MailKind,
  NewMail,
  NewRun,
  RunEnd,
  RunFilter,
  SessionFilter,
  StoreCount,
  RunReads,
  RunStore,
  StoredEvent,
  StoredState,
} from './run-store.ts'
export { step } from './step.ts'
export type { Step, StepContext, StepFunction, StepOptions, StepState } from './step.ts'
export { StepExecutor } from './step-executor.ts'
export type { StepResults, StepRunOptions } from './step-executor.ts'
export { executeWithEvents, toolCallingAgent } from './tool-calling-agent.ts'
export type { ToolCallingOptions } from './tool-calling-agent.ts'
export { createRuntime, Runtime } from './runtime.ts'
export type { Caps } from '../agent/caps.ts'
export type { RuntimeOptions, SubmitOptions } from './runtime-options.ts'
export { Interactions } from './interaction.ts'
export type { OpenInteraction } from './interaction.ts'
export { compressedKeyValue, zstd } from '../store/compressed-key-value.ts'
export type { Codec } from '../store/compressed-key-value.ts'
export type { AccountClaim, AccountLimits, AccountRecord, Accounts, Grant, Spending } from './account.ts'
export { countedIds, systemIds } from '../id/id.ts'
export type { Ids } from '../id/id.ts'
export { hasEnded } from './run.ts'
