// A conversation that is longer than its model's window: old tool outputs are shortened, then the older part is
// summarised in eight segments, here by rules and without a model. What was replaced is archived, what matters stays,
// and the model is reminded when its context is full. (ECS-112, ECS-61, LOOM-02, LOOM-09, AT-19)

import { Agent, textOf, tool } from 'tellurion'
import { compactContext, Conversation, extractiveModel, readArchive, reminders } from 'tellurion/agent'
import { estimateTokens, modelFromEnv } from 'tellurion/model'
import { scriptedModel } from 'tellurion/testing'

const readLog = tool({
  description: 'Reads the log of a day',
  inputSchema: { type: 'object', properties: { day: { type: 'number' } }, required: ['day'] } as const,
  effects: 'read',
  execute: ({ day }) => `Day ${day}: ${'calm sea, light wind, nothing to report. '.repeat(25)}`,
})
const seen: number[] = []
const script = scriptedModel(({ messages, system }) => {
  seen.push([...messages].reduce((sum, message) => sum + estimateTokens(textOf(message)), 0))
  const newest = messages.at(-1)!
  if (newest.role === 'tool')
    return `Read ${textOf(newest).slice(0, 6)}. ${system?.includes('more than') ? 'Briefly.' : ''}`
  const day = /day (\d+)/.exec(textOf(newest))?.[1]
  return day === undefined ? 'Noted.' : { calls: [{ toolName: 'readLog', input: { day: Number(day) } }] }
})

const window = 2_000
const agent = new Agent({
  name: 'keeper',
  model: modelFromEnv() ?? script,
  tools: { readLog },
  systems: [compactContext({ window, summaryModel: extractiveModel(), countTokens: estimateTokens }), reminders],
})
const chat = agent.session()
chat.world.on('compaction.completed', ({ stages, originalTokens, compactedTokens }) => {
  if (stages.includes('summarise'))
    console.log(`summarised: ${originalTokens > compactedTokens * 2 ? 'less than half is left' : ''}`)
})

await chat.generate('The spare key of the lighthouse is number 4711, at Ada Moen in Bergen.')
for (let day = 1; day <= 30; day++) await chat.generate(`What happened on day ${day}?`)
// prints: summarised: less than half is left

const { world, entity } = chat
const archive = await readArchive(world, entity)
const read = [...archive, ...world.require(entity, Conversation)].filter(({ role }) => role === 'tool')
console.log(`${read.length > 30} ${Math.max(...seen) < window} ${chat.messages.length < 40}`)
// prints: true true true

const summary = [...chat.messages].map(textOf).find((text) => text.startsWith('<summary'))
for (const line of summary?.match(/## .*/g) ?? []) console.log(line)
// prints: ## Task Overview
// prints: ## Metadata
console.log(summary?.includes('number 4711, at Ada Moen in Bergen'))
// prints: true
