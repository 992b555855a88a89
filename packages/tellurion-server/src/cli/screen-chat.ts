// `tellurion chat` at a terminal that can be filled: the chat of tui/, where it takes place, and what is said when it is left.

import { openChatScreen, type ChatLeft } from '../tui/chat-screen.ts'
import { inertLine } from '../terminal/inert.ts'
import { openChat, type ChatFlags } from './chat-place.ts'
import type { ExitCode } from './fault.ts'
import { endings, onInterrupt } from './interrupt.ts'
import { Screen } from './screen.ts'
import type { Host } from './setting.ts'
import { suspending } from './suspend.ts'

/** The chat says itself that a server is gone, and waits for it. */
const once = { maxRetries: 0 }

/** Chats until the person leaves: 0. */
export async function chatOnScreen(
  flags: ChatFlags,
  host: Host,
  { demoDelay }: { readonly demoDelay: number },
): Promise<ExitCode> {
  // Log lines would be written across the screen.
  const quiet = { ...flags, verbose: false }
  await using place = await openChat(quiet, host, { demoDelay, tries: { retry: once, reconnect: once } })
  const interrupt = onInterrupt(host, endings)
  try {
    const left = await openChatScreen({
      client: place.client,
      agent: flags.agent,
      session: flags.session,
      welcome: place.introduction,
      colour: !host.env['NO_COLOR'],
      signal: interrupt.signal,
      suspend: suspending(host),
    })
    if (place.isKept) sayHowToReturn(left, flags, new Screen(host.stdout, host.env))
    return 0
  } finally {
    interrupt.close()
  }
}

function sayHowToReturn({ session, run }: ChatLeft, { server, store }: ChatFlags, screen: Screen): void {
  if (session === undefined) return
  const place = server === undefined ? (store === undefined ? '' : ` --store ${store}`) : ` --server ${server}`
  const still = run === undefined ? '' : `${run} is still under way. `
  screen.note(inertLine(`(${still}Go on: tellurion chat${place} --session ${session})`))
}
