// The door of `tellurion/model`: talking to language models.

export { collect, complete } from './collect.ts'
export { embeddingModel, type EmbeddingOptions } from './embedding.ts'
export { type Environment, type ModelOptions } from './endpoint.ts'
export { modelFromEnv, modelNamedByEnv, type NamedByEnvironment } from './environment.ts'
export { failureError, recoveryGuidance } from './failure.ts'
export { model } from './named-model.ts'
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
