// Reading pages in threads that can be killed: a page that is made to hang a parser costs its deadline and some memory, and is
// read without a parser then.

import { Worker } from 'node:worker_threads'
import { throwIfAborted } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { htmlText, htmlTitle } from './html-text.ts'
import type { PageSource, PageText } from './page-markdown.ts'
import type { PageAnswer } from './page-thread.ts'

/** Reads pages, at most two at a time; the others wait their turn. */
export interface PageReader {
  /**
   * A page as Markdown; as mere text, with `plain`, where it was too much for the parser. Rejects with `missing_package`
   * and the reason of the signal.
   */
  read(
    source: PageSource,
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<PageText & { plain: boolean }>
  /** Starts a thread for a page that is on its way. */
  prepare(): void
  /** Ends the threads. They keep no process alive. */
  close(): Promise<void>
}

const mostThreads = 2

/** Makes a reader. `deadline`: milliseconds after which a page is read without a parser. */
export function createPageReader({
  deadline,
  clock,
}: {
  readonly deadline: number
  readonly clock: Clock
}): PageReader {
  const idle: Worker[] = []
  const waiting: (() => void)[] = []
  let busy = 0

  const enter = async (): Promise<void> => {
    if (busy < mostThreads) busy++
    else await new Promise<void>((resolve) => waiting.push(resolve))
  }
  const leave = (): void => {
    const next = waiting.shift()
    if (next === undefined) busy--
    else next()
  }
  const rest = (thread: Worker): void => {
    thread.unref()
    idle.push(thread)
  }
  const start = (): Worker => {
    const thread = startThread()
    thread.once('exit', () => {
      const place = idle.indexOf(thread)
      if (place !== -1) idle.splice(place, 1)
    })
    return thread
  }
  const askOne = async (source: PageSource, signal: AbortSignal | undefined) => {
    const rested = idle.pop()
    if (rested !== undefined) {
      const answer = await ask(rested, source, { deadline, clock, signal })
      // One that rested may have ended in that very moment, of its own accord.
      if (answer !== 'ended') return [rested, answer] as const
    }
    const thread = start()
    const answer = await ask(thread, source, { deadline, clock, signal })
    return [thread, answer === 'ended' ? undefined : answer] as const
  }
  return {
    async read(source, { signal }) {
      await enter()
      try {
        throwIfAborted(signal)
        const [thread, answer] = await askOne(source, signal)
        if (answer === undefined) await thread.terminate()
        else rest(thread)
        throwIfAborted(signal)
        if (answer?.type === 'missing') {
          const install = 'npm install @mozilla/readability linkedom turndown'
          throw new TellurionError('missing_package', `Reading web pages needs three packages: ${install}`)
        }
        if (answer?.type === 'read') return { ...answer.text, plain: false }
        return { title: htmlTitle(source.html), markdown: htmlText(source.html), plain: true }
      } finally {
        leave()
      }
    },
    prepare() {
      if (busy > 0 || idle.length > 0) return
      rest(start())
    },
    async close() {
      await Promise.all(idle.splice(0).map((thread) => thread.terminate()))
    },
  }
}

function startThread(): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 }
  const thread = new Worker(threadModule(), { env: {}, argv: [], stdout: true, stderr: true, resourceLimits })
  // What it died of does not matter: it exits, and the page is read without it.
  return thread.on('error', () => {})
}

/** Where the thread's module lies: beside this one in source, at its place below the package's folder when joined. */
function threadModule(): URL {
  const source = import.meta.url.endsWith('.ts')
  return new URL(source ? './page-thread.ts' : '../web/page-thread.js', import.meta.url)
}

/** One page; undefined when the thread hangs or the page is no longer wanted. */
function ask(
  thread: Worker,
  source: PageSource,
  { deadline, clock, signal }: { deadline: number; clock: Clock; signal?: AbortSignal | undefined },
): Promise<PageAnswer | 'ended' | undefined> {
  return new Promise((resolve) => {
    const settle = (answer?: PageAnswer | 'ended'): void => {
      disarm()
      thread.off('message', settle).off('exit', ended)
      signal?.removeEventListener('abort', gone)
      resolve(answer)
    }
    const gone = (): void => settle()
    const ended = (): void => settle('ended')
    const disarm = clock.timer(deadline, gone)
    thread.on('message', settle).on('exit', ended)
    signal?.addEventListener('abort', gone, { once: true })
    thread.ref()
    thread.postMessage(source)
  })
}
