// Tree search: many plans are tried on forks of the world, with tools that only read; the best one is carried out. Which
// is best, the model judges by what the trials have found. (ECS-106, ECS-57, ECS-40, ECS-80)

import { Agent, tool } from 'tellurion'
import { Plan, planBySearch, SearchNode, SearchTree } from 'tellurion/agent'
import { modelFromEnv } from 'tellurion/model'
import { scriptedModel } from 'tellurion/testing'
import { z } from 'zod'

// A cave of two forks: the gold lies to the left, and then straight on.
const cave: Record<string, string> = { 'go left': 'a warm draught', 'go left, go on': 'gold' }
const peek = tool({
  description: "Looks along a way, such as 'go left, go on'",
  inputSchema: z.object({ way: z.string() }),
  effects: 'read',
  execute: ({ way }) => cave[way] ?? 'nothing but dark',
})
const walk = tool({
  description: "Walks along a way, such as 'go left, go on'",
  inputSchema: z.object({ way: z.string() }),
  execute: ({ way }) => `walked: ${way}; found: ${cave[way] ?? 'nothing'}`,
})

// Stands in for a model: it proposes ways, judges what was found, and does each step with the tools that it has.
const script = scriptedModel(({ system = '', messages, tools = [] }) => {
  const prompt = String(messages.at(0)?.content)
  if (system.startsWith('You look for a plan')) return '["go left","go right","go on"]'
  if (system.startsWith('You judge'))
    return prompt.includes('found gold') ? '1' : prompt.includes('warm') ? '0.5' : '0.1'
  const last = messages.at(-1)
  if (last?.role === 'tool') return `I found ${String(last.content)}.`
  const way = [...messages].flatMap(({ content }) => /^Step \d\/\d: (.*)/.exec(String(content))?.[1] ?? []).join(', ')
  return { calls: [{ toolName: tools.some(({ name }) => name === 'walk') ? 'walk' : 'peek', input: { way } }] }
})

const agent = new Agent({
  name: 'explorer',
  model: modelFromEnv() ?? script,
  tools: { peek, walk },
  systems: planBySearch({ depth: 2, calls: 60 }),
})
const session = agent.session()
const { world, entity } = session
const scores: number[] = []
world.on('search.node_scored', ({ score }) => scores.push(score))

// A search whose model proposes nothing that can be read fails, and says so.
const { text } = await session.generate('Find the gold').catch((error: Error) => ({ text: error.message }))
const calls = world.get(entity, SearchTree)?.calls
console.log(`${calls} calls, ${world.query(SearchNode).length} nodes, best score ${Math.max(...scores)}`)
// prints: 40 calls, 13 nodes, best score 1
for (const { description, result } of world.get(entity, Plan)?.steps ?? []) console.log(`${description}: ${result}`)
// prints: go left: I found walked: go left; found: a warm draught.
// prints: go on: I found walked: go left, go on; found: gold.
console.log(text)
// prints: I found walked: go left, go on; found: gold.
