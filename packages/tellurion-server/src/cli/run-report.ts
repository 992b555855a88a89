// `tellurion runs show` and `diff`: one run in full, its world after a tick, and what changed between two.

import { systemClock, type ComponentChange, type Snapshot } from 'tellurion/world'
import type { Interaction } from 'tellurion'
import type { RunResource } from 'tellurion/protocol'
import { dateOf } from './event-line.ts'
import type { ExitCode } from './fault.ts'
import { exactJson, inert, inertLine } from '../terminal/inert.ts'
import { taintLines } from '../terminal/taint.ts'
import { askedOf, atDesk, findRun, type DeskFlags } from './run-desk.ts'
import { wholeNumber } from './run-list.ts'
import type { Screen } from './screen.ts'
import type { Host } from './setting.ts'
import { span, tableLines } from '../terminal/table.ts'

/** Options of `runs show`. */
export interface ShowFlags extends DeskFlags {
  readonly tick?: string
}

/** Shows a run, or with `--tick` its world after that tick. */
export async function showRun(id: string, flags: ShowFlags, host: Host): Promise<ExitCode> {
  const tick = flags.tick === undefined ? undefined : wholeNumber('--tick', flags.tick, { least: 0 })
  return atDesk(flags, host, async ({ client, out, tell }) => {
    const run = await findRun(client, id)
    if (tick === undefined) {
      const { last } = await client.runs.ticks(run.id)
      tell({ ...run, lastTick: last }, () => report(run, last, out))
    } else {
      const { world } = await client.runs.tick(run.id, tick)
      tell(world, () => reportWorld(world, out))
    }
    return 0
  })
}

/** Shows what changed between two ticks. */
export async function showDifference(
  id: string,
  ticks: readonly [string, string],
  at: { flags: DeskFlags; host: Host },
): Promise<ExitCode> {
  const [from, to] = ticks.map((text) => wholeNumber('a tick', text, { least: 0 })) as [number, number]
  return atDesk(at.flags, at.host, async ({ client, out, remarks, tell }) => {
    const found = await client.runs.difference((await findRun(client, id)).id, { from, to })
    tell(found, () => {
      for (const entity of found.spawned) out.note(`+ entity ${entity}`, 'plain')
      for (const entity of found.destroyed) out.note(`- entity ${entity}`, 'plain')
      for (const line of found.changes.flatMap(changeLines)) out.note(line, 'plain')
      if (found.spawned.length + found.destroyed.length + found.changes.length === 0)
        remarks.line('Nothing changed.', 'faint')
    })
    return 0
  })
}

function changeLines({ entity, component, before, after, appended }: ComponentChange): string[] {
  const name = `${entity} ${inertLine(component)}`
  if (appended !== undefined) return appended.map((item) => `+ ${name} ${exactJson(item)}`)
  return [
    ...(before === undefined ? [] : [`- ${name} ${exactJson(before)}`]),
    ...(after === undefined ? [] : [`+ ${name} ${exactJson(after)}`]),
  ]
}

function report(record: RunResource, ticks: number, out: Screen): void {
  const { id, status, agent, session, createdAt, priority, events, error, result, usage } = record
  const line = (name: string, text: string): void => out.note(`${name.padEnd(9)}${text}`, 'plain')
  out.line(`run      ${id}`)
  line('status', `${status}${record.attempt > 1 ? `, attempt ${record.attempt}` : ''}, ${span(record.ranFor)} at work`)
  line('agent', inertLine(agent))
  if (session !== id) line('session', session)
  if (priority !== 0) line('priority', String(priority))
  line('created', `${dateOf(createdAt)}, ${span(systemClock.now() - createdAt)} ago`)
  line('ticks', `${ticks < record.firstTick ? 'none yet' : `${record.firstTick} to ${ticks}`}, ${events} events`)
  if (usage !== undefined) line('tokens', `${usage.inputTokens} in, ${usage.outputTokens} out`)
  line('input', askedOf(record))
  const { text = '' } = result ?? {}
  if (text !== '') {
    out.line('')
    out.text(inert(text))
    out.endLine()
  }
  if (error !== undefined) {
    out.line('')
    out.line(`${error.code}: ${inertLine(error.message)}`, 'warning')
  }
  const whose = record.interactions.length === 1 ? id : undefined
  for (const interaction of record.interactions) reportInteraction(interaction, whose, out)
}

/** What is asked, with its exact arguments, and how to answer it: by the run, where it asks nothing else. */
export function reportInteraction(asked: Interaction, run: string | undefined, out: Screen): void {
  const { id, kind, prompt, toolName, input, choices, due, taint } = asked
  out.line('')
  out.line(inertLine(prompt), 'warning')
  if (toolName !== undefined) out.line(`  ${inertLine(toolName)} ${exactJson(input, 2).replaceAll('\n', '\n  ')}`)
  for (const line of taintLines(taint)) out.line(`  ${line}`, 'faint')
  if (choices !== undefined) out.line(`  one of: ${choices.map((choice) => inertLine(choice)).join(', ')}`)
  if (due !== undefined) out.line(`  until ${dateOf(due)}`)
  const answer =
    kind === 'approval' ? 'approve|deny' : kind === 'outcome' ? 'approve|deny|"the result"' : '"your answer"'
  out.line(`  tellurion runs answer ${run ?? id} ${answer}`, 'faint')
}

function reportWorld({ header, components }: Snapshot, out: Screen): void {
  const rows = Object.entries(components).flatMap(([name, { kind, values }]) =>
    values.flatMap(([entity, value]) =>
      (kind === 'log' ? (value as readonly unknown[]) : [value]).map((each, index) => {
        return { entity, name: inertLine(kind === 'log' ? `${name} ${index}` : name), value: exactJson(each) }
      }),
    ),
  )
  const columns = [
    { title: 'ENTITY', of: (row: (typeof rows)[number]) => String(row.entity), right: true },
    { title: 'COMPONENT', of: (row: (typeof rows)[number]) => row.name, most: 24 },
    { title: 'VALUE', of: (row: (typeof rows)[number]) => row.value },
  ]
  out.line(`after tick ${header.tick}${header.paused ? ', paused' : ''}`, 'faint')
  const ordered = rows.toSorted((a, b) => a.entity - b.entity)
  for (const text of tableLines(ordered, columns, out.columns - 1)) out.line(text)
}
