// Every example runs as its reader would run it, and prints what it promises. One that says `// needs: X_API_KEY` gets a
// local server that speaks the wires of the vendors; all others run without any key. Those that take the model that the
// environment names run a second time, with that server's.

import assert from 'node:assert/strict'
import { basename } from 'node:path'
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

const asksTheEnvironment = (text: string): boolean => text.includes('modelFromEnv()')

/** The 17 examples of the reference, by id. */
const reference = Array.from({ length: 17 }, (_, index) => `ECS-${96 + index}`)

/** The ids of the reference that no example names which can talk to a real model. */
function withoutModel(texts: readonly string[]): string[] {
  const real = texts.filter((text) => asksTheEnvironment(text) || /^\/\/ needs: /m.test(text))
  const named = real.flatMap((text) => /^\/\/ .*\(([A-Z]+-[^)]*)\)$/m.exec(text)?.[1]?.split(', ') ?? [])
  return reference.filter((id) => !named.includes(id))
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

describe('examples with the model that the environment names', () => {
  const examples = filesOf('examples/**/*.ts')

  test('are all 17 of the reference, with those of one vendor', () =>
    assert.deepEqual(withoutModel(examples.map(({ text }) => text)), []))

  test('are missed where they are not', () => {
    const scripted = '// A chat. (ECS-96, ECS-97)\n\nscriptedModel()\n'
    const real = '// Tools. (AT-01, ECS-97)\n\nmodelFromEnv()\n'
    const vendor = '// A vendor. (ECS-109)\n// needs: ANTHROPIC_API_KEY\n'
    const missing = reference.filter((id) => id !== 'ECS-97' && id !== 'ECS-109')
    assert.deepEqual(withoutModel([scripted, real, vendor]), missing)
  })

  for (const { path, text } of examples)
    if (asksTheEnvironment(text))
      test(path, async () => {
        const model = basename(path, '.ts')
        const env = { LLM_API_KEY: 'local', LLM_BASE_URL: `${server.url}/v1`, LLM_MODEL: model }
        const { code, stdout, stderr } = await runSource(path, { env })
        assert.equal(code, 0, `${stdout}${stderr}`)
        assert.match(stdout, /\S/)
        const requests = server.getRequests().filter(({ body }) => (body as { model?: string } | null)?.model === model)
        assert.ok(requests.length > 0, 'it asked another model')
        assert.ok(requests.every(({ response }) => response.status === 200))
      })
})
