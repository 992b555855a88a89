// One run of an agent in a test: its result, whatever it was, and everything that could be seen of it.

import { Agent } from '../agent/agent.ts'
import type { AgentResult } from '../agent/result.ts'
import type { TurnOptions } from '../agent/turn-options.ts'
import { errorData, TellurionError, type ErrorData } from '../error/error.ts'
import type { Event } from '../event/event.ts'
import type { UserInput } from '../message/message.ts'
import type { AgentRuntime, RunResult } from '../runtime/agent-runtime.ts'
import type { Schema } from '../schema/infer.ts'
import { createTestContext, type TestContext, type TestContextOptions } from './run-context.ts'

/** How one run of an `Agent` went. A failed run is an outcome here, not a rejection. */
export interface AgentTest {
  readonly result: AgentResult<unknown>
  readonly error: ErrorData | undefined
  /** Every event of the run, live ones included, in order. */
  readonly events: readonly Event[]
  /** The tools that were called, by name, in the order in which they started. */
  readonly toolCalls: readonly string[]
}

/** How one run of an agent of any make went. */
export interface RuntimeTest {
  readonly result: RunResult
  readonly context: TestContext
}

/** Runs an agent once on a script of your choice and gathers all there is to assert on. */
export async function runAgentTest(
  agent: Agent,
  input: UserInput,
  options?: TurnOptions<Schema | undefined>,
): Promise<AgentTest>
export async function runAgentTest(agent: AgentRuntime, options?: TestContextOptions): Promise<RuntimeTest>
export async function runAgentTest(
  agent: Agent | AgentRuntime,
  given?: UserInput | TestContextOptions,
  options: TurnOptions<Schema | undefined> = {},
): Promise<AgentTest | RuntimeTest> {
  return agent instanceof Agent
    ? runAgent(agent, given as UserInput, options)
    : runRuntime(agent, given as TestContextOptions | undefined)
}

async function runAgent(agent: Agent, input: UserInput, options: TurnOptions<Schema | undefined>): Promise<AgentTest> {
  const session = agent.session()
  const events: Event[] = []
  session.world.on('*', (event) => events.push(event))
  let result: AgentResult<unknown>
  let error: ErrorData | undefined
  try {
    result = await session.stream(input, options).result()
  } catch (thrown) {
    if (!(thrown instanceof TellurionError) || thrown.result === undefined) throw thrown
    error = thrown.toJSON()
    result = thrown.result as AgentResult<unknown>
  }
  const toolCalls = events.flatMap((event) => (event.type === 'tool.called' ? [event.toolName] : []))
  return { result, error, events, toolCalls }
}

async function runRuntime(agent: AgentRuntime, options: TestContextOptions = {}): Promise<RuntimeTest> {
  const context = createTestContext(options)
  try {
    return { result: await agent.run(context), context }
  } catch (thrown) {
    return { result: { output: null, error: errorData(thrown, 'run_failed') }, context }
  }
}
