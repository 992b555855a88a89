// A LangGraph.js graph as an agent of the runtime: queue, retries, cancelling and events are the runtime's, and each node
// that has ended is a checkpoint. After an interruption the graph goes on behind that node. (ARC-01, ARC-16, ARC-17)

import { Annotation, END, MemorySaver, START, StateGraph } from '@langchain/langgraph'
import { createRuntime, memory, type AgentRuntime } from 'tellurion/runtime'

const State = Annotation.Root({
  topic: Annotation<string>,
  notes: Annotation<string[]>({ reducer: (old, more) => [...old, ...more], default: () => [] }),
  text: Annotation<string>,
})

let crashes = 1
const graph = new StateGraph(State)
  .addNode('research', ({ topic }) => {
    console.log('researching')
    return { notes: [`${topic} are clockworks`, `${topic} show the sky`] }
  })
  .addNode('write', ({ notes }) => {
    if (crashes-- > 0) throw Object.assign(new Error('The line is dead'), { code: 'ECONNRESET' })
    return { text: `${notes.join('; ')}.` }
  })
  .addEdge(START, 'research')
  .addEdge('research', 'write')
  .addEdge('write', END)

/** What is kept when a node has ended. */
interface Kept {
  readonly node: string
  readonly values: typeof State.State
}

const writer: AgentRuntime = {
  key: 'writer',
  async run({ runId, input, state, signal, checkpoint }) {
    const app = graph.compile({ checkpointer: new MemorySaver() })
    const thread = { configurable: { thread_id: runId } }
    const kept = state as Kept | undefined
    if (kept !== undefined) await app.updateState(thread, kept.values, kept.node)
    const start = kept === undefined ? { topic: String(input) } : null
    for await (const update of await app.stream(start, { ...thread, signal, streamMode: 'updates' })) {
      const { values } = await app.getState(thread)
      await checkpoint({ node: Object.keys(update)[0] ?? '', values })
    }
    return { output: (await app.getState(thread)).values.text }
  },
}

await using runtime = await createRuntime({ store: memory(), agents: [writer], retry: { initialWait: 10 } })
const run = await runtime.submit('writer', 'Tellurions')
for await (const event of run.events())
  if (event.type === 'run.checkpointed') console.log(`checkpoint ${event.number}`)
  else if (event.type === 'run.retrying') console.log(`again: ${event.error.message}`)
// prints: researching
// prints: checkpoint 1
// prints: again: The line is dead
// prints: checkpoint 2
console.log((await run.result()).output)
// prints: Tellurions are clockworks; Tellurions show the sky.
