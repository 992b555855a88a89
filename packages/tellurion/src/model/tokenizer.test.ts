import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { estimateTokens } from './token-estimate.ts'
import { loadTokenCounter } from './tokenizer.ts'

const count = await loadTokenCounter()

test('the tokenizer counts where it is installed, and is the same function each time', async () => {
  assert.equal(await loadTokenCounter(), count)
  for (const text of ['', 'Tokens are not words.', '漢字と仮名', '{"a":[1,2,3]}', 'emoji 👩‍👩‍👧 too']) {
    assert.equal(count(text), countTokens(text))
  }
})

test('what looks like a special token is text', () => {
  assert.ok(count('<|endoftext|><|im_start|>') > 2)
})

test('half of a surrogate pair at the border of two pieces is no error', () => {
  assert.ok(count(`${'a'.repeat(1_999)}👍${'b'.repeat(10)}`) > 10)
})

test('text without spaces takes time in proportion to its length', () => {
  // At once, this text takes some minutes.
  assert.equal(count('a'.repeat(400_000)), 50_000)
})

test('the estimate is near for European text and code, and rather high for Chinese', () => {
  const texts = [
    'The quick brown fox jumps over the lazy dog, and the dog is not amused by what it has seen today. '.repeat(20),
    'Der schnelle Fuchs springt über den faulen Hund, und der Hund ist davon heute gar nicht begeistert. '.repeat(20),
    'export function sum(values: readonly number[]): number {\n  return values.reduce((a, b) => a + b, 0)\n}\n'.repeat(
      20,
    ),
    '今天的天气非常好，我们决定一起去公园散步，然后在湖边的小餐馆吃午饭。'.repeat(20),
  ]
  for (const text of texts) {
    const ratio = estimateTokens(text) / count(text)
    assert.ok(ratio > 0.85 && ratio < 1.5, `${ratio} for ${text.slice(0, 20)}`)
  }
})
