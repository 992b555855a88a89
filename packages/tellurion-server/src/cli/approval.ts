// Asking a person: what is about to be done, with its exact arguments, and a yes or no, or a question and its answer.
// Everything but a yes is a no.

import { TellurionError, type Interaction } from 'tellurion'
import type { Answer } from 'tellurion/agent'
import { exactJson, inertLine } from '../terminal/inert.ts'
import { taintLines } from '../terminal/taint.ts'
import type { LineInput } from './line-input.ts'
import type { Screen } from './screen.ts'

/** What there is to ask with. */
export interface Desk {
  readonly screen: Screen
  /** Undefined where nobody can answer. */
  readonly lines: LineInput | undefined
}

/** The person's answer. Without one an approval is denied, and a question rejects with `unknown_interaction`. */
export async function askPerson(interaction: Interaction, desk: Desk): Promise<Answer> {
  return interaction.kind === 'question' ? askQuestion(interaction, desk) : askApproval(interaction, desk)
}

/** The person's answer to an approval; without a person, and at the end of the input, a denial. */
export async function askApproval(
  { prompt, toolName = '', input, taint }: Interaction,
  { screen, lines }: Desk,
): Promise<Answer> {
  if (lines === undefined) return { deny: 'nobody is there to approve it' }
  screen.line(`Approval needed: ${inertLine(prompt)}`, 'warning')
  screen.line(`  ${inertLine(toolName)} ${exactJson(input, 2).replaceAll('\n', '\n  ')}`)
  for (const line of taintLines(taint)) screen.line(`  ${line}`, 'faint')
  for (let tries = 0; tries < 3; tries++) {
    const line = (await lines.next('Allow it? [y/n] ', { fresh: true }))?.trim().toLowerCase()
    if (line === 'y' || line === 'yes') return 'approve'
    if (line === undefined || line === 'n' || line === 'no' || !lines.interactive) return 'deny'
    screen.line("Please answer 'y' or 'n'.", 'faint')
  }
  return 'deny'
}

async function askQuestion({ prompt, choices }: Interaction, { screen, lines }: Desk): Promise<Answer> {
  screen.line(inertLine(prompt), 'warning')
  if (choices !== undefined) screen.line(`  one of: ${choices.map((choice) => inertLine(choice)).join(', ')}`)
  for (let tries = 0; tries < 3; tries++) {
    const text = (await lines?.next('Answer: ', { fresh: true }))?.trim()
    if (text === undefined) break
    if (text !== '' && (choices === undefined || choices.includes(text))) {
      return choices === undefined ? { text } : { choice: text }
    }
    screen.line(choices === undefined ? 'Please answer it.' : 'Please answer with one of these.', 'faint')
  }
  throw new TellurionError('invalid_answer', `Nobody answered its question: ${inertLine(prompt)}`)
}
