// Counting tokens as a model does: with the optional package gpt-tokenizer where it is installed, else by estimate.

import { estimateTokens, type TokenCounter } from './token-estimate.ts'

/** Longest piece that is encoded at once: the time for text without spaces grows with the square of its length. */
const pieceLength = 2_000

let loading: Promise<TokenCounter> | undefined

/**
 * The best counter there is: `gpt-tokenizer` with o200k_base, exact for OpenAI's models but for a token or so in 2,000
 * characters, near for others; `estimateTokens` where the package is not installed. Always the same function.
 */
export function loadTokenCounter(): Promise<TokenCounter> {
  loading ??= import('gpt-tokenizer/encoding/o200k_base').then(
    ({ countTokens }) => inPieces((text) => countTokens(text, asText)),
    () => estimateTokens,
  )
  return loading
}

/** What looks like a special token in a conversation is text all the same. */
const asText = { disallowedSpecial: new Set<string>() }

function inPieces(count: TokenCounter): TokenCounter {
  return (text) => {
    let sum = 0
    for (let start = 0; start < text.length; start += pieceLength) sum += count(text.slice(start, start + pieceLength))
    return sum
  }
}
