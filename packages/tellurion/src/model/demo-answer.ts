// What the demo model says: sentences made of tool results, and an honest word about itself.

import type { ToolMessage } from '../message/message.ts'
import { textOf } from '../message/message.ts'
import type { ToolSpec } from '../port/model.ts'
import { callFor, type Ask, type AskKind } from './demo-ask.ts'

/** Lines and characters of a file that an answer shows. */
const maxLines = 20
const maxCharacters = 2_000

/** One sentence, or a few lines, for the result of one request. */
export function answerTo(ask: Ask, result: ToolMessage): string {
  const text = textOf(result).trim()
  if (result.isError) return `${failedTo(ask)}: ${sentence(text.replace(/^The tool '[^']*' failed: /, ''))}`
  switch (ask.kind) {
    case 'calculate':
      return `${ask.subject} = ${text}.`
    case 'time':
      return `It is ${sentence(text)}`
    case 'list':
      return text === '' ? `${folderOf(ask)} is empty.` : `${folderOf(ask)} holds:\n${excerpt(text)}`
    case 'read':
      return text === '' ? `${ask.subject} is empty.` : `${ask.subject} says:\n${excerpt(text)}`
    case 'wait':
      return `I have waited ${ask.subject} s.`
    case 'tool':
      return `${ask.subject} says: ${excerpt(text)}`
    default:
      return ask.kind satisfies never
  }
}

function failedTo({ kind, subject }: Ask): string {
  switch (kind) {
    case 'calculate':
      return `I could not calculate ${subject}`
    case 'time':
      return subject === '' ? 'I could not tell the time' : `I could not tell the time in ${subject}`
    case 'list':
      return `I could not list ${subject === '' ? 'the files' : subject}`
    case 'read':
      return `I could not read ${subject}`
    case 'wait':
      return `I could not wait ${subject} s`
    case 'tool':
      return `${subject} did not work`
    default:
      return kind satisfies never
  }
}

function folderOf({ subject }: Ask): string {
  return subject === '' || subject === '.' ? 'The folder' : subject
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

function excerpt(text: string): string {
  const lines = text.split('\n')
  const shown = lines.slice(0, maxLines).join('\n').slice(0, maxCharacters).toWellFormed()
  if (shown.length === text.length) return text
  return `${shown}\n(the beginning; the whole has ${lines.length} lines and ${text.length} characters)`
}

const needs: Readonly<Record<Exclude<AskKind, 'tool'>, string>> = {
  calculate: 'calculator',
  time: 'clock',
  list: 'tool that lists files',
  read: 'tool that reads files',
  wait: 'tool that waits',
}

/** What to say of requests that no offered tool serves. */
export function withoutTool(asks: readonly Ask[]): string {
  const missing = new Set(asks.map(({ kind }) => (kind === 'tool' ? 'tool' : needs[kind])))
  return `For that I would need a ${[...missing].join(' and a ')}, and none was given to me.`
}

const abilities: readonly (readonly [Ask, string])[] = [
  [{ kind: 'calculate', subject: '1+1', at: 0 }, 'calculate (what is 12*7?)'],
  [{ kind: 'time', subject: '', at: 0 }, 'tell the time (what time is it in Tokyo?)'],
  [{ kind: 'list', subject: '', at: 0 }, 'list files (list files in src)'],
  [{ kind: 'read', subject: 'a', at: 0 }, 'read them (read package.json)'],
  [{ kind: 'wait', subject: '1', at: 0 }, 'wait (wait 10 seconds)'],
]

/** What the demo model says of itself: what it is, what it can do here, and how to have a real model instead. */
export function introduction(tools: readonly ToolSpec[]): string {
  const can = abilities.flatMap(([ask, words]) => (callFor(ask, tools) === undefined ? [] : [words]))
  const served = new Set(abilities.flatMap(([ask]) => callFor(ask, tools)?.toolName ?? []))
  const other = tools.find(({ name }) => !served.has(name))
  if (other !== undefined) can.push(`use a tool by its name (use ${other.name} {…})`)
  const list = can.length < 2 ? can.join('') : `${can.slice(0, -1).join(', ')} and ${can.at(-1)}`
  const ability = can.length === 0 ? 'without tools there is nothing I can do' : `I can ${list}`
  return (
    `I am the built-in demo model, a few patterns and no intelligence: ${ability}. ` +
    'To talk to a real model, set OPENAI_API_KEY, ANTHROPIC_API_KEY or another vendor’s key, or LLM_BASE_URL and LLM_MODEL, in the environment or in .env.'
  )
}
