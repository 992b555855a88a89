// The thread in which QuickJS runs: an engine in WebAssembly that knows nothing of this process, with a heap, a stack and
// a deadline of its own. What it prints is bounded here, before it reaches anybody.

import { parentPort, workerData } from 'node:worker_threads'
import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from 'quickjs-emscripten'
import { systemClock } from '../clock/clock.ts'
import type { End } from './execution.ts'

/** What the engine is started with, in bytes. */
export interface EngineData {
  readonly heap: number
  readonly stack: number
}

/** A piece of code for it. */
export interface EngineCall {
  readonly code: string
  readonly files: readonly { readonly name: string; readonly text: string }[]
  readonly timeout: number
  readonly maxOutput: number
  readonly disk: number
}

/** What it says: that it is there, what was printed, and how a call ended, with the files that were written. */
export type EngineMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'missing' }
  | { readonly type: 'output'; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | {
      readonly type: 'done'
      readonly end: End
      readonly exitCode: number | null
      readonly files: readonly { readonly name: string; readonly text: string }[]
    }

/** Runs first in the engine, while its built-ins are its own: console, files, and how values become text. NUL is shown as U+FFFD. */
const prelude = `
(({ stringify }, { from, isArray }, Text, Failure, print, load, save) => {
  const isFailure = (value) => value instanceof Failure
  const replace = Function.prototype.call.bind(Text.prototype.replaceAll)
  // A text ends at NUL on its way out of the engine.
  const whole = (text) => replace(text, '\\0', '\\ufffd')
  const text = (value) => {
    if (typeof value === 'string') return value
    try {
      if (isFailure(value)) return value.name + ': ' + value.message + '\\n' + (value.stack || '')
      if (typeof value === 'object' && value !== null) return stringify(value) ?? Text(value)
      return typeof value === 'bigint' ? Text(value) + 'n' : Text(value)
    } catch {
      return 'a value that cannot be shown'
    }
  }
  const line = (stream) => (...values) => {
    let all = ''
    for (let index = 0; index < values.length; index++) all += (index === 0 ? '' : ' ') + text(values[index])
    print(stream, whole(all) + '\\n')
  }
  const [out, err] = [line('stdout'), line('stderr')]
  globalThis.console = { log: out, info: out, debug: out, warn: err, error: err }
  globalThis.readFile = (name) => {
    const found = load(Text(name))
    if (found === undefined) throw new Failure('There is no file ' + stringify(Text(name)))
    return found
  }
  globalThis.writeFile = (name, content) => {
    if (!save(whole(Text(name)), whole(text(content)))) throw new Failure('There is no room for the file')
  }
  return (value) => whole(text(value))
})(JSON, Array, String, Error, __print, __load, __save)
`

/** Stack frames that are shown of an error. */
const frames = 8
/** Characters that are gathered before they are sent, and milliseconds. */
const batch = { size: 4_096, time: 20 }

class Engine {
  readonly #runtime: QuickJSRuntime
  readonly #context: QuickJSContext
  readonly #show: QuickJSHandle
  readonly #files = new Map<string, string>()
  #written = new Map<string, string>()
  #disk = 0
  #deadline = Infinity
  #room = 0
  #flood = false
  #gathered: { stream: 'stdout' | 'stderr'; text: string; since: number } | undefined

  constructor(runtime: QuickJSRuntime, { heap, stack }: EngineData) {
    this.#runtime = runtime
    runtime.setMemoryLimit(heap)
    runtime.setMaxStackSize(stack)
    runtime.setInterruptHandler(() => this.#flood || systemClock.monotonic() > this.#deadline)
    this.#context = runtime.newContext()
    this.#show = this.#prepare()
  }

  /** One call. What is left to be done when the code has ended is done before it is over. */
  run({ code, files, timeout, maxOutput, disk }: EngineCall): EngineMessage {
    for (const { name, text } of files) this.#files.set(name, text)
    this.#written = new Map()
    this.#disk = disk
    this.#room = maxOutput * 2
    this.#deadline = systemClock.monotonic() + timeout
    const isWell = this.#evaluate(code)
    const isLate = systemClock.monotonic() > this.#deadline
    this.#deadline = Infinity
    this.#send()
    const end = this.#flood ? 'output' : isLate ? 'timeout' : 'finished'
    const written = [...this.#written].map(([name, text]) => ({ name, text }))
    return { type: 'done', end, exitCode: end === 'finished' ? (isWell ? 0 : 1) : null, files: written }
  }

  #evaluate(code: string): boolean {
    const context = this.#context
    const result = context.evalCode(code, 'code', { type: 'global' })
    const jobs = this.#runtime.executePendingJobs()
    if (result.error !== undefined) return this.#failed(result.error)
    if (jobs.error !== undefined) return this.#failed(jobs.error)
    const state = context.getPromiseState(result.value)
    if (state.type === 'rejected') return this.#failed(state.error)
    const value = state.type === 'fulfilled' ? state.value : result.value
    if (context.typeof(value) !== 'undefined') this.#print('stdout', `${this.#text(value)}\n`)
    if (value !== result.value) value.dispose()
    result.value.dispose()
    return true
  }

  #failed(error: QuickJSHandle): false {
    const lines = this.#text(error).trimEnd().split('\n')
    this.#print('stderr', `${lines.slice(0, frames).join('\n')}\n`)
    error.dispose()
    return false
  }

  /** A value as text, made inside the engine: nothing but a string comes out of it. */
  #text(value: QuickJSHandle): string {
    const result = this.#context.callFunction(this.#show, this.#context.undefined, value)
    const text = result.error === undefined ? this.#context.getString(result.value) : 'a value that cannot be shown'
    ;(result.error ?? result.value).dispose()
    return text
  }

  #prepare(): QuickJSHandle {
    const context = this.#context
    const give = (name: string, act: (...texts: string[]) => QuickJSHandle): void => {
      const handle = context.newFunction(name, (...args) => act(...args.map((each) => context.getString(each))))
      context.setProp(context.global, name, handle)
      handle.dispose()
    }
    give('__print', (stream = '', text = '') => {
      this.#print(stream === 'stderr' ? 'stderr' : 'stdout', text)
      return context.undefined
    })
    give('__load', (name = '') => {
      const text = this.#files.get(name)
      return text === undefined ? context.undefined : context.newString(text.replaceAll('\0', '\ufffd'))
    })
    give('__save', (name = '', text = '') => (this.#save(name, text) ? context.true : context.false))
    const show = context.unwrapResult(context.evalCode(prelude, 'prelude'))
    context
      .unwrapResult(context.evalCode('delete globalThis.__print, delete globalThis.__load, delete globalThis.__save'))
      .dispose()
    return show
  }

  #save(name: string, text: string): boolean {
    let used = text.length
    for (const [each, content] of this.#files) if (each !== name) used += each.length + content.length
    if (used > this.#disk || (!this.#files.has(name) && this.#files.size >= 1_000)) return false
    this.#files.set(name, text)
    this.#written.set(name, text)
    return true
  }

  #print(stream: 'stdout' | 'stderr', text: string): void {
    if (this.#room <= 0) {
      this.#flood = true
      return
    }
    this.#room -= text.length
    const kept = this.#room < 0 ? text.slice(0, this.#room) : text
    if (this.#gathered?.stream !== stream) this.#send()
    const gathered = (this.#gathered ??= { stream, text: '', since: systemClock.monotonic() })
    gathered.text += kept
    if (gathered.text.length >= batch.size || systemClock.monotonic() - gathered.since > batch.time) this.#send()
  }

  #send(): void {
    if (this.#gathered === undefined) return
    const { stream, text } = this.#gathered
    this.#gathered = undefined
    say({ type: 'output', stream, text })
  }
}

function say(message: EngineMessage): void {
  parentPort?.postMessage(message)
}

async function serve(data: EngineData): Promise<void> {
  const quickjs = await import('quickjs-emscripten').catch(() => undefined)
  if (quickjs === undefined) return say({ type: 'missing' })
  const engine = new Engine((await quickjs.getQuickJS()).newRuntime(), data)
  parentPort?.on('message', (call: EngineCall) => say(engine.run(call)))
  say({ type: 'ready' })
}

if (parentPort !== null) await serve(workerData as EngineData)
