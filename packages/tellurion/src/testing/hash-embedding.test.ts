import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hashEmbedding } from './hash-embedding.ts'

const cosine = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, index) => sum + value * b[index]!, 0)

async function nearness(one: string, other: string): Promise<number> {
  const { vectors } = await hashEmbedding().embed([one, other], {})
  return cosine(vectors[0]!, vectors[1]!)
}

describe('hashEmbedding', () => {
  it('puts related texts near, and others far', async () => {
    const text = 'The lighthouse keeper lights the lamp every evening'
    const [same, close, inflected, far] = await Promise.all([
      nearness(text, text.toUpperCase()),
      nearness(text, 'Who lights the lamp of the lighthouse in the evening?'),
      nearness('sailing ships', 'sailors and shipping'),
      nearness(text, 'Boil two eggs and slice an onion'),
    ])
    assert.ok(Math.abs(same - 1) < 1e-9)
    assert.ok(close > 0.6, `${close}`)
    assert.ok(inflected > 0.2, `${inflected}`)
    assert.ok(far < 0.2, `${far}`)
  })

  it('gives every text a vector of length 1, always the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 64 }), async (text, dimensions) => {
        const [one, two] = [hashEmbedding({ dimensions }), hashEmbedding({ dimensions })]
        const { vectors, usage } = await one.embed([text], {})
        assert.equal(vectors[0]!.length, dimensions)
        assert.ok(Math.abs(Math.hypot(...vectors[0]!) - 1) < 1e-9)
        assert.deepEqual(vectors, (await two.embed([text], {})).vectors)
        assert.equal(usage.inputTokens, Math.ceil(text.length / 4))
      }),
    )
  })

  it('remembers what it was asked, and obeys a signal', async () => {
    const model = hashEmbedding({ name: 'test/mine' })
    await model.embed(['a', 'b'], {})
    await assert.rejects(model.embed(['c'], { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
    assert.deepEqual([model.name, model.calls], ['test/mine', [['a', 'b']]])
  })
})
