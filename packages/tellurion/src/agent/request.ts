// The request of one model call, built from components and never stored: one system text, the conversation by
// reference, and quoted data where something was retrieved.

import type { Messages } from '../message/message.ts'
import type { ModelRequest, ToolSpec } from '../port/model.ts'
import type { ReadOf } from '../world/component.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'
import { Conversation, LLM, Output, Skills, SystemPrompt, ToolRegistry } from './component.ts'
import type { AgentConfiguration } from './configuration.ts'
import { Reminders, Retrieved, type Reminder } from './context-component.ts'
import { Recalled } from './fact-component.ts'
import { Plan, type PlanValue } from './plan-component.ts'

/** The next request of an entity; a promise where its instructions are one, and where something is quoted. */
export function requestFor(
  world: World,
  entity: Entity,
  configuration: AgentConfiguration,
): ModelRequest | Promise<ModelRequest> {
  const { instructions } = configuration
  const text = typeof instructions === 'function' ? instructions() : instructions
  return text instanceof Promise
    ? text.then((told) => build(world, entity, { configuration, instructions: told }))
    : build(world, entity, { configuration, instructions: text })
}

function build(
  world: World,
  entity: Entity,
  { configuration, instructions }: { configuration: AgentConfiguration; instructions: string | undefined },
): ModelRequest | Promise<ModelRequest> {
  const { systemPrompt, settings } = world.require(entity, LLM)
  const conversation = world.require(entity, Conversation)
  const plan = world.get(entity, Plan)
  const planned = plan?.completed === false
  const request: { -readonly [K in keyof ModelRequest]: ModelRequest[K] } = {
    ...settings,
    messages: conversation satisfies Messages,
  }
  const system = paragraphs(
    world.get(entity, SystemPrompt)?.text,
    systemPrompt,
    instructions,
    planned ? planText(plan) : undefined,
    reminderText(world.get(entity, Reminders)),
    skillText(world.get(entity, Skills)),
  )
  if (system !== '') request.system = system.toWellFormed()
  const tools = toolsFor(world, entity, configuration)
  if (tools.length > 0) request.tools = tools
  // The asked shape is that of the final answer, not of the steps towards it.
  const output = planned ? undefined : world.get(entity, Output)
  if (output !== undefined) request.output = { name: output.name, schema: output.schema }
  const retrieved = world.get(entity, Retrieved)
  const recalled = world.get(entity, Recalled)
  if (retrieved === undefined && recalled === undefined) return request
  return import('./quotation.ts').then(({ quoting }) => {
    return { ...request, messages: quoting(conversation, { recalled, retrieved }) }
  })
}

function paragraphs(...texts: readonly (string | undefined)[]): string {
  let joined = ''
  for (const text of texts) if (text) joined = joined === '' ? text : `${joined}\n\n${text}`
  return joined
}

/** Most coming steps that a request tells of. */
const shownSteps = 10

/** Which step of an unfinished plan is due, and what comes after it. */
export function planText({ steps, current }: PlanValue): string | undefined {
  const step = steps[current]
  if (step === undefined) return undefined
  const due = `Step ${current + 1}/${steps.length}: ${step.description}`
  const later = steps.slice(current + 1, current + 1 + shownSteps)
  if (later.length === 0) return due
  const list = later.map(({ description }, index) => `${current + index + 2}. ${description}`).join('\n')
  return `${due}\nDo this step and no other. Those that come later, each in its turn:\n${list}`
}

/** Reminders as the system text has them. */
export function reminderText(reminders: readonly Reminder[] | undefined): string | undefined {
  if (reminders === undefined || reminders.length === 0) return undefined
  return `Reminders:\n${reminders.map(({ severity, text }) => `- [${severity}] ${text}`).join('\n')}`
}

/** Skills as the system text has them. */
export function skillText(skills: ReadOf<typeof Skills> | undefined): string | undefined {
  if (skills === undefined || skills.length === 0) return undefined
  const list = skills.map(({ name, description }) => `- ${name}: ${description}`).join('\n')
  return `Skills, to be read with the tool readSkill before they are used:\n${list}`
}

const noTools: readonly ToolSpec[] = []
const filtered = new WeakMap<readonly string[], { from: readonly ToolSpec[]; specs: readonly ToolSpec[] }>()

/** The tools an entity may be offered: all that are bound, or those its registry names. Found again without work. */
export function toolsFor(world: World, entity: Entity, { tools }: AgentConfiguration): readonly ToolSpec[] {
  if (tools === undefined) return noTools
  const specs = tools.specs()
  const names = world.get(entity, ToolRegistry)?.names
  if (names === undefined) return specs
  const known = filtered.get(names)
  if (known !== undefined && known.from === specs) return known.specs
  const allowed = specs.filter((spec) => names.includes(spec.name))
  filtered.set(names, { from: specs, specs: allowed })
  return allowed
}
