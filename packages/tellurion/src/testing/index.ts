// The door `tellurion/testing`: doubles that take the place of models, servers and time, and the lists of
// behaviours that every implementation of a port shows.

export { faultyModel, type Fault, type FaultPlan, type FaultyModel } from './faulty-model.ts'
export { keyValueBehaviour, type KeyValueBench, type KeyValueCase } from './key-value-behaviour.ts'
export { modelBehaviours, type Behaviour, type ModelUnderTest, type OpenModel } from './model-behaviour.ts'
export { byteByByte, createRawServer } from './raw-server.node.ts'
export type { RawReply, RawRequest, RawServer } from './raw-server.node.ts'
export { scriptedModel } from './scripted-model.ts'
export type { Script, ScriptedModel, ScriptedModelOptions, ScriptedReply, ScriptedTurn } from './scripted-model.ts'
export { seededSetup, type SeededSetup } from './seeded-setup.ts'
export { macrotask, virtualClock, type VirtualClock } from './virtual-clock.ts'
export { runAgentTest, type AgentTest, type RuntimeTest } from './run-agent.ts'
export { createTestContext, type TestContext, type TestContextOptions } from './run-context.ts'
export { anthropicLanguage, openAILanguage, scriptedUsage } from './wire-script.ts'
export type { WireLanguage, WireScript, WireStep } from './wire-script.ts'
export { serveWire, type WireServer } from './wire-server.node.ts'
export type { AgentRuntime, RunContext, RunResult } from '../runtime/agent-runtime.ts'
