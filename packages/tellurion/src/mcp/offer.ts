// What a server offers as one tool: looked through, cleaned and hashed. An offer that is not fit for models says why.

import { createHash } from 'node:crypto'
import { messageOf } from '../error/error.ts'
import { boundedSchema } from '../schema/bounded-schema.ts'
import { canonicalJson } from '../schema/canonical.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import type { CompiledSchema } from '../schema/schema.ts'
import { cleanText } from './clean-text.ts'
import { shownSchema } from './shown-schema.ts'
import { offeredName } from './tool-name.ts'

/** What pins are about: everything of a tool that a model reads or a call is checked with. Plain JSON as the server sent it. */
export interface ToolDefinition {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly inputSchema: JsonObject
  readonly outputSchema?: JsonObject
  readonly annotations?: JsonObject
}

/** A tool as it is offered to models. */
export interface Offer {
  /** What the server calls it. */
  readonly tool: string
  /** What models call it: `server_tool`. */
  readonly name: string
  readonly definition: ToolDefinition
  /** SHA-256 of the definition. */
  readonly hash: string
  readonly description: string
  readonly input: CompiledSchema
  readonly output: CompiledSchema | undefined
}

/** A tool that cannot be offered, and why. */
export interface Unfit {
  readonly tool: string
  readonly problem: string
}

/** Tools of one server. */
const maxTools = 256
/** Characters of one definition as JSON, and of all of a server's together. */
const maxDefinition = 65_536
const maxDefinitions = 1_048_576
const maxDescription = 2_000
const maxToolName = 256

/** The hash that pins a definition: equal exactly where name, description, schemas and annotations are equal. */
export function definitionHash(definition: ToolDefinition): string {
  return createHash('sha256')
    .update(canonicalJson(definition as unknown as Json))
    .digest('hex')
}

/** Looks through what a server lists. Two tools of one name are both unfit: nobody could tell which is meant. */
export function readOffers(server: string, listed: readonly unknown[]): { offers: Offer[]; unfit: Unfit[] } {
  const offers = new Map<string, Offer>()
  const unfit: Unfit[] = []
  const taken = new Set<string>()
  let room = maxDefinitions
  for (const [index, value] of listed.entries()) {
    const tool = nameOf(value)
    const read =
      index < maxTools ? readOffer(server, value, room) : `it is beyond the ${maxTools} that a server may have`
    if (typeof read === 'string') {
      if (unfit.length < maxTools) unfit.push({ tool, problem: read })
      continue
    }
    room -= read.size
    if (taken.has(read.offer.name)) {
      unfit.push({ tool, problem: `there are two tools named '${read.offer.name}'` })
      offers.delete(read.offer.name)
    } else {
      taken.add(read.offer.name)
      offers.set(read.offer.name, read.offer)
    }
  }
  return { offers: [...offers.values()], unfit }
}

function readOffer(server: string, value: unknown, room: number): { offer: Offer; size: number } | string {
  const problem = jsonProblem(value)
  if (problem !== undefined) return `its definition is not plain JSON (${problem})`
  const definition = definitionOf(value as JsonObject)
  if (typeof definition === 'string') return definition
  const size = JSON.stringify(definition).length
  if (size > maxDefinition) return `its definition has ${size} characters, the limit is ${maxDefinition}`
  if (size > room) return `the definitions of all tools have more than ${maxDefinitions} characters`
  const { name: tool, title, description, inputSchema, outputSchema } = definition
  const name = offeredName(server, tool)
  const text = cleanText(description ?? title ?? '', maxDescription).trim()
  try {
    const offer: Offer = {
      tool,
      name,
      definition,
      hash: definitionHash(definition),
      description: text === '' ? `The tool ${tool.replaceAll(/[^\w -]/g, '_')} of the MCP server ${server}.` : text,
      input: checkable(inputSchema, `the inputSchema of '${name}'`),
      output: outputSchema && checkable(outputSchema, `the outputSchema of '${name}'`),
    }
    return { offer, size }
  } catch (error) {
    return messageOf(error)
  }
}

/** Models are shown it with its texts cleaned; values are checked in bounded time. */
function checkable(schema: JsonObject, what: string): CompiledSchema {
  return boundedSchema(shownSchema(schema, what), what)
}

/** The parts that count, or why there are none. */
function definitionOf(value: JsonObject): ToolDefinition | string {
  const { name, title, description, inputSchema, outputSchema, annotations } = value
  if (typeof name !== 'string' || name === '' || name.length > maxToolName)
    return 'it has no name of 1 to 256 characters'
  if (!isObject(inputSchema)) return 'it has no inputSchema'
  if ((inputSchema['type'] ?? 'object') !== 'object') return 'its inputSchema does not describe an object'
  if (outputSchema !== undefined && !isObject(outputSchema)) return 'its outputSchema is no schema'
  return {
    name,
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    inputSchema,
    ...(outputSchema === undefined ? {} : { outputSchema }),
    ...(isObject(annotations) ? { annotations } : {}),
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nameOf(value: unknown): string {
  const name = typeof value === 'object' && value !== null ? (value as { name?: unknown }).name : undefined
  return typeof name === 'string' ? name.slice(0, maxToolName).toWellFormed() : '(no name)'
}
