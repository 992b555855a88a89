// A list of todos that the model keeps itself: dependencies, priorities, what comes next, progress. It is a component of
// the agent's entity, so it is stored with everything else. (AT-10, AT-31)

import { Agent } from 'tellurion'
import { Todos, nextTodo, todoProgress, todoTools } from 'tellurion/agent'
import { createRuntime, memory } from 'tellurion/runtime'
import { scriptedModel, type ScriptedReply } from 'tellurion/testing'

const call = (toolName: string, todos: object[]): ScriptedReply => ({
  calls: [{ toolName, input: { todos } as never }],
})
const done = (id: number): ScriptedReply => call('updateTodos', [{ id, status: 'completed' }])

const baker = (...replies: ScriptedReply[]): Agent =>
  new Agent({ name: 'baker', model: scriptedModel(replies), tools: { ...todoTools() } })

// In memory: a session's world can be looked at between turns.
const agent = baker(
  call('addTodos', [
    { title: 'Mix the dough', ref: 'dough', priority: 5 },
    { title: 'Heat the oven', ref: 'oven', priority: 2 },
    { title: 'Bake', ref: 'bake', dependsOn: ['dough', 'oven'] },
    { title: 'Eat', dependsOn: ['bake'] },
  ]),
  call('updateTodos', [{ id: 3, status: 'in_progress' }]), // too early: the model is told why
  done(1),
  call('updateTodos', [{ id: 1, dependsOn: [4] }]), // round in a circle
  'The dough is mixed.',
)
const session = agent.session()
const { messages } = await session.generate('Bake a bread.')
for (const message of messages) if (message.role === 'tool' && message.isError) console.log(message.content)
// prints: Todo 3 waits for 1, 2; finish that first.
// prints: Dependencies run in a circle: 1 → 4 → 3 → 1. Leave one out.

const todos = session.world.require(session.entity, Todos)
console.log(todoProgress(todos), nextTodo(todos)?.title)
// prints: { percent: 25, completed: 1, total: 4 } Heat the oven

// Durable: the list goes on from run to run, whichever process works on them.
const replies = [call('addTodos', [{ title: 'Knead' }, { title: 'Wait' }]), 'Planned.', done(1), 'Kneaded.']
await using runtime = await createRuntime({ store: memory(), agents: [baker(...replies)] })
const chat = runtime.session('baker')
await chat.generate('Plan.')
const turn = await chat.generate('Go on.')
console.log(turn.messages.find(({ role }) => role === 'tool')?.content)
// prints: "progress":{"percent":50,"completed":1,"total":2},"next":{"id":2,"title":"Wait"}
