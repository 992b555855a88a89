// QuickJS as a way to run JavaScript where the system gives no sandbox: an engine in WebAssembly in a thread that can be
// killed. Pure JavaScript: no modules, no timers, no network; files are texts in memory.

import { Worker } from 'node:worker_threads'
import { abortReason, throwIfAborted } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import type { Backend, Call, End, Execution, Interpreter } from './execution.ts'
import { isFitName, shownName } from './file-name.ts'
import type { FullLimits } from './limit.ts'
import { Output } from './output.ts'
import type { EngineCall, EngineData, EngineMessage } from './quickjs-thread.ts'

const MiB = 1024 * 1024
/** Bytes of the engine's heap, and of its stack. */
const heap = { least: 16 * MiB, most: 64 * MiB }
const stack = 256 * 1024
/** Milliseconds past the engine's own deadline after which its thread is killed. */
const grace = 100

/** Where the thread's module lies: beside this one in source, at its place below the package's folder when joined. */
function threadModule(): URL {
  const source = import.meta.url.endsWith('.ts')
  return new URL(source ? './quickjs-thread.ts' : '../sandbox/quickjs-thread.js', import.meta.url)
}

/** JavaScript in QuickJS. */
export function quickjs({ clock }: { readonly clock: Clock }): Backend {
  return {
    name: 'quickjs',
    languages: ['javascript'],
    start: (_language, limits, { signal }) => startEngine(limits, clock, signal),
  }
}

async function startEngine(limits: FullLimits, clock: Clock, signal: AbortSignal | undefined): Promise<Interpreter> {
  throwIfAborted(signal)
  const workerData: EngineData = { heap: Math.min(Math.max(limits.memory, heap.least), heap.most), stack }
  const thread = new Worker(threadModule(), {
    workerData,
    env: {},
    argv: [],
    stdin: false,
    stdout: true,
    stderr: true,
    // The engine's heap is not part of these.
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
  })
  const first = await new Promise<EngineMessage | Error>((resolve) => {
    thread.once('message', resolve)
    thread.once('error', resolve)
    signal?.addEventListener('abort', () => resolve(abortReason(signal)), { once: true })
  })
  if (!(first instanceof Error) && first.type === 'ready') return new EngineInterpreter(thread, clock)
  await thread.terminate()
  if (first instanceof Error) throw new TellurionError('sandbox_unavailable', `QuickJS did not start: ${first.message}`)
  throw new TellurionError(
    'missing_package',
    'JavaScript without bubblewrap needs QuickJS: npm install quickjs-emscripten',
  )
}

class EngineInterpreter implements Interpreter {
  readonly #thread: Worker
  readonly #clock: Clock
  #live = true
  #busy = false

  constructor(thread: Worker, clock: Clock) {
    this.#thread = thread
    this.#clock = clock
    thread.unref()
    thread.on('error', () => {})
    thread.once('exit', () => {
      this.#live = false
    })
  }

  get isLive(): boolean {
    return this.#live
  }

  async execute(call: Call): Promise<Execution> {
    if (this.#busy || !this.#live) {
      throw new TellurionError('sandbox_closed', 'This interpreter is at work or has ended; start another one.')
    }
    this.#busy = true
    this.#thread.ref()
    const start = this.#clock.monotonic()
    const output = new Output(call.limits.maxOutput, call.onOutput)
    try {
      const { end, exitCode, files } = await this.#run(call, output)
      if (end !== 'finished') await this.close()
      const { artifacts, refused } = readBack(files, call.limits.artifacts)
      const printed = output.end()
      const duration = this.#clock.monotonic() - start
      return { end, exitCode, ...printed, truncated: output.isTruncated, artifacts, refused, duration }
    } finally {
      this.#busy = false
      this.#thread.unref()
    }
  }

  async close(): Promise<void> {
    this.#live = false
    await this.#thread.terminate()
  }

  #run({ code, files, limits, signal }: Call, output: Output): Promise<Omit<EngineEnd, 'type'>> {
    const thread = this.#thread
    return new Promise((resolve) => {
      const stop = (end: End): void => settle({ end, exitCode: null, files: [] })
      const listen = (message: EngineMessage): void => {
        if (message.type === 'output') output.take(message.stream, Buffer.from(message.text))
        else if (message.type === 'done') settle(message)
      }
      const cancel = (): void => stop('cancelled')
      const gone = (): void => stop('killed')
      const settle = (ending: Omit<EngineEnd, 'type'>): void => {
        thread.off('message', listen)
        thread.off('exit', gone)
        signal?.removeEventListener('abort', cancel)
        cancelTimer()
        resolve(ending)
      }
      const cancelTimer = this.#clock.timer(limits.timeout + grace, () => stop('timeout'))
      thread.on('message', listen)
      thread.once('exit', gone)
      signal?.addEventListener('abort', cancel, { once: true })
      if (signal?.aborted) return cancel()
      const texts = files.map(({ name, bytes }) => ({ name, text: Buffer.from(bytes).toString('utf8') }))
      const { timeout, maxOutput, disk } = limits
      thread.postMessage({ code, files: texts, timeout, maxOutput, disk } satisfies EngineCall)
    })
  }
}

type EngineEnd = Extract<EngineMessage, { type: 'done' }>

function readBack(files: EngineEnd['files'], limit: number): Pick<Execution, 'artifacts' | 'refused'> {
  const artifacts: Execution['artifacts'][number][] = []
  const refused: Execution['refused'][number][] = []
  let room = limit
  for (const { name, text } of files) {
    const bytes = Buffer.from(text)
    const reason = !isFitName(name)
      ? 'its name is not fit to be shown'
      : bytes.length > room
        ? `${bytes.length} bytes are too many`
        : artifacts.length >= 100
          ? 'there are too many files'
          : undefined
    if (reason === undefined) {
      artifacts.push({ name, bytes })
      room -= bytes.length
    } else if (refused.length < 20) refused.push({ name: shownName(name), reason })
  }
  return { artifacts, refused }
}
