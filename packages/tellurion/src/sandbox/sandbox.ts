// The sandbox: code that nobody vouches for, run in as many layers as this machine has. Its self-test says how many; what
// cannot be contained is not run at all.

import { systemClock, type Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import { bubblewrap, findGround } from './bubblewrap-backend.ts'
import { checkRequest, filesOf, isStopped, nothingRan, type CodeRequest } from './code-request.ts'
import type { Backend, Execution, Interpreter } from './execution.ts'
import { fullLimits, languages, tighter } from './limit.ts'
import type { FullLimits, Interpreters, Language, SandboxLimits } from './limit.ts'
import { Places } from './place.ts'
import { unisolated } from './process-backend.ts'
import { quickjs } from './quickjs.ts'
import type { Probe } from './probe.ts'
import { selfTest } from './self-test.ts'

/**
 * How far a sandbox is to be trusted: `full` has every layer; `weak-limits` bounds processes one by one because no cgroup
 * can be made; `wasm-only` runs JavaScript in QuickJS and nothing else; `none` runs nothing.
 */
export type SandboxLevel = 'full' | 'weak-limits' | 'wasm-only' | 'none'

/** The options of `createSandbox`. */
export interface SandboxOptions {
  /** What runs the code. Default: bubblewrap where its self-test passes, else QuickJS; `process` isolates nothing. */
  readonly backend?: Backend['name'] | undefined
  readonly limits?: SandboxLimits | undefined
  /** Absolute paths of interpreters. Default: the system's python3 and bash, and the Node that this runs on. */
  readonly interpreters?: Interpreters | undefined
  /** Absolute paths of the host that code may read, such as a folder of Python packages. Default none. */
  readonly readOnly?: readonly string[] | undefined
  /** Interpreters that live at one time, sessions included; up to 64 callers wait for a place. Default 8. */
  readonly capacity?: number | undefined
  /** Runs code without isolation where nothing isolates it. Its tools then ask a person about every single call. Default false. */
  readonly allowUnisolated?: boolean | undefined
  readonly clock?: Clock | undefined
}

/** A stateful interpreter: what a call defines is there in the next. */
export interface SandboxSession {
  readonly language: Language
  /** False after `close`, after any end of a call but `finished`, and when the code ended the interpreter. */
  readonly isLive: boolean
  /** Whether somebody waits for its place. */
  readonly isWanted: boolean
  /** One piece of code; one at a time. Throws `sandbox_closed` where the session has ended. */
  run(request: Omit<CodeRequest, 'language'>): Promise<Execution>
  close(): Promise<void>
}

/** How a session is started. */
export interface SessionOptions {
  readonly limits?: SandboxLimits | undefined
  readonly signal?: AbortSignal | undefined
  /** Called when somebody waits for a place: whether this session is not needed, and is being closed. Default: it stays. */
  readonly onWanted?: (() => boolean) | undefined
}

/** A living sandbox. */
export interface Sandbox extends AsyncDisposable {
  readonly level: SandboxLevel
  /** What the self-test found: eight probes of the system's sandbox, and one of QuickJS where it is needed. */
  readonly probes: readonly Probe[]
  /** What can be run. */
  readonly languages: readonly Language[]
  /** Whether code runs without isolation, because the operator said so. */
  readonly isUnisolated: boolean
  readonly limits: FullLimits
  /** Aborts when the sandbox is closed. */
  readonly closed: AbortSignal
  /**
   * Runs code in a fresh interpreter, and ends it with all that it started. What the code does is in the result, also that
   * it was cancelled. Rejects with `sandbox_unavailable` where the language cannot be run, with `invalid_option`, and with
   * `sandbox_closed`.
   */
  run(request: CodeRequest): Promise<Execution>
  /** Starts an interpreter that keeps its state until it is closed. Rejects as `run` does. */
  session(language: Language, options?: SessionOptions): Promise<SandboxSession>
  /** Ends every interpreter, and waits until nothing is left. */
  close(): Promise<void>
}

const known = ['backend', 'limits', 'interpreters', 'readOnly', 'capacity', 'allowUnisolated', 'clock']
/** Milliseconds that a session waits for what a call left to be done; the rest goes on in the next call. */
const sessionPatience = 1_000

/**
 * Makes a sandbox: looks for what this machine has, tests it, and settles its level. Never rejects for want of anything:
 * a sandbox of the level `none` runs nothing. Throws `unknown_option` and `invalid_option`.
 */
export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  checkOptions('createSandbox', options, known)
  const {
    backend,
    interpreters = {},
    readOnly = [],
    capacity = 8,
    allowUnisolated = false,
    clock = systemClock,
  } = options
  checkOptions('interpreters', interpreters, languages)
  checkWhole('capacity', capacity)
  checkPaths([...readOnly, ...Object.values(interpreters)])
  if (backend !== undefined && !['bubblewrap', 'quickjs', 'process'].includes(backend)) {
    throw new TellurionError(
      'invalid_option',
      `backend must be 'bubblewrap', 'quickjs' or 'process', not '${String(backend)}'.`,
    )
  }
  if (backend === 'process' && !allowUnisolated) {
    throw new TellurionError(
      'invalid_option',
      "backend 'process' isolates nothing; say allowUnisolated: true to mean it.",
    )
  }
  const limits = fullLimits(options.limits)
  const found = await findBackends({ backend, interpreters, readOnly, allowUnisolated, clock }, limits)
  return new LivingSandbox(found, { limits, places: new Places(capacity) })
}

function checkPaths(paths: readonly unknown[]): void {
  const wrong = paths.find((path) => typeof path !== 'string' || !path.startsWith('/') || path.includes('\0'))
  if (wrong === undefined) return
  throw new TellurionError(
    'invalid_option',
    `readOnly and interpreters take absolute paths, not ${JSON.stringify(wrong)}.`,
  )
}

interface Found {
  readonly level: SandboxLevel
  readonly probes: readonly Probe[]
  readonly backends: ReadonlyMap<Language, Backend>
  readonly isUnisolated: boolean
}

type Wish = Required<Pick<SandboxOptions, 'interpreters' | 'readOnly' | 'allowUnisolated' | 'clock'>> &
  Pick<SandboxOptions, 'backend'>

async function findBackends(wish: Wish, limits: FullLimits): Promise<Found> {
  const { backend, interpreters = {}, readOnly = [], allowUnisolated, clock = systemClock } = wish
  const backends = new Map<Language, Backend>()
  const probes: Probe[] = []
  const ground = backend === 'quickjs' ? undefined : findGround(interpreters, readOnly, clock)
  let level: SandboxLevel = 'none'
  if (ground !== undefined && backend !== 'process') {
    const test = await selfTest(ground, limits)
    probes.push(...test.probes)
    level = levelOf(test.probes)
    if (level !== 'none')
      for (const language of test.languages) backends.set(language, bubblewrap(ground, test.languages))
  }
  if (!backends.has('javascript') && (backend === undefined || backend === 'quickjs')) {
    const engine = quickjs({ clock })
    const probe = await probeEngine(engine, limits)
    probes.push(probe)
    if (probe.passed) backends.set('javascript', engine)
    if (probe.passed && level === 'none') level = 'wasm-only'
  }
  const isUnisolated = allowUnisolated === true && ground !== undefined && (level === 'none' || level === 'wasm-only')
  if (isUnisolated) {
    const open = unisolated(ground.programs, clock)
    for (const language of open.languages) if (!backends.has(language)) backends.set(language, open)
  }
  return { level, probes, backends, isUnisolated }
}

function levelOf(probes: readonly Probe[]): SandboxLevel {
  const failed = probes.filter(({ passed }) => !passed)
  if (failed.length === 0) return 'full'
  return failed.every(({ name }) => name === 'limits') ? 'weak-limits' : 'none'
}

/** Runs a line in QuickJS, with a loop that its deadline must end. */
async function probeEngine(engine: Backend, limits: FullLimits): Promise<Probe> {
  const name = 'engine'
  try {
    const interpreter = await engine.start('javascript', limits, { signal: undefined })
    const call = { files: [], patience: 0, isKept: true }
    const sum = await interpreter.execute({ ...call, code: '6 * 7', limits })
    const loop = await interpreter.execute({ ...call, code: 'for (;;);', limits: tighter(limits, { timeout: 20 }) })
    await interpreter.close()
    const passed = sum.stdout === '42\n' && loop.end === 'timeout'
    const detail = passed
      ? 'QuickJS answers, and ends when it is told'
      : `QuickJS said ${sum.stdout.trim()}, ${loop.end}`
    return { name, passed, detail }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return { name, passed: false, detail, mend: 'npm install quickjs-emscripten' }
  }
}

class LivingSandbox implements Sandbox {
  readonly level: SandboxLevel
  readonly probes: readonly Probe[]
  readonly languages: readonly Language[]
  readonly isUnisolated: boolean
  readonly limits: FullLimits
  readonly #backends: ReadonlyMap<Language, Backend>
  readonly #places: Places
  readonly #live = new Set<Interpreter>()
  /** Aborts what is starting when the sandbox is closed. */
  readonly #closed = new AbortController()
  #closing: Promise<void> | undefined

  constructor(found: Found, { limits, places }: { readonly limits: FullLimits; readonly places: Places }) {
    this.level = found.level
    this.probes = found.probes
    this.isUnisolated = found.isUnisolated
    this.#backends = found.backends
    this.languages = languages.filter((language) => found.backends.has(language))
    this.limits = limits
    this.#places = places
  }

  get closed(): AbortSignal {
    return this.#closed.signal
  }

  async run(request: CodeRequest): Promise<Execution> {
    const { language, code, signal, onOutput } = checkRequest(request)
    const limits = tighter(this.limits, request.limits)
    const files = filesOf(request.files, limits)
    const started = await this.#start(language, limits, signal).catch(nothingRan(signal))
    if (isStopped(started)) return started
    try {
      return await started.interpreter.execute({
        code,
        files,
        limits,
        signal,
        onOutput,
        patience: limits.timeout,
        isKept: false,
      })
    } finally {
      await started.end()
    }
  }

  async session(language: Language, options: SessionOptions = {}): Promise<SandboxSession> {
    checkOptions('session', options, ['limits', 'signal', 'onWanted'])
    const limits = tighter(this.limits, options.limits)
    const started = await this.#start(language, limits, options.signal)
    const { interpreter } = started
    const forget = this.#places.mayAsk(options.onWanted ?? (() => false))
    const end = (): Promise<void> => {
      forget()
      return started.end()
    }
    const places = this.#places
    return {
      language,
      get isWanted() {
        return places.areWanted
      },
      get isLive() {
        return interpreter.isLive
      },
      async run(request) {
        const { code, signal, onOutput } = checkRequest({ ...request, language })
        const own = tighter(limits, request.limits)
        const files = filesOf(request.files, own)
        const stay = { patience: sessionPatience, isKept: true }
        try {
          return await interpreter.execute({ code, files, limits: own, signal, onOutput, ...stay })
        } finally {
          if (!interpreter.isLive) await end()
        }
      },
      close: end,
    }
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#closed.abort()
      this.#places.close()
      await Promise.all([...this.#live].map((each) => each.close()))
    })()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #start(language: Language, limits: FullLimits, signal: AbortSignal | undefined): Promise<Started> {
    this.#refuseIfClosed()
    const backend = this.#backends.get(language)
    if (backend === undefined) throw this.#noSandbox(language)
    const free = await this.#places.take(signal)
    try {
      this.#refuseIfClosed()
      const interpreter = await backend.start(language, limits, { signal })
      this.#live.add(interpreter)
      const end = async (): Promise<void> => {
        await interpreter.close()
        this.#live.delete(interpreter)
        free()
      }
      if (!this.#closed.signal.aborted) return { interpreter, end }
      await end()
      throw new TellurionError('sandbox_closed', 'The sandbox was closed.')
    } catch (error) {
      free()
      throw error
    }
  }

  #refuseIfClosed(): void {
    if (this.#closed.signal.aborted) throw new TellurionError('sandbox_closed', 'The sandbox was closed.')
  }

  #noSandbox(language: Language): TellurionError {
    const failed = this.probes.find(({ passed }) => !passed)
    const why = failed === undefined ? 'it was not found' : `${failed.detail}. ${failed.mend ?? ''}`
    const runs = this.languages.length === 0 ? 'runs nothing' : `runs ${this.languages.join(' and ')} only`
    return new TellurionError(
      'sandbox_unavailable',
      `The sandbox is '${this.level}' and ${runs}, no ${language}: ${why.trim()}`,
    )
  }
}

interface Started {
  readonly interpreter: Interpreter
  end(): Promise<void>
}
