// Long dialogues out of a seed: small talk about work, tools with long outputs, repeated and failing calls, and facts
// planted where they are easily lost. What is measured on them can be measured again.

import { seededRandom, type Random } from '../id/random.ts'
import type { Message } from '../message/message.ts'

/** How a dialogue is made. */
export interface LongDialogueOptions {
  /** Default 1. */
  readonly seed?: number
  /** Requests of the person, each with its answer. Default 100. */
  readonly exchanges?: number
  /** Facts that are planted. Default one in ten exchanges. */
  readonly facts?: number
}

/** A dialogue, and the phrases in it that must not get lost. */
export interface LongDialogue {
  readonly messages: readonly Message[]
  readonly facts: readonly string[]
}

const subjects = ['invoice export', 'login page', 'nightly import', 'search index', 'report generator', 'mail queue']
const verbs = ['check', 'rewrite', 'speed up', 'explain', 'test', 'clean up', 'document', 'simplify']
const reasons = [
  'because customers keep asking about it',
  'since the last release made it slower',
  'as we talked about in the meeting',
  'before somebody else trips over it',
  'so that the new colleague can read it',
]
const remarks = [
  'That went as expected and nothing else had to change.',
  'I looked at the neighbours too, and they follow the same form.',
  'The tests pass, and the coverage is what it was before.',
  'It is a bit longer now, but it reads from top to bottom.',
  'There is one place left that could be nicer, which I have not touched.',
  'We decided to keep the old name, because others depend on it.',
  'Next I would look at the callers, one after another.',
]
const places = ['Lisbon', 'Oslo', 'Nairobi', 'Quito', 'Hanoi', 'Perth', 'Tartu', 'Cusco', 'Bergen', 'Kyoto']
const things = ['access code', 'account number', 'meeting room', 'server address', 'contract number', 'deadline']
const birds = ['KESTREL', 'HERON', 'WREN', 'OSPREY', 'PLOVER', 'CRANE', 'SWIFT', 'DUNLIN', 'AVOCET', 'GANNET']

/** Makes a dialogue; the same options make the same one. */
export function longDialogue(options: LongDialogueOptions = {}): LongDialogue {
  const { seed = 1, exchanges = 100, facts: count = Math.ceil(exchanges / 10) } = options
  const random = seededRandom(seed)
  const planted = new Map<number, string>()
  const facts: string[] = []
  for (let index = 0; index < count; index++) {
    const fact = `${1000 + Math.floor(random() * 9000)}-${pick(random, birds)}`
    facts.push(fact)
    planted.set(
      Math.floor((index * exchanges) / count),
      `The ${pick(random, things)} for ${pick(random, places)} is ${fact}.`,
    )
  }
  const messages: Message[] = []
  for (let index = 0; index < exchanges; index++) messages.push(...exchange(random, index, planted.get(index)))
  return { messages, facts }
}

/** One request with its answer; what is planted is said by either side, or stands in an output. */
function exchange(random: Random, index: number, fact: string | undefined): Message[] {
  const subject = pick(random, subjects)
  const where = fact === undefined ? 'nowhere' : pick(random, ['asked', 'answered', 'found'] as const)
  const said = (place: string): string => (where === place ? ` ${fact}` : '')
  const request = `Please ${pick(random, verbs)} the ${subject} ${pick(random, reasons)}.${said('asked')}`
  const messages: Message[] = [{ role: 'user', content: request }]
  const calls = Math.floor(random() * 3) + (where === 'found' ? 1 : 0)
  for (let call = 0; call < calls; call++) {
    const toolCallId = `call_${index}_${call}`
    const [toolName, path] = ['readFile', `src/${subject.replaceAll(' ', '-')}/part-${Math.floor(random() * 4)}.ts`]
    const failed = random() < 0.1 && where !== 'found'
    const content = failed ? `There is no file ${path}.` : output(random, path, call === 0 ? said('found') : '')
    messages.push({ role: 'assistant', content: [{ type: 'tool-call', toolCallId, toolName, input: { path } }] })
    messages.push({ role: 'tool', toolCallId, toolName, content, ...(failed ? { isError: true as const } : {}) })
  }
  const answer = Array.from({ length: 2 + Math.floor(random() * 4) }, () => pick(random, remarks)).join(' ')
  messages.push({ role: 'assistant', content: `${answer}${said('answered')}` })
  return messages
}

function output(random: Random, path: string, fact: string): string {
  const lines = Array.from(
    { length: 20 + Math.floor(random() * 60) },
    (_, line) =>
      `${line + 1}: const value${Math.floor(random() * 50)} = compute(${pick(random, verbs).replace(' ', '')}, ${line})`,
  )
  lines.splice(Math.floor(random() * lines.length), 0, `// ${path}${fact}`)
  return lines.join('\n')
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!
}
