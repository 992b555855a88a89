// Context windows: how much a model can read at once, by the beginning of its name, as its vendor says. A table of
// defaults: who knows better gives the number.

/** Tokens by how the model's own name begins; the first that fits counts. */
const windows: readonly (readonly [begins: string, tokens: number])[] = [
  ['gpt-5', 272_000],
  ['gpt-4.1', 1_047_576],
  ['gpt-4', 128_000],
  ['gpt-3.5', 16_385],
  ['o1', 128_000],
  ['o3', 200_000],
  ['o4', 200_000],
  ['claude', 200_000],
  ['gemini', 1_048_576],
  ['deepseek', 128_000],
  ['qwen', 131_072],
  ['grok', 131_072],
  ['mistral', 128_000],
]

/** The input tokens that a model of this name (`vendor/model`) takes; undefined for one that nobody here knows. */
export function contextWindow(name: string): number | undefined {
  const own = name.slice(name.lastIndexOf('/') + 1).toLowerCase()
  return windows.find(([begins]) => own.startsWith(begins))?.[1]
}
