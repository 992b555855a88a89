// Answers: what a person says to an interaction, turned into a decision, a result or a message. An answer is taken once.

import { suggestion, TellurionError } from '../error/error.ts'
import type { Interaction } from '../event/event.ts'
import type { Json } from '../schema/json.ts'
import type { ArgumentPattern } from '../tool/argument-pattern.ts'
import type { Decision } from '../tool/decide.ts'
import type { Grant } from '../tool/grant.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'
import { decideCall } from './call-decision.ts'
import { Children, PendingToolCalls, Steering, UserInput } from './component.ts'
import { configurationOf } from './configuration.ts'
import { say } from './conversation.ts'
import { close, openInteractions } from './open-interaction.ts'
import { giveResult } from './tool-results.ts'

/**
 * What a person may answer: to an approval `approve` or `deny`; to an unknown outcome these (run it again, or take it
 * for failed) or the result as text; to a question a text, or one of its choices. An answer to an approval may stand
 * for later calls of the tool: `{ always: 'approve' }`.
 */
export type Answer =
  | 'approve'
  | 'deny'
  | { readonly deny: string }
  | StandingAnswer
  | { readonly text: string }
  | { readonly choice: string }

/** An answer that becomes a permission: for all calls of the tool, or for some. Needs `approval: { permissions }`. */
export interface StandingAnswer {
  readonly always: 'approve' | 'deny'
  /** `same`: calls with the same arguments. A pattern: calls whose arguments fit it. Default: all. */
  readonly where?: 'same' | ArgumentPattern
  /** Milliseconds until it lapses. None: never. */
  readonly ttl?: number
  /** What the model reads when it denies. */
  readonly reason?: string
}

/** What an answer is told that is to stand where nobody could keep it. */
export const noPermissions =
  "This agent keeps no permissions: answer 'approve' or 'deny', or give it approval: { permissions }."

/** How an answer is taken. */
export interface AnswerTaking {
  /** Who answered. Default `user`. */
  readonly by?: string
  /** Take an answer that is to stand, where nobody can keep it, for this call alone: it came too far to be refused. */
  readonly orOnce?: boolean
}

/**
 * Answers an open interaction of a world; the next run acts on it. Throws `unknown_interaction` for one that is not open
 * (any more), `invalid_answer` for an answer that does not fit.
 */
export function answer(world: World, id: string, said: Answer, options: AnswerTaking = {}): void {
  const { orOnce = false } = options
  const by = answerer(options.by)
  const open = openInteractions(world)
  const interaction = open.find((each) => each.id === id)
  if (interaction === undefined) {
    const names = open.map((each) => each.id)
    throw new TellurionError(
      'unknown_interaction',
      `No open interaction has the id '${id}'.${suggestion(String(id), names)}`,
    )
  }
  checkAnswer(interaction, said)
  const entity = interaction.entity as Entity
  const stands = isStanding(said) && interaction.child === undefined
  const given = stands ? keepable(world, interaction, { said, by, orOnce }) : said
  // First, for what is no JSON is refused here, and then nothing has changed.
  if (interaction.child !== undefined) passOn(world, interaction, { answer: given as Json, by })
  close(world, entity, id)
  if (interaction.child === undefined) take(world, interaction, { given, by })
  world.emit({ type: 'interaction.answered', entity, id, by })
}

/** What an answer means to the entity that asked. */
function take(world: World, interaction: Interaction, { given, by }: { given: Answer; by: string }): void {
  const entity = interaction.entity as Entity
  const text = textOf(given)
  if (interaction.kind === 'question') {
    world.remove(entity, UserInput)
    const message = { role: 'user', content: text ?? '' } as const
    // Between a call and its result nothing may be said: it waits like whatever else is said meanwhile.
    if (world.has(entity, PendingToolCalls)) world.append(entity, Steering, message)
    else say(world, entity, message)
  } else if (text === undefined)
    decideCall(world, entity, { interaction, decision: decisionOf(given, by, interaction) })
  else giveResult(world, entity, interaction.toolCallId ?? '', text)
}

/** An answer that is to stand, when the agent can keep it. */
function keepable(
  world: World,
  interaction: Interaction,
  { said, by, orOnce }: { readonly said: StandingAnswer; readonly by: string; readonly orOnce: boolean },
): Answer {
  try {
    const { permissions } = configurationOf(world, interaction.entity as Entity)
    if (permissions === undefined) throw new TellurionError('invalid_answer', noPermissions)
    permissions.check(grantOf(said, by, interaction))
    return said
  } catch (error) {
    if (!orOnce) throw error
    const { always, reason } = said
    return always === 'approve' || reason === undefined ? always : { deny: reason }
  }
}

/** Who answered, as it is kept. Throws `invalid_answer` for what is no name. */
export function answerer(by: string = 'user'): string {
  if (typeof by === 'string' && by !== '' && by.length <= 256 && by.isWellFormed() && !/\p{C}/u.test(by)) return by
  throw new TellurionError('invalid_answer', 'by must name who answers, in 1 to 256 printable characters.')
}

/** Keeps an answer for the sub-agent that asked. */
function passOn(world: World, { entity, id, child }: Interaction, given: { answer: Json; by: string }): void {
  world.update(entity as Entity, Children, (children) =>
    children.map((each) =>
      each.id === child ? { ...each, answers: [...(each.answers ?? []), { interaction: id, ...given }] } : each,
    ),
  )
}

/** Throws `invalid_answer` when an answer does not fit the interaction. */
export function checkAnswer({ kind, choices }: Interaction, given: Answer): void {
  const text = textOf(given)
  if (kind === 'question') {
    if (text === undefined) throw new TellurionError('invalid_answer', 'Answer a question with { text } or { choice }.')
    if (choices !== undefined && !choices.includes(text)) {
      throw new TellurionError('invalid_answer', `'${text}' is no choice of it.${suggestion(text, choices)}`)
    }
  } else if (text === undefined ? !decides(given, kind) : kind !== 'outcome') {
    const more = kind === 'outcome' ? ', or { text: the result }' : ", or { always: 'approve' }"
    throw new TellurionError('invalid_answer', `Answer with 'approve', 'deny', { deny: reason }${more}.`)
  }
}

function decides(given: Answer, kind: Interaction['kind']): boolean {
  if (typeof given !== 'object' || given === null) return given === 'approve' || given === 'deny'
  // What became of one call says nothing about others.
  if (isStanding(given)) return kind === 'approval' && (given.always === 'approve' || given.always === 'deny')
  return 'deny' in given && isText(given.deny)
}

/** Whether an answer is to stand for later calls too. */
export function isStanding(given: Answer): given is StandingAnswer {
  return typeof given === 'object' && given !== null && 'always' in given
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function textOf(given: Answer): string | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  if ('text' in given && isText(given.text)) return given.text.toWellFormed()
  if ('choice' in given && isText(given.choice)) return given.choice.toWellFormed()
  return undefined
}

function decisionOf(given: Answer, by: string, interaction: Interaction): Decision {
  if (isStanding(given)) {
    const { always, reason = given.always } = given
    const grant = grantOf(given, by, interaction)
    return always === 'approve' ? { verdict: 'allow', by, grant } : { verdict: 'deny', reason, by, grant }
  }
  if (given === 'approve') return { verdict: 'allow', by }
  const reason = typeof given === 'object' && 'deny' in given ? given.deny.toWellFormed() : 'the user denied it'
  return { verdict: 'deny', reason, by }
}

/** What a standing answer grants. The id is the interaction's, so that it is written down once. */
export function grantOf(
  { always, where, ...rest }: StandingAnswer,
  by: string,
  { id, toolName = '', inputHash = '' }: Interaction,
): Grant {
  const reach = where === 'same' ? { inputHash } : where === undefined ? {} : { where }
  return always === 'approve'
    ? { ...rest, ...reach, id, by, allow: toolName }
    : { ...rest, ...reach, id, by, deny: toolName }
}
