// The vendors: rows, not classes. A row says where a vendor is, which wire it speaks, how its dialect differs, and which
// environment names belong to it. The order is the order in which the environment is searched for a key.

import type { OpenAIQuirks } from './openai-request.ts'

/** One vendor, or one kind of local server. */
export interface Vendor {
  readonly wire: 'openai' | 'anthropic'
  /** Absent where everybody has an address of their own. */
  readonly baseURL?: string
  /** Names of the environment that may hold the key; the first that is set counts. */
  readonly keyNames: readonly string[]
  /** Names of the environment that may hold another base URL. */
  readonly baseURLNames: readonly string[]
  /** False where a server may be open. */
  readonly needsKey: boolean
  /** What is asked when only the vendor is named. */
  readonly defaultModel?: string
  /** Names of the environment that may hold another default model. */
  readonly modelNames: readonly string[]
  /** How names of its models begin: to suggest `openai/gpt-5` to whoever writes `gpt-5`. */
  readonly prefixes?: readonly string[]
  /** Where the key goes. Default: `authorization: Bearer` on the OpenAI wire, `x-api-key` on Anthropic's. */
  readonly keyHeader?: string
  /** True where a model is a deployment with a URL of its own and an API version in the query. */
  readonly deployments?: boolean
  /** How many texts one request for embeddings may hold. Default 96. */
  readonly embeddingBatch?: number
  readonly quirks: OpenAIQuirks
}

type Row = Partial<Omit<Vendor, 'keyNames'>> & { readonly key?: string | readonly string[] }

/** A row whose environment names follow from one prefix: `X_API_KEY`, `X_BASE_URL`, `X_MODEL`. */
function row(prefix: string, { key, ...rest }: Row): Vendor {
  const keyNames = key === undefined ? [`${prefix}_API_KEY`] : typeof key === 'string' ? [key] : key
  const baseURLNames = [`${prefix}_BASE_URL`]
  return {
    wire: 'openai',
    keyNames,
    baseURLNames,
    modelNames: [`${prefix}_MODEL`],
    needsKey: true,
    quirks: {},
    ...rest,
  }
}

const openAIQuirks: OpenAIQuirks = { maxTokensField: 'max_completion_tokens', strictOutput: true }

/** The API version that Azure is asked for where none is given and the base URL is not of its newer `/v1` form. */
export const azureVersion = '2024-10-21'

/** The table: vendor name → row, in the order in which the environment is searched for a key. */
/** The vendors there are, by the name before the slash in `model('vendor/name')`. */
export const vendors = {
  openai: row('OPENAI', {
    baseURL: 'https://api.openai.com/v1',
    baseURLNames: ['OPENAI_BASE_URL', 'OPENAI_API_BASE'],
    defaultModel: 'gpt-5',
    prefixes: ['gpt-', 'chatgpt-', 'o1', 'o3', 'o4', 'text-embedding-'],
    embeddingBatch: 2_048,
    quirks: openAIQuirks,
  }),
  anthropic: row('ANTHROPIC', {
    wire: 'anthropic',
    baseURL: 'https://api.anthropic.com',
    defaultModel: 'claude-sonnet-5',
    prefixes: ['claude'],
  }),
  deepseek: row('DEEPSEEK', {
    baseURL: 'https://api.deepseek.com/v1',
    defaultModel: 'deepseek-chat',
    prefixes: ['deepseek'],
    quirks: { output: 'json_object', reasoningField: 'reasoning_content' },
  }),
  qwen: row('QWEN', {
    key: ['QWEN_API_KEY', 'DASHSCOPE_API_KEY'],
    baseURL: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
    baseURLNames: ['QWEN_BASE_URL', 'DASHSCOPE_BASE_URL'],
    defaultModel: 'qwen-plus',
    prefixes: ['qwen', 'qwq'],
    embeddingBatch: 10,
    quirks: { output: 'json_object' },
  }),
  google: row('GOOGLE', {
    key: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY'],
    baseURL: 'https://generativelanguage.googleapis.com/v1beta/openai',
    baseURLNames: ['GEMINI_BASE_URL', 'GOOGLE_BASE_URL'],
    modelNames: ['GEMINI_MODEL', 'GOOGLE_MODEL'],
    defaultModel: 'gemini-2.5-flash',
    prefixes: ['gemini'],
    embeddingBatch: 100,
  }),
  mistral: row('MISTRAL', {
    baseURL: 'https://api.mistral.ai/v1',
    defaultModel: 'mistral-large-latest',
    prefixes: ['mistral', 'ministral', 'magistral', 'codestral'],
    quirks: { streamOptions: false, shortCallIds: true, anyForRequired: true, seedField: 'random_seed' },
  }),
  groq: row('GROQ', {
    baseURL: 'https://api.groq.com/openai/v1',
    defaultModel: 'openai/gpt-oss-120b',
    quirks: { maxTokensField: 'max_completion_tokens' },
  }),
  xai: row('XAI', { baseURL: 'https://api.x.ai/v1', defaultModel: 'grok-4', prefixes: ['grok'] }),
  openrouter: row('OPENROUTER', {
    baseURL: 'https://openrouter.ai/api/v1',
    defaultModel: 'openrouter/auto',
  }),
  together: row('TOGETHER', {
    key: ['TOGETHER_API_KEY', 'TOGETHER_AI_API_KEY'],
    baseURL: 'https://api.together.xyz/v1',
    defaultModel: 'openai/gpt-oss-120b',
  }),
  fireworks: row('FIREWORKS', {
    baseURL: 'https://api.fireworks.ai/inference/v1',
    defaultModel: 'accounts/fireworks/models/gpt-oss-120b',
  }),
  cerebras: row('CEREBRAS', {
    baseURL: 'https://api.cerebras.ai/v1',
    defaultModel: 'gpt-oss-120b',
    quirks: { maxTokensField: 'max_completion_tokens' },
  }),
  moonshot: row('MOONSHOT', {
    baseURL: 'https://api.moonshot.ai/v1',
    defaultModel: 'kimi-latest',
    prefixes: ['kimi', 'moonshot'],
    quirks: { output: 'json_object', reasoningField: 'reasoning_content' },
  }),
  azure: row('AZURE', {
    key: ['AZURE_OPENAI_API_KEY', 'AZURE_API_KEY'],
    baseURLNames: ['AZURE_OPENAI_ENDPOINT', 'AZURE_BASE_URL'],
    modelNames: ['AZURE_OPENAI_DEPLOYMENT', 'AZURE_MODEL'],
    keyHeader: 'api-key',
    deployments: true,
    embeddingBatch: 2_048,
    quirks: openAIQuirks,
  }),
  litellm: row('LITELLM', { baseURL: 'http://localhost:4000/v1', needsKey: false, defaultModel: 'gpt-5' }),
  ollama: row('OLLAMA', {
    baseURL: 'http://localhost:11434/v1',
    needsKey: false,
    defaultModel: 'llama3.2',
    prefixes: ['llama', 'gemma', 'phi'],
  }),
  vllm: row('VLLM', { baseURL: 'http://localhost:8000/v1', needsKey: false }),
  lmstudio: row('LMSTUDIO', { baseURL: 'http://localhost:1234/v1', needsKey: false }),
  /** Any OpenAI-compatible server. */
  local: row('LOCAL', {
    key: ['LLM_API_KEY', 'LOCAL_API_KEY'],
    baseURLNames: ['LLM_BASE_URL', 'LOCAL_BASE_URL'],
    modelNames: ['LLM_MODEL', 'LOCAL_MODEL'],
    needsKey: false,
  }),
} as const satisfies Record<string, Vendor>

/** A name of the table. */
export type VendorName = keyof typeof vendors

/** The row of that name, or undefined. */
export function vendorNamed(name: string): Vendor | undefined {
  return Object.hasOwn(vendors, name) ? vendors[name as VendorName] : undefined
}
