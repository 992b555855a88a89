// The door `tellurion/agent`.

export { Agent } from './agent.ts'
export type { AgentOptions } from './agent.ts'
export { AgentStream } from './agent-stream.ts'
export { checkpoint } from './checkpoint.ts'
export { checkpointsOf, restoreCheckpoint, saveCheckpoint, wishCheckpoint } from './checkpoint-label.ts'
export type { Checkpoints } from './checkpoint-label.ts'
export { createAgentRegistry } from './agent-registry.ts'
export type { AgentRegistry, Listing, Match } from './agent-registry.ts'
export { collaboration, messageTool, nameOf, sendMessage } from './collaboration.ts'
export type { Letter } from './collaboration.ts'
export { Handoff, handingOver, handoff } from './handoff.ts'
export type { HandoffHistory } from './handoff.ts'
export { orchestrate } from './orchestration.ts'
export type { Assignment, Course, Done, Move, OrchestrationOptions, Strategy } from './orchestration.ts'
export { chain, coordinator, parallel, router } from './strategy.ts'
export type { Combine, CoordinatorOptions, RouterOptions } from './strategy.ts'
export {
  agentComponents,
  Budget,
  Checkpoint,
  Children,
  ChildWorld,
  Collaboration,
  Conversation,
  ConversationLimit,
  KVStore,
  LLM,
  Output,
  Owner,
  PendingToolCalls,
  runnerState,
  SandboxConfig,
  Skills,
  Steering,
  Streaming,
  SystemPrompt,
  Taint,
  Todos,
  ToolApproval,
  ToolRegistry,
  ToolResults,
  TurnUsage,
  UserInput,
} from './component.ts'
export type { BudgetLimits, ModelSettings, PendingToolCall } from './component.ts'
export { createFileLocks } from './configuration.ts'
export type { AgentConfiguration, StopCondition, TurnState } from './configuration.ts'
export { compaction } from './compaction.ts'
export { readArchive } from './compaction-archive.ts'
export { summarySegments } from './compaction-summary.ts'
export type { SummarySegment } from './compaction-summary.ts'
export {
  CompactionConfig,
  ConversationArchive,
  Embedding,
  RAGTrigger,
  Reminders,
  Retrieval,
  Retrieved,
  VectorStore,
} from './context-component.ts'
export type {
  ArchivedMessages,
  CompactionSettings,
  CompactionStage,
  Reminder,
  RetrievalSettings,
  RetrievedContext,
} from './context-component.ts'
export { compactContext } from './compact-context.ts'
export type { CompactContextOptions } from './compact-context.ts'
export { FactExtraction, FactRecall, Recalled } from './fact-component.ts'
export { factExtraction } from './fact-extraction.ts'
export type { FactExtractionOptions } from './fact-extraction.ts'
export { factRecall } from './fact-recall.ts'
export type { FactRecallOptions } from './fact-recall.ts'
export { createFacts } from './fact-store.ts'
export type { Facts, FactsOptions, RecalledFact } from './fact-store.ts'
export { factTools } from './fact-tools.ts'
export type { Fact, NewFact } from './fact.ts'
export { hear, say } from './conversation.ts'
export { errorHandling } from './error-handling.ts'
export { extractiveModel } from './extractive-model.ts'
export type { ExtractiveOptions } from './extractive-model.ts'
export { answer } from './interaction.ts'
export type { Answer, StandingAnswer } from './interaction.ts'
export { memory } from './memory.ts'
export { historyTool, searchHistory, searchMessages } from './message-search.ts'
export type { FoundMessage } from './message-search.ts'
export { parsePartialJson } from './partial-json.ts'
export { makePlan } from './plan.ts'
export { planAndExecute } from './plan-and-execute.ts'
export type { PlanAndExecuteOptions } from './plan-and-execute.ts'
export { planBySearch } from './plan-by-search.ts'
export type { PlanBySearchOptions } from './plan-by-search.ts'
export { Plan, Planner, PlanSearch, Reflection, SearchNode, SearchTree } from './plan-component.ts'
export type { PlanStep, PlanValue } from './plan-component.ts'
export { planMaking } from './plan-making.ts'
export { planTool } from './plan-tool.ts'
export type { PlanToolOptions } from './plan-tool.ts'
export { planning } from './planning.ts'
export { react, reactSteps } from './react.ts'
export type { ReactOptions, ReactStep } from './react.ts'
export { rag, ragTrigger } from './rag.ts'
export { reasoning } from './reasoning.ts'
export { reflection } from './reflection.ts'
export type { ReflectionOptions } from './reflection.ts'
export { replanning } from './replanning.ts'
export { openInteractions } from './open-interaction.ts'
export type { AgentResult, StopReason } from './result.ts'
export { reminders } from './reminders.ts'
export { knowledgeTools } from './knowledge-tools.ts'
export type { KnowledgeToolOptions } from './knowledge-tools.ts'
export { retrieval, retrievalTool } from './retrieval.ts'
export type { RetrievalOptions, RetrievalToolOptions } from './retrieval.ts'
export { Session } from './session.ts'
export type { AnswerOptions } from './session.ts'
export { defineSkill } from './skill.ts'
export type { Skill, SkillOptions } from './skill.ts'
export { loadSkills } from './skill-folder.node.ts'
export type { FoundSkills } from './skill-folder.node.ts'
export { skillDisclosure, skillTools } from './skill-tool.ts'
export { steering } from './steering.ts'
export { hasToolCall, isStepCount } from './stop-when.ts'
export type { Spawn } from './spawn.ts'
export { asTool, delegateTool } from './sub-agent.ts'
export type { AsToolOptions } from './sub-agent.ts'
export { availableTodos, nextTodo, todoProgress } from './todo.ts'
export type { Todo, TodoProgress, TodoStatus } from './todo.ts'
export { addTodos, clearTodos, todoOf, updateTodos } from './todo-list.ts'
export type { NewTodo, TodoChange } from './todo-list.ts'
export { todoTools } from './todo-tools.ts'
export { toolApproval } from './tool-approval.ts'
export { toolExecution } from './tool-execution.ts'
export { treeSearch } from './tree-search.ts'
export type { OutputOf, TurnOptions } from './turn-options.ts'
export { userInput } from './user-input.ts'
export { worldTool } from './world-tool.ts'
export type { Inhabitant, WorldToolOptions } from './world-tool.ts'
export { addUsage, noUsage } from './usage.ts'
export { dependencyOrder, findCycle, readyOf } from '../graph/dependency.ts'
export type { Dependent } from '../graph/dependency.ts'
export { Failure, Halted, Terminal, Wait } from '../world/lifecycle.ts'
