// The door `tellurion/tool`.

export { tool } from './tool.ts'
export type {
  AnyTool,
  ApprovalContext,
  Tool,
  ToolContext,
  ToolInput,
  ToolLimits,
  ToolOptions,
  ToolSource,
} from './tool.ts'
export type { TaintSource, Trust } from '../message/trust.ts'
export type { EffectMode, EffectOptions, Effects, Repeat, Risk } from './effects.ts'
export { calculator } from './calculator.ts'
export { functionTool, toolMethod, toolsOf } from './function-tool.ts'
export type { FunctionToolDetails, FunctionToolOptions } from './function-tool.ts'
export type { DetailedParameter, ParameterSpec, ParameterSpecs, ParameterValues } from './parameter.ts'
export { createToolbox } from './toolbox.ts'
export type { ExecuteOptions, OpenAITool, Toolbox, Tools } from './toolbox.ts'
export { approveAlways, approveByPerson, approveNever, createApproval } from './approval.ts'
export type { Approval, ApprovalRequest, ApprovalRule, Authorisation } from './approval.ts'
export type { ArgumentPattern } from './argument-pattern.ts'
export { matching } from './spelling.ts'
export { cacheSize, clearCaches, createCache } from '../port/cache.ts'
export type { Cache, CacheOptions, CacheStats } from '../port/cache.ts'
export { memoryKeyValue } from '../port/memory-key-value.ts'
export type { KeyScope, KeyValue, KeyValueEntry } from '../port/key-value.ts'
export { createPermissions } from './permission.ts'
export type { PermissionOptions, Permissions } from './permission.ts'
export type { Grant, Permission } from './grant.ts'
export { decide, hashInput } from './decide.ts'
export type {
  Allowed,
  Asked,
  Decided,
  DecideOptions,
  Decision,
  Denied,
  PermissionRequest,
  PermissionSource,
} from './decide.ts'
export type { Prepared, Rejection } from './prepare.ts'
export { perform } from './perform.ts'
export type { PerformOptions } from './perform.ts'
export { toolContent, toolMessage } from './result.ts'
export type { ResultOptions, ToolOutcome } from './result.ts'
export { createArtifacts } from './artifact.ts'
export type { ArtifactReference, Artifacts } from './artifact.ts'
export type { KeepOptions } from './keep.ts'
export type { KeptArtifact } from '../message/message.ts'
export { createSchedule } from './schedule.ts'
export type { Claim, Schedule } from './schedule.ts'
export { createPathLocks } from './path-lock.ts'
export type { PathLocks, Release } from './path-lock.ts'
export { canonicalPath } from './path.node.ts'
export { originOf, withOrigin } from './origin.ts'
export { discoverTools } from './discovery.node.ts'
export type { DiscoveredTools, DiscoverOptions } from './discovery.node.ts'
export { systemStatus, systemStatusTool } from './system-status.node.ts'
export type { SystemStatus } from './system-status.node.ts'
export type { ContainerLimits, ReadSystemFile } from './container-limit.node.ts'
