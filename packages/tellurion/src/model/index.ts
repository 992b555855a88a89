// The door of `tellurion/model`: talking to language models.

export { asModel, type AnyModel } from './any-model.ts'
export { replyBounds } from './bounds.ts'
export { breaker, type BreakerModel } from './breaker.ts'
export { collect, complete } from './collect.ts'
export { demoModel, type DemoModelOptions } from './demo-model.ts'
export { embeddingModel, type EmbeddingOptions } from './embedding.ts'
export { type Environment, type ModelOptions } from './endpoint.ts'
export { modelFromEnv, modelNamedByEnv, type NamedByEnvironment } from './environment.ts'
export { failureError, recoveryGuidance } from './failure.ts'
export { fromAISDK, isAISDKModel } from './from-ai-sdk.ts'
export { limit, type LimitOptions } from './limit.ts'
export { model } from './named-model.ts'
export { pool, type PoolModel, type PoolOptions } from './pool.ts'
export type { MemberHealth, PoolMember, PoolStrategy } from './pool-member.ts'
export { priced } from './priced.ts'
export { record, replay, type Recording, type RecordingSink } from './recording.ts'
export { retry } from './retry.ts'
export { timeout, type TimeoutOptions } from './timeout.ts'
export { toAISDK } from './to-ai-sdk.ts'
export { vendors, type Vendor, type VendorName } from './vendor.ts'
export type {
  EmbeddingModel,
  FinishReason,
  Model,
  ModelErrorKind,
  ModelEvent,
  ModelFailure,
  ModelReply,
  ModelRequest,
  PriceFunction,
  ToolChoice,
  ToolSpec,
  Usage,
} from '../port/model.ts'
