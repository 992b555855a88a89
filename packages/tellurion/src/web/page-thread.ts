// The thread that reads pages: it may hang or die of one, which is why it is a thread.

import { parentPort } from 'node:worker_threads'
import { systemClock } from '../clock/clock.ts'
import { pageMarkdown, type PageSource, type PageText, type PageTools } from './page-markdown.ts'

/** What the thread answers to a `PageSource`: the text, what is missing, or why there is none. */
export type PageAnswer =
  | { readonly type: 'read'; readonly text: PageText }
  | { readonly type: 'missing' }
  | { readonly type: 'failed'; readonly problem: string }

/** Milliseconds without a page after which the thread ends by itself. */
const idleTime = 30_000

const loading = load()
const leave = (): void => parentPort?.close()
let disarm = systemClock.timer(idleTime, leave)

parentPort?.on('message', (source: PageSource) => {
  disarm()
  void loading.then((tools) => {
    parentPort?.postMessage(answer(source, tools))
    disarm = systemClock.timer(idleTime, leave)
  })
})

function answer(source: PageSource, tools: PageTools | undefined): PageAnswer {
  if (tools === undefined) return { type: 'missing' }
  try {
    return { type: 'read', text: pageMarkdown(source, tools) }
  } catch (error) {
    return { type: 'failed', problem: String(error) }
  }
}

async function load(): Promise<PageTools | undefined> {
  try {
    const [{ Readability }, { parseHTML }, { default: TurndownService }] = await Promise.all([
      import('@mozilla/readability'),
      import('linkedom'),
      import('turndown'),
    ])
    return { Readability, parseHTML, TurndownService }
  } catch {
    return undefined
  }
}
