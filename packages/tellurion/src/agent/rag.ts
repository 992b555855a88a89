// Retrieval: fulfils wishes for documents before a model is asked. What is found is quoted in requests and never becomes
// part of the conversation.

import { createIndex } from '../knowledge/document-index.ts'
import { TellurionError, suggestion } from '../error/error.ts'
import { textOf, type Message } from '../message/message.ts'
import type { TaintSource, Trust } from '../message/trust.ts'
import type { EmbeddingModel } from '../port/model.ts'
import type { RetrievedDocument, Retriever } from '../port/retriever.ts'
import type { VectorStore as Vectors } from '../port/vector-store.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import { cut } from '../tool/result.ts'
import type { Entity } from '../world/entity.ts'
import { Failure, Halted, Terminal } from '../world/lifecycle.ts'
import type { LogView } from '../world/log.ts'
import { defineSystem } from '../world/system.ts'
import type { SystemContext, World } from '../world/world.ts'
import { Conversation, PendingToolCalls } from './component.ts'
import { Embedding, RAGTrigger, Retrieval, Retrieved, VectorStore } from './context-component.ts'
import { excerptOf, taint } from './taint.ts'

/** Documents that are asked for where nobody says how many. */
const defaultLimit = 5
/** Characters of all documents together, and of a question. */
const defaultLength = 15_000
const longestQuery = 2_000

/** Wishes for documents for each new message of the user, where `Retrieval` says so. Priority -11. */
export const ragTrigger = defineSystem({
  name: 'ragTrigger',
  priority: -11,
  query: [Retrieval, Conversation],
  without: [RAGTrigger, PendingToolCalls, Halted, Terminal, Failure],
  each(entity, world) {
    if (world.require(entity, Retrieval).everyMessage !== true) return
    const question = newQuestion(world.require(entity, Conversation))
    if (question === undefined || question === world.get(entity, Retrieved)?.question) return
    if (question === '') world.remove(entity, Retrieved)
    else world.set(entity, RAGTrigger, { query: question })
  },
})

/** Fulfils each `RAGTrigger`: its documents replace those from before, and it is cleared. Priority -10. */
export const rag = defineSystem({
  name: 'rag',
  priority: -10,
  query: [RAGTrigger, Conversation],
  without: [PendingToolCalls, Halted, Terminal, Failure],
  each(entity, world, context) {
    if (world.require(entity, RAGTrigger).query.trim() !== '') return retrieve(world, entity, context)
    world.remove(entity, RAGTrigger)
    world.remove(entity, Retrieved)
    return undefined
  },
})

async function retrieve(world: World, entity: Entity, { signal }: SystemContext): Promise<void> {
  const trigger = world.require(entity, RAGTrigger)
  const { maxLength = defaultLength, ...settings } = world.get(entity, Retrieval) ?? {}
  const limit = trigger.limit ?? settings.limit ?? defaultLimit
  const filter = trigger.filter ?? settings.filter
  const query = cut(trigger.query.trim(), longestQuery).toWellFormed()
  let documents: readonly RetrievedDocument[]
  try {
    const retriever = await retrieverOf(world, entity, settings.retriever)
    documents = checkFound(await retriever.retrieve(query, { limit, filter, signal }))
  } catch (error) {
    if (signal.aborted) return
    throw error
  }
  // Whoever has wished for something else meanwhile is served by the next tick.
  if (signal.aborted || world.get(entity, RAGTrigger) !== trigger) return
  const found = bounded(documents.slice(0, limit), maxLength)
  const question = newestQuestion(world.require(entity, Conversation))
  world.remove(entity, RAGTrigger)
  world.set(entity, Retrieved, { query, documents: found, ...(question === undefined ? {} : { question }) })
  taint(
    world,
    entity,
    found.flatMap((each) => sourceOf(each, settings.trust)),
  )
  world.emit({ type: 'retrieval.completed', entity, query, count: found.length })
}

/** What the newest whole message of a conversation asks, when it is of the user and has not been answered. */
function newQuestion(conversation: LogView<Message>): string | undefined {
  for (let index = conversation.length - 1; index >= 0; index--) {
    const message = conversation.at(index)!
    if (message.role === 'user') return questionOf(message)
    if (message.role !== 'assistant' || message.partial !== true) return undefined
  }
  return undefined
}

function newestQuestion(conversation: LogView<Message>): string | undefined {
  for (let index = conversation.length - 1; index >= 0; index--) {
    const message = conversation.at(index)!
    if (message.role === 'user') return questionOf(message)
  }
  return undefined
}

const questionOf = (message: Message): string => cut(textOf(message).trim(), longestQuery).toWellFormed()

/**
 * Who is asked: the retriever of that name, the entity's own `VectorStore`, or the only retriever there is. Throws
 * `unknown_resource`.
 */
async function retrieverOf(world: World, entity: Entity, name: string | undefined): Promise<Retriever> {
  if (name !== undefined) return bound<Retriever>(world, 'retrievers', name)
  const store = world.get(entity, VectorStore)?.store
  if (store !== undefined) {
    const model = world.get(entity, Embedding)?.model
    const embedding = model === undefined ? {} : { embedding: bound<EmbeddingModel>(world, 'embeddings', model) }
    return createIndex({ store: bound<Vectors>(world, 'vectorStores', store), ...embedding })
  }
  const retrievers = world.findResource<Readonly<Record<string, Retriever>>>('retrievers') ?? {}
  const [only, ...others] = Object.values(retrievers)
  if (only !== undefined && others.length === 0) return only
  const which = only === undefined ? 'there is none' : `there are ${Object.keys(retrievers).join(', ')}`
  throw new TellurionError(
    'unknown_resource',
    `Nobody says which retriever to ask, and ${which}: set Retrieval{ retriever }, or VectorStore on the entity.`,
  )
}

/** The live thing of that name in one of the world's resources. */
function bound<T>(world: World, resource: string, name: string): T {
  const things = world.findResource<Readonly<Record<string, T>>>(resource) ?? {}
  const thing = Object.hasOwn(things, name) ? things[name] : undefined
  if (thing !== undefined) return thing
  throw new TellurionError(
    'unknown_resource',
    `The resource '${resource}' has nothing named '${name}'.${suggestion(name, Object.keys(things))}`,
  )
}

/** What a retriever gave, whoever wrote it. Throws `invalid_value` for what is no list of documents. */
export function checkFound(given: unknown): readonly RetrievedDocument[] {
  const isDocument = (each: Partial<RetrievedDocument> | null): boolean =>
    [each?.id, each?.text, each?.source].every((part) => typeof part === 'string')
  if (Array.isArray(given) && given.every(isDocument)) return given as RetrievedDocument[]
  throw new TellurionError(
    'invalid_value',
    'The retriever gave no list of documents: it must resolve to [{ id, text, source, score }], in texts.',
  )
}

/** Documents as a world can hold them: well-formed, and together no longer than `maxLength` characters. */
function bounded(documents: readonly RetrievedDocument[], maxLength: number): RetrievedDocument[] {
  let left = maxLength
  const kept: RetrievedDocument[] = []
  for (const { id, text, source, score, metadata, trust } of documents) {
    if (left <= 0) break
    const shown = text.length <= left ? text : `${cut(text, left)}…`
    left -= text.length
    kept.push({
      id: id.toWellFormed(),
      text: shown.toWellFormed(),
      source: source.toWellFormed(),
      score: Number.isFinite(score) ? score : 0,
      ...(metadata === undefined || jsonProblem(metadata) !== undefined ? {} : { metadata }),
      ...(trust === undefined ? {} : { trust }),
    })
  }
  return kept
}

/** Where words came from that nobody vouches for. */
function sourceOf(document: RetrievedDocument, otherwise: Trust = 'unvouched'): readonly TaintSource[] {
  const { text, source, trust = otherwise } = document
  if (trust === 'trusted') return []
  return [{ level: trust, kind: 'document', name: excerptOf(source), excerpt: excerptOf(text) }]
}
