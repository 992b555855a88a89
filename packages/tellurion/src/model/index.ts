// The door of `tellurion/model`: talking to language models.

export { type AISDKLanguageModel, type AISDKModel } from './ai-sdk.ts'
export { asModel, type AnyModel } from './any-model.ts'
export { replyBounds } from './bounds.ts'
export { breaker, type BreakerModel } from './breaker.ts'
export { collect, complete } from './collect.ts'
export { demoModel, type DemoModelOptions } from './demo-model.ts'
export { embeddingModel, type EmbeddingOptions } from './embedding.ts'
export { type Environment, type ModelOptions } from './endpoint.ts'
export { modelFromEnv, modelNamedByEnv, type NamedByEnvironment } from './environment.ts'
export { failureError } from './failure.ts'
export { recoveryGuidance } from './provider-failure.ts'
export { isAISDKModel } from './ai-sdk-model.ts'
export { fromAISDK } from './from-ai-sdk.ts'
export { type HealthFigures, type HealthStatus } from './health.ts'
export { limit, type LimitOptions } from './limit.ts'
export { model } from './named-model.ts'
export { pool, type PoolModel, type PoolOptions } from './pool.ts'
export type { MemberHealth, PoolMember, PoolStrategy } from './pool-member.ts'
export { priced } from './priced.ts'
export { record, replay, type Recording, type RecordingSink } from './recording.ts'
export { retry } from './retry.ts'
export { timeout, type TimeoutOptions } from './timeout.ts'
export { toAISDK } from './to-ai-sdk.ts'
export { estimateRequestTokens, estimateTokens, messageTokens } from './token-estimate.ts'
export type { TokenCounter } from './token-estimate.ts'
export { loadTokenCounter } from './tokenizer.ts'
export { vendors, type Vendor, type VendorName } from './vendor.ts'
export { backoff, defaultRetryPolicy, type RetryPolicy } from '../retry/backoff.ts'
export { createBreaker, type Breaker, type BreakerOptions, type BreakerPass } from '../retry/breaker.ts'
export type { BreakerState } from '../retry/breaker.ts'
export { isRetryable, withRetry, type RetryNotice, type RetryOptions } from '../retry/retry.ts'
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
