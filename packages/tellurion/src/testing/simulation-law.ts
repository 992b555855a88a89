// What must be true of durable runs, as a witness that sees everything reach the store: laws of each moment while it
// happens, and laws of the whole when all is over.

import { agentComponents, Conversation, LLM, PendingToolCalls } from '../agent/component.ts'
import type { MessageAdded } from '../event/event.ts'
import { textOf, toolCallsOf, type Message } from '../message/message.ts'
import type { ModelRequest } from '../port/model.ts'
import { hasEnded, type RunRecord } from '../runtime/run.ts'
import type { Commit, CommitResult, NewMail, RunStore, StoredEvent } from '../runtime/run-store.ts'
import { revive } from '../runtime/revival.ts'
import type { Component } from '../world/component.ts'
import { Failure, Halted, Terminal, Wait } from '../world/lifecycle.ts'
import type { World } from '../world/world.ts'
import { courseOf, type Called } from './simulation-agent.ts'
import type { Watch } from './simulation-backend.ts'
import type { Lane } from './simulation-scheduler.ts'

const components: readonly Component[] = [...agentComponents, Failure, Halted, Terminal, Wait]
const endings = new Set(['run.succeeded', 'run.failed', 'run.cancelled', 'run.timed_out'])

/** What clients were told, and what they did that changes the course of a run. */
export interface Told {
  /** Runs that were accepted, with their programs, by their idempotency keys. */
  readonly accepted: Map<string, { readonly run: string; readonly program?: string }>
  /** Runs that need not come to the conversation of their program, and why. */
  readonly astray: Map<string, string>
  /** How often somebody wanted to give a run another try. */
  readonly retried: Map<string, number>
  /** Forks, and the runs they are of. */
  readonly forks: Map<string, string>
  /** Answers that a client was told were taken, by interaction. */
  readonly answered: Map<string, string[]>
}

/** Sees the store, and keeps what breaks a law. */
export class Witness implements Watch {
  readonly truth: RunStore
  readonly told: Told = {
    accepted: new Map(),
    astray: new Map(),
    forks: new Map(),
    retried: new Map(),
    answered: new Map(),
  }
  /** The first broken laws, one line each. */
  readonly broken: string[] = []
  /** Whether nothing goes wrong in this course: then no lease may lapse. */
  readonly calm: boolean
  /** What was counted. */
  readonly count = { commits: 0, fenced: 0, refused: 0, executions: 0, asks: 0, attempts: 0, mail: 0 }
  /** Called when a commit was taken. */
  onCommit: (commit: Commit) => void = () => {}
  /** The record as a commit met it. */
  readonly #records = new WeakMap<Commit, RunRecord | undefined>()
  readonly #attempts = new Map<string, Lane>()
  readonly #live = new Map<string, Set<number>>()
  readonly #acknowledged = new Map<string, Commit>()
  readonly #kept = new Set<string>()
  readonly #results = new Map<string, number>()
  readonly #executions = new Map<string, { key: string; count: number; kind: string }>()
  readonly #reruns = new Map<string, number>()
  readonly #runOfKey = new Map<string, string>()
  readonly #sent: NewMail[] = []

  constructor(truth: RunStore, calm: boolean) {
    this.truth = truth
    this.calm = calm
  }

  /** Notes a broken law. */
  break(law: string): void {
    if (this.broken.length < 20) this.broken.push(law)
  }

  begun(lane: Lane, { id: run, epoch, crashes }: RunRecord): void {
    this.count.attempts++
    if (this.calm && crashes > 0) this.break(`run ${run} lost its lease although nothing went wrong`)
    const attempt = `${run}/${epoch}`
    if (this.#attempts.has(attempt)) this.break(`attempt ${attempt} was given to two`)
    this.#attempts.set(attempt, lane)
    const mine = `${lane.name}/${run}`
    const live = this.#live.get(mine) ?? new Set()
    this.#live.set(mine, live.add(epoch))
  }

  async committing(_lane: Lane, commit: Commit): Promise<void> {
    this.#records.set(commit, await this.truth.getRun(commit.run))
  }
  committed(_lane: Lane, commit: Commit, { status }: CommitResult): void {
    if (status !== 'committed') {
      this.count[status === 'mail' ? 'refused' : 'fenced']++
      return
    }
    this.count.commits++
    const { run, epoch, events, seq, branch, end, read, cut } = commit
    const before = this.#records.get(commit)
    if (before?.status !== 'running' || before.epoch !== epoch) {
      this.break(
        `run ${run}: a commit of attempt ${epoch} was taken while ${before?.status} in attempt ${before?.epoch}`,
      )
    }
    if (before !== undefined && commit.firstEvent !== before.events + 1) {
      this.break(`run ${run}: events ${commit.firstEvent} after ${before.events}`)
    }
    // A try that was cut short leaves its mail to the next one.
    const mayLeave = end?.to === 'queued' || (cut === true && (end?.to === 'timed_out' || end?.to === 'failed'))
    if (end !== undefined && !mayLeave && before !== undefined && before.mail > read) {
      this.break(`run ${run} became ${end.to} although newer mail was there`)
    }
    this.onCommit(commit)
    this.#kept.add(`${branch}/${seq}/${epoch}`)
    for (const event of events) {
      if (event.type !== 'tool.ended') continue
      const { toolCallId } = event as unknown as { toolCallId: string }
      const call = `${run}/${toolCallId}`
      if (this.#results.has(call)) this.break(`call ${call} has two results`)
      this.#results.set(call, epoch)
    }
  }

  acknowledged(lane: Lane, commit: Commit, { status }: CommitResult): void {
    const { run, branch, seq, epoch, end } = commit
    if (status === 'committed') this.#acknowledged.set(`${branch}/${seq}/${epoch}`, commit)
    if (status === 'mail' || (status === 'committed' && end === undefined)) return
    this.#live.get(`${lane.name}/${run}`)?.delete(epoch)
  }

  /** Mail that the store took. */
  took(mail: NewMail): void {
    this.count.mail++
    this.#sent.push(mail)
    const { answer, interaction } = (mail.payload ?? {}) as { answer?: string; interaction?: string }
    if (mail.kind !== 'answer' || !interaction?.startsWith('outcome-') || answer !== 'approve') return
    this.#reruns.set(mail.run, (this.#reruns.get(mail.run) ?? 0) + 1)
  }

  /** A call begins to run: its intent must be kept, its result must not, and its key stays the same. */
  async called(lane: Lane, { run, toolCallId, key, kind }: Called): Promise<void> {
    this.count.executions++
    const call = `${run}/${toolCallId}`
    const known = this.#executions.get(call) ?? { key, kind, count: 0 }
    this.#executions.set(call, { ...known, count: known.count + 1 })
    if (known.key !== key) this.break(`call ${call} ran under the keys ${known.key} and ${key}`)
    const owner = this.#runOfKey.get(key) ?? run
    this.#runOfKey.set(key, owner)
    if (owner !== run) this.break(`key ${key} is used by the runs ${owner} and ${run}`)
    const epoch = this.#epochOf(lane, run)
    const kept = this.#results.get(call)
    if (kept !== undefined && epoch !== undefined && kept <= epoch) {
      this.break(`call ${call} ran again in attempt ${epoch}; its result was kept in attempt ${kept}`)
    }
    const world = await this.#heldWorld(lane, run, epoch)
    if (world === undefined) return
    const pending = [...world.query(PendingToolCalls)].flatMap(([, [calls]]) => calls)
    const intent = pending.find((each) => each.toolCallId === toolCallId)
    if (intent === undefined) this.break(`call ${call} began before it was kept`)
    else if (intent.key !== key) this.break(`call ${call} began under ${key}, kept is ${intent.key}`)
    else if (kind === 'n' && intent.started !== true) this.break(`call ${call} began before its beginning was kept`)
  }

  /** The model is asked: what it is asked must be kept. Which run asks is not known, but it is one that the lane holds. */
  async asked(lane: Lane, { messages }: ModelRequest): Promise<void> {
    this.count.asks++
    const newest = JSON.stringify(messages.at(-1))
    const kept: number[] = []
    for (const [mine, epochs] of this.#live) {
      if (!mine.startsWith(`${lane.name}/`) || epochs.size === 0) continue
      const run = mine.slice(lane.name.length + 1)
      const world = epochs.size > 1 ? undefined : await this.#heldWorld(lane, run, this.#epochOf(lane, run))
      // An attempt that lost its run may not know it yet.
      if (world === undefined) return
      const conversation = conversationOf(world)
      const record = await this.truth.getRun(run)
      // What has come by mail is kept there until the commit that takes it in.
      const unread = record !== undefined && record.mail > record.read && messages.length > conversation.length
      if (unread || (conversation.length === messages.length && JSON.stringify(conversation.at(-1)) === newest)) return
      kept.push(conversation.length)
    }
    this.break(`${lane.name} asked a model with ${messages.length} messages; its runs have kept ${kept.join(', ')}`)
  }

  /** Whether an attempt is one of a lane's. */
  holds(lane: Lane, run: string, epoch: number): boolean {
    return this.#attempts.get(`${run}/${epoch}`) === lane
  }

  /** The attempt of a run that works in a lane; where several may, the first of them. */
  #epochOf(lane: Lane, run: string): number | undefined {
    const live = this.#live.get(`${lane.name}/${run}`) ?? []
    return [...live].sort((a, b) => a - b)[0]
  }

  /** The world as it is kept, when the attempt holds its run. */
  async #heldWorld(lane: Lane, run: string, epoch: number | undefined): Promise<World | undefined> {
    const record = await this.truth.getRun(run)
    const holds =
      record?.status === 'running' && record.epoch === epoch && this.#attempts.get(`${run}/${epoch}`) === lane
    return holds ? this.#world(record.branch) : undefined
  }

  async #world(branch: string): Promise<World | undefined> {
    const state = await this.truth.load(branch)
    try {
      return state === undefined ? undefined : revive(state, { components, retired: [] })
    } catch (error) {
      this.break(`branch ${branch} cannot be brought to life: ${String(error)}`)
      return undefined
    }
  }

  /** The laws of the whole. */
  async judge(): Promise<void> {
    const runs = [...(await this.truth.listRuns({ limit: 10_000 }))].reverse()
    for (const [key, { run }] of this.told.accepted) {
      if (!runs.some((record) => record.id === run)) this.break(`run ${run} (${key}) was accepted and is lost`)
    }
    const keys = new Set<string>()
    for (const { idempotencyKey, id } of runs) {
      if (idempotencyKey === undefined) continue
      if (keys.has(idempotencyKey)) this.break(`run ${id} is a second one under the key ${idempotencyKey}`)
      keys.add(idempotencyKey)
    }
    for (const [fork, source] of this.told.forks) {
      const [one, other] = [fork, source].map((id) => runs.find((record) => record.id === id)?.branch)
      if (one === other) this.break(`run ${fork} goes on in the branch of ${source}, whose fork it is`)
    }
    for (const key of this.#acknowledged.keys()) {
      if (!this.#kept.has(key)) this.break(`commit ${key} was acknowledged and is lost`)
    }
    for (const [interaction, answers] of this.told.answered) {
      if (answers.length > 1) this.break(`${interaction} was answered ${answers.join(' and ')}, and both were told so`)
    }
    this.#judgeExecutions()
    for (const record of runs) await this.#judgeRun(record)
    await this.#judgeBranches(runs)
    await this.#judgeAccount(runs)
  }

  /** When all is over nothing is lent, and every reply that was kept is paid for: once, where nothing was cut short. */
  async #judgeAccount(runs: readonly RunRecord[]): Promise<void> {
    const { spent, lent } = (await this.truth.getAccount('user.local')) ?? {}
    if (lent === undefined || spent === undefined) return
    if (lent.modelCalls !== 0) this.break(`${lent.modelCalls} model calls are lent for ever`)
    let replies = 0
    for (const { id } of runs) {
      const events = await this.truth.readEvents(id, { after: 0, limit: 100_000 })
      replies += events.filter(({ event }) => event.type === 'model.replied').length
    }
    const whole = runs.every(({ status }) => status === 'succeeded')
    if (spent.modelCalls < replies || (whole && spent.modelCalls > replies)) {
      this.break(`${replies} replies were kept, and ${spent.modelCalls} model calls paid for`)
    }
  }

  #judgeExecutions(): void {
    const never = new Map<string, number>()
    for (const [call, { kind, count }] of this.#executions) {
      const run = call.split('/')[0]!
      if (kind === 'n') never.set(run, (never.get(run) ?? 0) + count - 1)
    }
    for (const [run, again] of never) {
      const allowed = this.#reruns.get(run) ?? 0
      if (again > allowed) this.break(`run ${run}: a call that must never be repeated was, ${again - allowed} times`)
    }
  }

  async #judgeRun(record: RunRecord): Promise<void> {
    const { id, status, parent } = record
    const law = (text: string): void => this.break(`run ${id}: ${text}`)
    if (!hasEnded(status)) return law(`is ${status} for ever`)
    const events = await this.truth.readEvents(id, { after: 0, limit: 100_000 })
    if (events.some(({ seq }, index) => seq !== index + 1) || events.length !== record.events) {
      law(`its events are not numbered from 1 to ${record.events} without gaps`)
    }
    const ends = events.filter(({ event }) => endings.has(event.type)).map(({ event }) => event.type)
    const tries = ends.slice(0, -1)
    const known =
      tries.length <= (this.told.retried.get(id) ?? 0) &&
      tries.every((type) => type === 'run.failed' || type === 'run.timed_out')
    if (!known || ends.at(-1) !== `run.${status}`) law(`is ${status}; its endings are ${ends.join(', ')}`)
    if (events.at(-1)?.event.type !== `run.${status}`) law('has events after its end')
    // Parents send to their children with their commits.
    const mail = parent === undefined ? this.#sent.filter(({ run }) => run === id) : await this.truth.mail(id, 0)
    const cancelled = mail.some(({ kind }) => kind === 'cancel')
    // A run that is out of time ends with all its mail, and may be tried again.
    const late = ends.includes('run.timed_out')
    if (cancelled && status === 'succeeded' && !late) law('succeeded although its cancel was taken')
    if (!cancelled && status === 'cancelled') law('was cancelled by nobody')
    this.#judgeSteering(record, { mail, events })
    await this.#judgeChildren(record, events)
  }

  /** What a run spawned is there, belongs to it, and was heard of once when the run came to its end. */
  async #judgeChildren({ id, status }: RunRecord, events: readonly StoredEvent[]): Promise<void> {
    const told = (type: string): string[] =>
      events.flatMap(({ event }) => (event.type === type ? [(event as unknown as { child: string }).child] : []))
    const ended = told('child.ended')
    for (const child of told('child.spawned')) {
      const record = await this.truth.getRun(child)
      if (record?.parent !== id) this.break(`run ${id}: its child ${child} is lost`)
      const times = ended.filter((each) => each === child).length
      if (times > 1 || (status === 'succeeded' && times === 0 && record?.status === 'succeeded')) {
        this.break(`run ${id}: heard ${times} times that its child ${child} had ended`)
      }
    }
  }

  #judgeSteering(
    { id, status }: RunRecord,
    { mail, events }: { mail: readonly Pick<NewMail, 'kind' | 'payload'>[]; events: readonly StoredEvent[] },
  ): void {
    const heard = events.flatMap(({ event }) => (event.type === 'message.added' ? [textOf(messageOf(event))] : []))
    for (const { payload, kind } of mail) {
      if (kind !== 'steer') continue
      const text = textOf(payload as unknown as Message)
      const times = heard.filter((each) => each === text).length
      const said = mail.filter((each) => each.kind === 'steer' && textOf(each.payload as never) === text).length
      if (times > said || (status === 'succeeded' && times < said)) {
        this.break(`run ${id}: '${text}' was said ${said} times and heard ${times} times`)
      }
    }
  }

  /** The conversation of each branch is what its runs' events say, and what the programs come to. */
  async #judgeBranches(runs: readonly RunRecord[]): Promise<void> {
    for (const branch of new Set(runs.map((record) => record.branch))) {
      const world = await this.#world(branch)
      if (world === undefined) continue
      const messages = conversationOf(world)
      const unanswered = openCalls(messages)
      if (unanswered !== undefined) this.break(`branch ${branch}: call ${unanswered}`)
      const own = runs.filter((record) => record.branch === branch).sort((a, b) => a.firstTick - b.firstTick)
      const said: Message[] = []
      for (const { id, status } of own) {
        const events = await this.truth.readEvents(id, { after: 0, limit: 100_000 })
        const added = events.flatMap(({ event }) => (event.type === 'message.added' ? [messageOf(event)] : []))
        said.push(...added)
        // A run that was cut short has calls that were closed, also when it is tried again.
        const short = events.some(({ event }) => event.type === 'run.timed_out')
        if (status === 'succeeded' && !short) await this.#judgeCourse(id, added)
      }
      const kept = messages.slice(messages.length - said.length)
      if (JSON.stringify(kept) !== JSON.stringify(said)) {
        this.break(`branch ${branch}: ${kept.length} messages kept, and its events tell of ${said.length} others`)
      }
    }
  }

  async #judgeCourse(run: string, messages: readonly Message[]): Promise<void> {
    const program = [...this.told.accepted.values()].find((each) => each.run === run)?.program
    if (program === undefined || this.told.astray.has(run)) return
    const children = await this.truth.listRuns({ parent: run })
    if (children.some(({ id, status }) => status !== 'succeeded' || this.told.astray.has(id))) return
    const course = await courseOf(program)
    if (told(course) === told(messages)) return
    this.break(`run ${run} came to another conversation than '${program}' does in memory`)
  }
}

function messageOf(event: { readonly type: string }): Message {
  return (event as MessageAdded).message
}

/** Messages as text, whatever place in a longer conversation they have. */
function told(messages: readonly Message[]): string {
  return JSON.stringify(messages).replaceAll(/"c\d+-/g, '"c-')
}

function conversationOf(world: World): readonly Message[] {
  for (const [entity] of world.query(LLM)) return world.get(entity, Conversation)?.toArray() ?? []
  return []
}

/** A call that has not exactly one result, right behind its reply and before anything else is said. */
function openCalls(messages: readonly Message[]): string | undefined {
  let open: string[] = []
  for (const message of messages) {
    if (message.role === 'tool') {
      if (!open.includes(message.toolCallId)) return `${message.toolCallId} has a result too many`
      open = open.filter((id) => id !== message.toolCallId)
    } else if (open.length > 0) return `${open[0]} has no result`
    if (message.role === 'assistant') open = toolCallsOf(message).map(({ toolCallId }) => toolCallId)
  }
  return open.length > 0 ? `${open[0]} has no result` : undefined
}
