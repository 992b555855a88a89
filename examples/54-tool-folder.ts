// Tools found in a folder: which there are, where each came from, what could not be loaded, and what still asks a person.
// The server does the same with TOOLS_DIR. (ECS-86, ECS-87, AT-08, AT-21)

import { Agent } from 'tellurion'
import { scriptedModel } from 'tellurion/testing'
import { createToolbox, discoverTools, functionTool, originOf } from 'tellurion/tool'

const { tools: found, problems } = await discoverTools({ folder: `${import.meta.dirname}/54-tools` })
for (const { path, message } of problems) console.log(`passed over ${path}: ${message}`)
// prints: passed over late.tool.mjs: it cannot be loaded: line 3: the key of the service is missing

const own = functionTool(({ words }) => words.split(' ').length, {
  name: 'count',
  description: 'Counts words',
  parameters: { words: 'string' },
  effects: 'read',
})
const tools = createToolbox([found, own]) // one list for all, wherever they come from
for (const name of tools.names()) console.log(`${name} is of ${originOf(tools.get(name)) ?? 'this program'}`)
// prints: mail is of 54-tools/mail.tool.mjs
// prints: weather is of 54-tools/weather.tool.mjs
// prints: count is of this program

try {
  createToolbox([tools, { weather: own }])
} catch (error) {
  console.log((error as Error).message)
}
// prints: There are two tools named 'weather' (one of 54-tools/weather.tool.mjs, one of the program); rename one of them.

const clerk = new Agent({
  name: 'clerk',
  tools,
  model: scriptedModel([
    { calls: [{ toolName: 'weather', input: { place: 'Oslo' } }] },
    { calls: [{ toolName: 'mail', input: { to: 'ada', text: 'Rain.' } }] },
    'Ada knows.',
  ]),
})
const chat = clerk.session()
let result = await chat.generate('Tell Ada about the weather in Oslo.')
console.log(result.status, result.interactions[0]?.prompt)
// prints: waiting Allow mail with {"text":"Rain.","to":"ada"}?
result = await chat.answer(result.interactions[0]?.id ?? '', 'approve')
console.log(result.text)
// prints: Ada knows.
