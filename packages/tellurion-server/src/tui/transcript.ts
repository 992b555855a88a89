// The conversation as it is shown: entries made of what was said before and of the events of runs. What streams stands at
// the end until the whole of it has come, and what was sent until it has come back.

import { textOf, toolCallsOf, type Message } from 'tellurion'
import type { EventResource, Json } from 'tellurion/protocol'
import { exactJson, inertLine } from '../terminal/inert.ts'
import { Call, type CallFacts } from './call.ts'
import { Remark, Reply, Said, Thought, type Entry } from './entry.ts'
import type { Theme } from './theme.ts'

/** What an entity is saying just now. */
interface Streaming {
  reply?: Reply
  text: string
  thought?: Thought
  thinking: string
}

/** How a remark looks. */
export type Tone = 'faint' | 'warning' | 'bad'

/** The most entries that are kept; the oldest go. */
const most = 5000

/** A conversation on the screen. */
export class Transcript {
  readonly #theme: Theme
  readonly #settled: Entry[] = []
  /** What may still become something else: replies that stream, and what was sent. */
  #tail: Entry[] = []
  readonly #streaming = new Map<number, Streaming>()
  /** What was sent before a reply began, and into the middle of one. */
  readonly #sent: Said[] = []
  readonly #steered: Said[] = []
  /** By entity, the ends of its newest reply and thought, where these came as a whole before their last pieces did. */
  readonly #owed = new Map<number, { text: string; thought: string }>()
  readonly #calls = new Map<string, Call>()
  /** What was told of calls that are not known yet: live events may run ahead of kept ones. */
  readonly #early = new Map<string, Partial<CallFacts>>()
  /** Whether the beginning of what streams was missed. */
  #torn = false

  constructor(theme: Theme) {
    this.#theme = theme
  }

  get length(): number {
    return this.#settled.length + this.#tail.length
  }

  at(index: number): Entry | undefined {
    return index < this.#settled.length ? this.#settled[index] : this.#tail[index - this.#settled.length]
  }

  /** Whether a blank line stands before this entry: not between calls. */
  apart(index: number): boolean {
    const [before, entry] = [this.at(index - 1), this.at(index)]
    return before !== undefined && entry !== undefined && !(isStep(before) && isStep(entry))
  }

  /** Takes what was said before. */
  recall(messages: readonly Message[]): void {
    for (const message of messages) this.#message(message, 0)
  }

  /** Shows what a person sends, until it comes back as part of the conversation. */
  send(text: string, { steers, why }: { readonly steers: boolean; readonly why: string }): Said {
    const said = new Said(text, { theme: this.#theme, pending: why })
    const list = steers ? this.#steered : this.#sent
    list.push(said)
    this.#settleTail()
    return said
  }

  /** Takes back what was sent. */
  unsend(said: Said): boolean {
    const list = [this.#sent, this.#steered].find((each) => each.includes(said))
    list?.splice(list.indexOf(said), 1)
    this.#settleTail()
    return list !== undefined
  }

  /** What was sent stays where it is, although it never came back. */
  keep(said: Said): void {
    if (this.unsend(said)) this.#settled.push(said)
  }

  /** Says something about the conversation. */
  remark(text: string, tone: Tone = 'faint'): void {
    this.#push(new Remark(text, this.#theme[tone]))
  }

  /** The connection broke: what streamed has a hole from here on, until the whole comes. */
  tear(): void {
    this.#torn ||= this.#streaming.size > 0
    this.#dropStreaming()
  }

  /** Takes one event of the run that is watched. */
  take(event: EventResource): void {
    switch (event.type) {
      case 'message.added':
        return this.#message(event.message, event.entity)
      case 'text.delta':
        return this.#text(event.entity, event.text)
      case 'reasoning.delta':
        return this.#thinks(event.entity, event.text)
      case 'stream.restarted':
        this.#forget(event.entity)
        return this.remark(`(the reply begins anew: ${event.failure.message})`)
      case 'stream.ended':
        return this.#forget(event.entity)
      case 'tool.called':
        return this.#call(event.toolCallId, { toolName: event.toolName, input: event.input })
      case 'tool.started':
        return this.#tell(event.toolCallId, { state: 'running' })
      case 'tool.progress':
        return this.#tell(event.toolCallId, { state: 'running', progress: reported(event.progress) })
      case 'tool.approved':
        return this.#tell(event.toolCallId, { state: 'allowed' })
      case 'tool.denied':
        return this.#tell(event.toolCallId, { state: 'denied', why: event.reason })
      case 'tool.ended':
        return this.#result(event.toolCallId, event)
      case 'interaction.requested':
        return this.#tell(event.interaction.toolCallId ?? '', { state: 'asked' })
      case 'child.spawned':
        return this.#tell(event.toolCallId, { state: 'running', progress: `${event.agent} begins` })
      case 'child.progress':
        return this.#tell(event.toolCallId, { state: 'running', progress: `${event.agent}: ${event.event.type}` })
      default:
        return this.#course(event)
    }
  }

  /** What is told of the course of a run. */
  #course(event: EventResource): void {
    switch (event.type) {
      case 'run.resumed':
        return this.#dropStreaming()
      case 'interaction.refused':
        return this.remark(event.error.message, 'warning')
      case 'run.paused':
        return this.remark('(paused)')
      case 'run.retrying':
        this.#dropStreaming()
        return this.remark(`${event.error.message} It will be tried again.`, 'warning')
      case 'run.failed':
      case 'run.timed_out':
        this.#end()
        return this.remark(event.error.message, 'bad')
      case 'run.cancelled':
        this.#end()
        return this.remark('(stopped)')
      case 'run.succeeded':
        this.#end()
        // Whoever waits for more should know why there is none.
        if (event.stopReason !== 'idle' && event.stopReason !== 'terminal') this.remark(`(ended: ${event.stopReason})`)
        return
      case 'agent.handed_over':
        return this.remark(`(${event.to} goes on)`)
      case 'message.delivered':
        return this.remark(`${event.sender}: ${event.text}`)
      case 'plan.revised':
        return this.remark(['Plan:', ...event.newSteps.map((step, index) => `${index + 1}. ${step}`)].join('\n'))
      case 'plan.step_completed':
        return this.remark(`✓ ${event.stepDescription}`)
      case 'compaction.completed':
        return this.remark(`(context made shorter: ${event.originalTokens} → ${event.compactedTokens} tokens)`)
      default:
    }
  }

  #message(message: Message, entity: number): void {
    if (message.role === 'user') return this.#said(message)
    if (message.role === 'tool') {
      return this.#result(message.toolCallId, {
        toolName: message.toolName,
        content: contentOf(message),
        isError: message.isError === true,
      })
    }
    if (message.role === 'system') return
    const { reply, text: shown, thinking } = this.#streaming.get(entity) ?? { text: '', thinking: '' }
    this.#streaming.delete(entity)
    const text = textOf(message)
    const thought = thoughtIn(message)
    this.#owed.set(entity, { text: restOf(text, shown), thought: restOf(thought, thinking) })
    if (thought !== '') this.#settled.push(new Thought(this.#theme, thought))
    if (text.trim() !== '') {
      this.#settled.push(reply !== undefined && shown === text ? reply : new Reply(this.#theme, text))
    }
    if (message.partial === true) this.#settled.push(new Remark('(cut off)', this.#theme.faint))
    for (const { toolCallId, toolName, input } of toolCallsOf(message)) this.#call(toolCallId, { toolName, input })
    this.#torn = false
    this.#settleTail()
  }

  #said(message: Message): void {
    const text = contentOf(message)
    const sent = [...this.#sent, ...this.#steered].find((each) => each.text === text)
    if (sent !== undefined) this.unsend(sent)
    this.#push(new Said(text, { theme: this.#theme }))
  }

  #text(entity: number, piece: string): void {
    if (this.#isLate(entity, 'text', piece)) return
    const now = this.#streamingOf(entity)
    if (now.reply === undefined) {
      now.reply = new Reply(this.#theme, this.#torn ? '… ' : '')
      this.#settleTail()
    }
    now.text += piece
    now.reply.append(piece)
  }

  #thinks(entity: number, piece: string): void {
    if (this.#isLate(entity, 'thought', piece)) return
    const now = this.#streamingOf(entity)
    if (now.thought === undefined) {
      now.thought = new Thought(this.#theme)
      this.#settleTail()
    }
    now.thinking += piece
    now.thought.append(piece)
  }

  /** Whether a piece belongs to what has come as a whole already: live events may lag behind kept ones. */
  #isLate(entity: number, kind: 'text' | 'thought', piece: string): boolean {
    const owed = this.#owed.get(entity)
    if (owed === undefined || piece === '') return false
    if (owed[kind].startsWith(piece)) {
      owed[kind] = owed[kind].slice(piece.length)
      return true
    }
    this.#owed.delete(entity)
    return false
  }

  #streamingOf(entity: number): Streaming {
    const now = this.#streaming.get(entity)
    if (now !== undefined) return now
    const begun: Streaming = { text: '', thinking: '' }
    this.#streaming.set(entity, begun)
    return begun
  }

  #forget(entity: number): void {
    this.#streaming.delete(entity)
    this.#settleTail()
  }

  #dropStreaming(): void {
    this.#streaming.clear()
    this.#settleTail()
  }

  /** What still streams when a run ends was not kept; calls that are open and what was not heard come to nothing. */
  #end(): void {
    for (const call of this.#calls.values()) if (isOpen(call)) call.tell({ state: 'failed' })
    for (const said of this.#steered.splice(0)) {
      said.pending = 'was not heard'
      this.#settled.push(said)
    }
    this.#calls.clear()
    this.#early.clear()
    this.#torn = false
    this.#dropStreaming()
  }

  #call(id: string, { toolName, input }: { readonly toolName: string; readonly input: Json }): void {
    const known = this.#calls.get(id)
    if (known !== undefined && known.facts.content === undefined) return
    const call = new Call(id, { toolName, input, state: 'called', ...this.#early.get(id) }, this.#theme)
    this.#early.delete(id)
    this.#calls.set(id, call)
    this.#push(call)
  }

  #tell(id: string, news: Partial<CallFacts>): void {
    const call = this.#calls.get(id)
    if (call === undefined) this.#early.set(id, { ...this.#early.get(id), ...news })
    else if (isOpen(call)) call.tell(news)
  }

  #result(
    id: string,
    result: { readonly toolName: string; readonly content: string; readonly isError: boolean },
  ): void {
    const { toolName, content, isError } = result
    if (!this.#calls.has(id)) this.#call(id, { toolName, input: null })
    const call = this.#calls.get(id)
    if (call === undefined || call.facts.content !== undefined) return
    call.tell({ content, state: call.facts.state === 'denied' ? 'denied' : isError ? 'failed' : 'done' })
  }

  #push(entry: Entry): void {
    this.#settled.push(entry)
    if (this.#settled.length > most) this.#settled.splice(0, most / 10)
  }

  #settleTail(): void {
    const streaming = [...this.#streaming.values()].flatMap(({ thought, reply }) => [thought, reply])
    this.#tail = [...this.#sent, ...streaming.filter((each) => each !== undefined), ...this.#steered]
  }
}

/** What of the whole has not been shown yet; nothing is known of that when the shown is no beginning of it. */
function restOf(whole: string, shown: string): string {
  return whole.startsWith(shown) ? whole.slice(shown.length) : ''
}

function isStep({ kind }: Entry): boolean {
  return kind === 'call' || kind === 'thought'
}

function isOpen({ facts }: Call): boolean {
  return facts.content === undefined && facts.state !== 'failed' && facts.state !== 'denied'
}

/** The text of a message, and how many other parts it has. */
function contentOf(message: Message): string {
  const others = typeof message.content === 'string' ? 0 : message.content.filter(({ type }) => type !== 'text').length
  const text = textOf(message)
  return others === 0 ? text : `${text} [+${others} ${others === 1 ? 'attachment' : 'attachments'}]`.trim()
}

function thoughtIn(message: Message): string {
  if (message.role !== 'assistant' || typeof message.content === 'string') return ''
  return message.content.map((part) => (part.type === 'reasoning' ? part.text : '')).join('')
}

function reported(progress: Json): string {
  return typeof progress === 'string' ? inertLine(progress) : exactJson(progress)
}
