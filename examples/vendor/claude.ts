// Claude over Anthropic's own wire: streamed text, then figures. Set ANTHROPIC_API_KEY, and ANTHROPIC_MODEL for another
// model than the default. (ECS-109, ECS-18)
// needs: ANTHROPIC_API_KEY

import { Agent, model } from 'tellurion'
import { vendors } from 'tellurion/model'

const name = process.env['ANTHROPIC_MODEL'] ?? vendors.anthropic.defaultModel

const claude = new Agent({
  name: 'claude',
  model: model(`anthropic/${name}`),
  instructions: 'Answer in one sentence.',
})

const stream = claude.stream('What does a tellurion show?', { settings: { maxOutputTokens: 200 } })
for await (const piece of stream.texts()) process.stdout.write(piece)
console.log()
// prints: the Sun.

const { usage, finishReason } = await stream.result()
console.log(`${finishReason}, ${usage.inputTokens} tokens in, ${usage.outputTokens} out`)
// prints: stop,
