// How a model gets to its skills: the tool that reads one, and the system that keeps their names and descriptions in the
// component `Skills`, which requests show.

import { suggestion, TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import type { Trust } from '../message/trust.ts'
import { withOrigin } from '../tool/origin.ts'
import { createTool, type AnyTool } from '../tool/tool.ts'
import { cut } from '../tool/result.ts'
import { Halted, Terminal } from '../world/lifecycle.ts'
import { defineSystem } from '../world/system.ts'
import { Conversation, LLM, PendingToolCalls, Skills, ToolRegistry } from './component.ts'
import { configurationOf } from './configuration.ts'
import type { Skill } from './skill.ts'
import { bringing } from './world-tool.ts'

/** Skills of one agent: each costs its description in every request. */
const maxSkills = 100
/** Characters of one answer; results end at 10,000. */
const pageLength = 9_000

type Listed = readonly { readonly name: string; readonly description: string }[]

/** What the tools that were made here tell of. */
const listed = new WeakMap<AnyTool, Listed>()

/** Keeps the list of skills of an entity equal to what its tool `readSkill` can read. Priority -4. */
export const skillDisclosure = defineSystem({
  name: 'skillDisclosure',
  priority: -4,
  query: [LLM, Conversation],
  without: [PendingToolCalls, Halted, Terminal],
  each(entity, world) {
    const tool = configurationOf(world, entity).tools?.get('readSkill')
    const list = tool === undefined ? undefined : listed.get(tool)
    if (list === undefined) return
    const names = world.get(entity, ToolRegistry)?.names
    if (names !== undefined && !names.includes('readSkill')) world.remove(entity, Skills)
    else if (!isSame(world.get(entity, Skills), list)) world.set(entity, Skills, list)
  },
})

/**
 * The tool `readSkill`, for `tools` of an agent: `tools: { ...skillTools(skills) }`. The model is told of each skill in
 * one line and reads the rest when it needs it, page by page. `trust` says whose words they are: `trusted` for skills
 * that the program's people wrote, default `unvouched`. Throws `duplicate_name`, and `invalid_option` for more than
 * 100 skills.
 */
export function skillTools(
  skills: readonly Skill[],
  options: { readonly trust?: Trust } = {},
): Readonly<Record<'readSkill', AnyTool>> {
  checkOptions('skillTools', options, ['trust'])
  if (!Array.isArray(skills)) {
    throw new TellurionError('invalid_option', 'skillTools takes a list: const { skills } = await loadSkills(folder).')
  }
  if (skills.length > maxSkills) {
    throw new TellurionError('invalid_option', `An agent has at most ${maxSkills} skills; choose among these.`)
  }
  const byName = new Map<string, Skill>()
  for (const skill of skills as readonly Skill[]) {
    if (byName.has(skill.name)) {
      throw new TellurionError('duplicate_name', `There are two skills named '${skill.name}'; rename one of them.`)
    }
    byName.set(skill.name, skill)
  }
  const readSkill = createTool({
    description: 'Reads the instructions of a skill, or one of its files. Read a skill before you do what it is for.',
    inputSchema: {
      type: 'object',
      properties: {
        name: { type: 'string', description: 'The name of the skill.' },
        file: {
          type: 'string',
          description: 'A file of the skill, such as references/notes.md. Default its instructions.',
        },
        offset: { type: 'integer', minimum: 0, description: 'Where to read on, as the answer before said.' },
      },
      required: ['name'],
      additionalProperties: false,
    },
    effects: 'read',
    trust: options.trust,
    async execute(input, { abortSignal }) {
      const { name, file, offset = 0 } = input as { name: string; file?: string; offset?: number }
      const skill = byName.get(name)
      if (skill === undefined) {
        const text = `There is no skill '${cut(name, 80)}'.${suggestion(name, byName.keys())}`
        throw new TellurionError('invalid_option', text)
      }
      const text = await skill.read(file, { signal: abortSignal })
      const page = pageOf(text, offset)
      if (file !== undefined || page.more !== undefined) return page.text
      return `${page.text}${filesText(await skill.files({ signal: abortSignal }))}`
    },
  })
  const told = skills.map(({ name, description }) => ({ name, description }))
  listed.set(readSkill, told)
  return { readSkill: withOrigin(bringing(readSkill, { systems: [skillDisclosure] }), 'skills') }
}

/** A piece of a text, and where the next one begins. */
function pageOf(text: string, offset: number): { readonly text: string; readonly more?: number } {
  if (offset > text.length) {
    throw new TellurionError('invalid_option', `The text has ${text.length} characters; there is nothing at ${offset}.`)
  }
  const page = cut(text.slice(offset), pageLength)
  const more = offset + page.length
  if (more === text.length) return { text: page }
  return { text: `${page}\n[goes on: read with offset ${more}, ${text.length - more} characters are left]`, more }
}

function filesText(files: readonly string[]): string {
  if (files.length === 0) return ''
  const names = cut(files.join('\n- '), 900)
  return `\n\nFiles of this skill, to be read with { name, file }:\n- ${names}`
}

function isSame(known: Listed | undefined, list: Listed): boolean {
  return (
    known?.length === list.length &&
    known.every(({ name, description }, at) => name === list[at]?.name && description === list[at]?.description)
  )
}
