// Every example runs as its reader would run it, and prints what it promises. One that says `// needs: X_API_KEY` gets a
// local server that speaks the wires of the vendors; all others run without any key.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { LLMock } from '@copilotkit/aimock'
import { brokenPromise, promised, runSource } from '../gate/program.ts'
import { filesOf } from '../gate/source.ts'

const server = new LLMock({ port: 0 })
const usage = { prompt_tokens: 12, completion_tokens: 9, total_tokens: 21 }

before(async () => {
  server.onMessage(/./, { content: 'A tellurion shows how the Earth goes around the Sun.', usage })
  await server.start()
})

after(() => server.stop())

/** Key and address for each variable that an example needs. */
function environmentOf(text: string): Record<string, string> {
  const needs = /^\/\/ needs: (.+)$/m.exec(text)?.[1]?.split(', ') ?? []
  const prefixes = needs.map((name) => name.replace(/_(?:API_KEY|BASE_URL|MODEL)$/, ''))
  return Object.fromEntries(
    prefixes.flatMap((prefix) => [
      [`${prefix}_API_KEY`, 'local'],
      [`${prefix}_BASE_URL`, prefix === 'ANTHROPIC' ? server.url : `${server.url}/v1`],
      [`${prefix}_MODEL`, 'local-model'],
    ]),
  )
}

describe('examples', () => {
  const examples = filesOf('examples/**/*.ts')

  test('are there', () => assert.ok(examples.length >= 7))

  for (const { path, text } of examples)
    test(path, async () => {
      assert.ok(promised(text).length > 0, 'it has no `// prints: …` line')
      assert.ok(text.split('\n').length <= 61, 'it is longer than 60 lines')
      const { code, stdout, stderr } = await runSource(path, { env: environmentOf(text) })
      assert.equal(code, 0, `${stdout}${stderr}`)
      assert.equal(brokenPromise(text, stdout), undefined, `it printed:\n${stdout}`)
    })
})
