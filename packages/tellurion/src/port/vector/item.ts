// An item looked at before it is stored: a copy of its own, plain and within bounds, or one clear error.

import { TellurionError } from '../../error/error.ts'
import type { JsonObject } from '../../schema/json.ts'
import { jsonProblem } from '../../schema/plain-json.ts'
import type { StoredItem, VectorItem } from '../vector-store.ts'
import { checkDimensions, unitVector } from './unit-vector.ts'

/** Longest name, text, title and JSON, in UTF-16 units. */
export const itemBounds = { name: 1_024, text: 1_000_000, title: 10_000, json: 100_000 } as const

/** Items that can be stored, each id once, and the length of their vectors where they have any. */
export interface PlainItems {
  readonly items: readonly StoredItem[]
  readonly dimensions: number | undefined
}

/** Copies of the items with vectors of length 1. Of one id the last counts. Throws `invalid_document` or `invalid_vector`. */
export function checkItems(items: readonly VectorItem[]): PlainItems {
  if (!Array.isArray(items)) throw new TellurionError('invalid_option', 'upsert() takes a list of items.')
  let dimensions: number | undefined
  const byId = new Map<string, StoredItem>()
  for (const item of items) {
    const checked = checkItem(item)
    const { id, vector } = checked
    if (vector !== undefined) checkDimensions(vector.length, (dimensions ??= vector.length), `The vector of '${id}'`)
    byId.delete(id)
    byId.set(id, checked)
  }
  return { items: [...byId.values()], dimensions }
}

function checkItem(item: VectorItem): StoredItem {
  if (typeof item !== 'object' || item === null) throw invalidDocument('An item must be an object with an id.')
  const { id, document, source, text, title, vector, metadata, note } = item
  checkName(id, "An item's id")
  const what = `The item '${id}'`
  checkName(document, `${what}: its document`)
  checkName(source, `${what}: its source`)
  if (text === undefined && vector === undefined) {
    throw invalidDocument(`${what} has neither a text nor a vector: give it one of them.`)
  }
  if (text !== undefined) checkText(text, `${what}: its text`, itemBounds.text)
  if (title !== undefined) checkText(title, `${what}: its title`, itemBounds.title)
  return {
    id,
    document,
    source,
    ...(text === undefined ? {} : { text }),
    ...(title === undefined ? {} : { title }),
    ...(vector === undefined ? {} : { vector: unitVector(vector, `The vector of '${id}'`) }),
    ...(metadata === undefined ? {} : { metadata: copyJson(metadata, `${what}: its metadata`) }),
    ...(note === undefined ? {} : { note: copyJson(note, `${what}: its note`) }),
  }
}

/** A list of names as a method takes it. Throws `invalid_option`. */
export function checkNames(names: unknown, what: string): readonly string[] {
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new TellurionError('invalid_option', `${what} must be a list of texts.`)
  }
  // What no item can have names nothing; as bound text it might come to mean something else.
  return [...new Set(names.filter((name) => name.isWellFormed()))]
}

/** Throws `invalid_document` unless the name is a well-formed text of 1 to 1,024 characters. */
export function checkName(name: unknown, what: string): asserts name is string {
  if (typeof name !== 'string' || name === '' || name.length > itemBounds.name || !name.isWellFormed()) {
    throw invalidDocument(`${what} must be a well-formed text of 1 to ${itemBounds.name} characters.`)
  }
}

function checkText(text: unknown, what: string, longest: number): void {
  if (typeof text !== 'string' || text.length > longest || !text.isWellFormed()) {
    throw invalidDocument(`${what} must be well-formed and of at most ${longest} characters: split it into chunks.`)
  }
}

function copyJson(value: JsonObject, what: string): JsonObject {
  const problem = Array.isArray(value) || typeof value !== 'object' ? 'it is no object' : jsonProblem(value)
  if (problem !== undefined) throw invalidDocument(`${what} must be plain JSON, but ${problem}.`)
  const json = JSON.stringify(value)
  if (json.length > itemBounds.json) {
    throw invalidDocument(`${what} is longer than ${itemBounds.json} characters as JSON: keep less in it.`)
  }
  return JSON.parse(json) as JsonObject
}

/** An error about a document or a piece of one. */
export function invalidDocument(message: string): TellurionError {
  return new TellurionError('invalid_document', message)
}
