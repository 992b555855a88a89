// The door `tellurion/testing`: doubles that take the place of models and of time.

export { faultyModel, type Fault, type FaultPlan, type FaultyModel } from './faulty-model.ts'
export { scriptedModel } from './scripted-model.ts'
export type { Script, ScriptedModel, ScriptedModelOptions, ScriptedReply, ScriptedTurn } from './scripted-model.ts'
export { macrotask, virtualClock, type VirtualClock } from './virtual-clock.ts'
export { runAgentTest, type AgentTest, type RuntimeTest } from './run-agent.ts'
export { createTestContext, type TestContext, type TestContextOptions } from './run-context.ts'
