// Tools that let a model run code: one for each language that the sandbox can run, and none for the others. Their
// interpreters are kept for the run that called them, a few at a time, and closed when nobody has used them for a while.

import { systemClock, type Clock } from '../clock/clock.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import { createTool, type AnyTool, type ToolContext, type ToolInput } from '../tool/tool.ts'
import type { CodeRequest } from './code-request.ts'
import type { Execution } from './execution.ts'
import type { Language, SandboxLimits } from './limit.ts'
import { mediaTypeOf } from './media-type.ts'
import type { Sandbox } from './sandbox.ts'
import { SessionPool } from './session-pool.ts'

/** The options of `codeTools`. */
export interface CodeToolOptions {
  /** Files that every new interpreter finds in its folder, by relative path. Default none. */
  readonly files?: CodeRequest['files']
  /** Interpreters that are kept at one time, over all runs; the one unused for longest makes room. Default 4. */
  readonly sessions?: number | undefined
  /** Milliseconds after which an unused interpreter is closed. Default 300,000. */
  readonly idle?: number | undefined
  readonly clock?: Clock | undefined
}

/** What a model is told about code that it ran. */
export interface CodeResult {
  /** What the code ended with, 0 for well; absent where it was stopped. */
  readonly exitCode?: number
  readonly stdout: string
  readonly stderr?: string
  /** Files that the code made or changed, kept as artifacts under these names. */
  readonly files?: readonly { readonly name: string; readonly size: number }[]
  /** What else is to be known: that it was stopped, that output or files were left out, that the state is gone. */
  readonly notes?: readonly string[]
}

const words: Readonly<Record<Language, { readonly name: string; readonly says: string }>> = {
  python: {
    name: 'runPython',
    says: 'Runs Python 3 in a sandbox and returns what it prints, and the value of a last expression.',
  },
  javascript: {
    name: 'runJavaScript',
    says: 'Runs JavaScript in a sandbox and returns what it prints, and the value of the last expression.',
  },
  bash: { name: 'runBash', says: 'Runs a Bash script in a sandbox and returns what it prints.' },
}

const common =
  ' Variables, functions and files stay for the next call. There is no network. Files written to the working folder are handed over as results.'

/**
 * `runPython`, `runJavaScript` and `runBash`, as far as the sandbox runs them, to spread into an agent's `tools`. What
 * code prints is reported as it comes, as `{ stream, text }`. Where the sandbox isolates nothing because its operator said
 * so, every call asks a person. Throws `unknown_option` and `invalid_option`.
 */
export function codeTools(sandbox: Sandbox, options: CodeToolOptions = {}): Record<string, AnyTool> {
  checkOptions('codeTools', options, ['files', 'sessions', 'idle', 'clock'])
  const { files = {}, sessions = 4, idle = 300_000, clock = systemClock } = options
  checkWhole('sessions', sessions)
  checkWhole('idle', idle)
  const pool = new SessionPool(sandbox, { most: sessions, idle, clock })
  return Object.fromEntries(
    sandbox.languages.map((language) => [words[language].name, codeTool(language, { sandbox, pool, files, clock })]),
  )
}

interface Parts {
  readonly sandbox: Sandbox
  readonly pool: SessionPool
  readonly files: NonNullable<CodeRequest['files']>
  readonly clock: Clock
}

const inputSchema = {
  type: 'object',
  properties: { code: { type: 'string', description: 'The whole code to run.' } },
  required: ['code'],
  additionalProperties: false,
} as const

function codeTool(language: Language, parts: Parts): AnyTool {
  const { sandbox } = parts
  const isOpen = sandbox.isUnisolated && !(language === 'javascript' && sandbox.level === 'wasm-only')
  const { name, says } = words[language]
  const engine = language === 'javascript' && sandbox.level === 'wasm-only'
  return createTool({
    name,
    description: says + (engine ? onlyPure : common) + (language === 'javascript' && !engine ? commonJs : ''),
    inputSchema,
    // The sandbox's own deadline comes first: its result has what was printed until then.
    timeout: sandbox.limits.timeout + 10_000,
    effects: isOpen ? 'exclusive' : { mode: 'exclusive', repeat: 'safe', risk: [] },
    needsApproval: isOpen ? 'always' : false,
    execute: (input, context) => run(language, (input as ToolInput<typeof inputSchema>).code, { ...parts, context }),
  })
}

const commonJs = ' It is CommonJS: use require and top-level await; import does not work.'
const onlyPure =
  ' Variables and functions stay for the next call. It is the bare language: no modules, timers or network; console.log prints, readFile(name) and writeFile(name, text) handle files. Files that are written are handed over as results.'

async function run(
  language: Language,
  code: string,
  { pool, files, clock, context }: Parts & { readonly context: ToolContext },
): Promise<CodeResult> {
  const { abortSignal: signal, runId } = context
  const start = clock.monotonic()
  const lent = await pool.borrow({ runId, language, signal, limits: limitsOf(context, 0) })
  try {
    const limits = limitsOf(context, clock.monotonic() - start)
    const execution = await lent.session.run({
      code,
      signal,
      ...(limits === undefined ? {} : { limits }),
      ...(lent.isNew ? { files } : {}),
      onOutput: ({ stream, text }) => context.progress({ stream, text }),
    })
    return await resultOf(execution, context, lent.session.isLive)
  } finally {
    await lent.giveBack()
  }
}

/** What the entity leaves to code. Its time ends the call from outside, so the code's ends a little before. */
function limitsOf({ limits }: ToolContext, spent: number): SandboxLimits | undefined {
  if (limits === undefined) return undefined
  const { timeout, memory, maxOutput } = limits
  return {
    ...(timeout === undefined ? {} : { timeout: Math.max(1, Math.floor(timeout * 0.9 - spent)) }),
    ...(memory === undefined ? {} : { memory }),
    ...(maxOutput === undefined ? {} : { maxOutput }),
  }
}

const ends: Readonly<Record<Execution['end'], string | undefined>> = {
  finished: undefined,
  timeout: 'It took too long and was stopped.',
  cancelled: 'It was cancelled.',
  memory: 'It took too much memory and was stopped.',
  output: 'It printed far too much and was stopped.',
  killed: 'It crashed.',
}

async function resultOf(execution: Execution, context: ToolContext, isLive: boolean): Promise<CodeResult> {
  const { end, exitCode, stdout, stderr, truncated, artifacts, refused } = execution
  const files: { name: string; size: number }[] = []
  const notes = refused.map(({ name, reason }) => `The file "${name}" was left out: ${reason}.`)
  for (const { name, bytes } of artifacts) {
    const kept = await context.keep(name, bytes, { mediaType: mediaTypeOf(name) })
    if (kept === undefined) notes.push(`The file "${name}" was left out: there is no room for artifacts.`)
    else files.push({ name, size: bytes.length })
  }
  const said = ends[end]
  if (said !== undefined) notes.unshift(said)
  if (truncated) notes.push('Only the beginning of what was printed is shown.')
  if (!isLive) notes.push('Its variables and files are gone; the next call starts afresh.')
  return {
    ...(exitCode === null ? {} : { exitCode }),
    stdout,
    ...(stderr === '' ? {} : { stderr }),
    ...(files.length === 0 ? {} : { files }),
    ...(notes.length === 0 ? {} : { notes }),
  }
}
