// Random courses of a vector store beside the naive one: the same writes to both, every kind of answer compared. The
// same seed takes the same course.

import { seededRandom, type Random } from '../id/random.ts'
import type { FilterValue, MetadataFilter } from '../port/metadata-filter.ts'
import { compareTexts } from '../port/vector/text-order.ts'
import type { ScoredItem, VectorItem, VectorStore } from '../port/vector-store.ts'
import type { Json } from '../schema/json.ts'
import { meetsFilter, NaiveVectorStore } from './naive-vector-store.ts'
import { near, same } from './vector-store-bench.ts'

const names = ['a', 'b', "d'); DROP TABLE item;--", '__proto__', 'nul\0in', '\ue000', '日本', '🌍', '％']
const vocabulary = 'cat dog house tree river Zürich 猫 黒猫と犬 AND NOT "quoted" near* ok-go naïve x1'.split(' ')
const scalars: readonly FilterValue[] = [
  null,
  true,
  false,
  0,
  1,
  -1.5,
  1e300,
  '',
  'a',
  'b',
  '1',
  'true',
  '\ue000',
  '🌍',
]

/** A course: what is compared, and the source of choices. `handles` are stores over the same material. */
interface Course {
  readonly handles: readonly VectorStore[]
  readonly naive: NaiveVectorStore
  readonly random: Random
  readonly dimensions: number
}

/** Takes a course of `steps` writes with questions between them. Rejects at the first difference, naming seed and step. */
export async function takeVectorCourse(
  handles: readonly VectorStore[],
  { seed, steps }: { seed: number; steps: number },
): Promise<void> {
  const random = seededRandom(seed)
  const course = { handles, naive: new NaiveVectorStore(), random, dimensions: 2 + Math.floor(random() * 7) }
  for (let step = 0; step < steps; step++) {
    try {
      await write(course)
      await ask(course)
    } catch (error) {
      throw new Error(`seed ${seed}, step ${step}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
    }
  }
}

async function write(course: Course): Promise<void> {
  const { naive, random } = course
  const store = pick(course, course.handles)
  if (random() < 0.7) {
    const items = some(course, 6, () => randomItem(course))
    const replacing = random() < 0.3 ? some(course, 2, () => pick(course, names) || 'a') : []
    await store.upsert(items, { replacing })
    naive.upsert(items, replacing)
  } else if (random() < 0.5) {
    const ids = some(course, 4, () => randomId(course))
    same(
      await store.delete({ ids }),
      naive.delete(({ id }) => ids.includes(id)),
      'deleted by id',
    )
  } else {
    const documents = [pick(course, names), 'never there']
    const gone = naive.delete(({ document }) => documents.includes(document))
    same(await store.delete({ documents }), gone, 'deleted by document')
  }
}

async function ask(course: Course): Promise<void> {
  const { naive, random } = course
  const store = pick(course, course.handles)
  const filter = random() < 0.6 ? randomFilter(course, 3) : undefined
  const meeting = naive.items.filter((item) => filter === undefined || meetsFilter(item, filter))
  const narrowed = filter === undefined ? {} : { filter }
  same(await store.count(narrowed), meeting.length, `the count of ${JSON.stringify(filter)}`)
  await compareDocuments(store, naive)
  await compareItems(store, naive)

  const limit = 1 + below(course, 8)
  const vector = randomVector(course)
  const text = some(course, 3, () => pick(course, vocabulary)).join(' ')
  const allowed = new Set(meeting.map(({ id }) => id))
  const only = (scores: ReadonlyMap<string, number>): Map<string, number> =>
    new Map([...scores].filter(([id]) => allowed.has(id)))
  const options = { limit, ...narrowed }
  const byVector = only(naive.vectorScores(vector))
  compareAnswer(await store.search({ vector, ...options }), byVector, { limit, what: 'by vector' })
  const byText = only(naive.textScores(text))
  compareAnswer(await store.search({ text, ...options }), byText, { limit, what: `by text '${text}'` })
  await compareHybrid(store, { vector, text, ...options })

  const minScore = random() * 2 - 1
  const enough = new Map([...byVector].filter(([, score]) => score >= minScore))
  const close = [...byVector.values()].some((score) => Math.abs(score - minScore) < 1e-5)
  if (close) return
  compareAnswer(await store.search({ vector, minScore, ...options }), enough, { limit, what: `from ${minScore}` })
}

/** The answer holds the best scores there are, in order; which of two equal ones it holds is left to rounding. */
function compareAnswer(
  answer: readonly ScoredItem[],
  scores: ReadonlyMap<string, number>,
  { limit, what }: { limit: number; what: string },
): void {
  same(answer.length, Math.min(limit, scores.size), `${what}: how many`)
  const best = [...scores.values()].sort((a, b) => b - a)
  answer.forEach(({ id, score }, place) => {
    near(score, scores.get(id), `${what}: the score of ${JSON.stringify(id)}`)
    near(score, best[place], `${what}: place ${place}`)
  })
  same(new Set(answer.map(({ id }) => id)).size, answer.length, `${what}: each once`)
}

/** Both lists joined by hand, out of what the store itself answers to each. */
async function compareHybrid(store: VectorStore, query: Parameters<VectorStore['search']>[0]): Promise<void> {
  const { vector, text, ...rest } = query
  const deep = { ...rest, limit: Math.max(50, query.limit * 4) }
  const scores = new Map<string, number>()
  for (const alone of [
    { vector: vector!, ...deep },
    { text: text!, ...deep },
  ]) {
    const list = await store.search(alone)
    list.forEach(({ id }, place) => scores.set(id, (scores.get(id) ?? 0) + 61 / (61 + place) / 2))
  }
  compareAnswer(await store.search(query), scores, { limit: query.limit, what: 'by both' })
}

async function compareItems(store: VectorStore, { items }: NaiveVectorStore): Promise<void> {
  const stored = await store.get(['never there', ...items.map(({ id }) => id)])
  same(stored.map(withoutVector), items.map(withoutVector), 'the items')
  stored.forEach(({ id, vector }, index) => {
    const wanted = items[index]!.vector
    same(vector?.length, wanted?.length, `the vector of ${JSON.stringify(id)}`)
    const norm = wanted === undefined ? 1 : Math.hypot(...Array.from(wanted))
    vector?.forEach((value, at) => near(value, wanted![at]! / norm, `the vector of ${JSON.stringify(id)} at ${at}`))
  })
}

async function compareDocuments(store: VectorStore, { items }: NaiveVectorStore): Promise<void> {
  const documents = [...new Set(items.map(({ document }) => document))].sort(compareTexts)
  const wanted = documents.map((document) => {
    const parts = items.filter((item) => item.document === document)
    return { document, source: parts[0]!.source, items: parts.length }
  })
  const first = await store.documents({ limit: 2 })
  const rest = first.length < 2 ? [] : await store.documents({ after: first[1]!.document })
  same([...first, ...rest], wanted, 'the documents')
}

function randomItem(course: Course): VectorItem {
  const { random } = course
  const text = random() < 0.8 ? { text: some(course, 8, () => pick(course, vocabulary)).join(' ') } : {}
  const vector = random() < 0.8 || text.text === undefined ? { vector: randomVector(course) } : {}
  const title = random() < 0.3 ? { title: pick(course, vocabulary) } : {}
  const metadata = random() < 0.8 ? { metadata: randomMetadata(course) } : {}
  const note = random() < 0.3 ? { note: { n: below(course, 9) } } : {}
  const document = pick(course, names) || 'a'
  return {
    id: randomId(course),
    document,
    source: `of ${document}`,
    ...text,
    ...title,
    ...vector,
    ...metadata,
    ...note,
  }
}

function randomMetadata(course: Course): { readonly [name: string]: Json } {
  const fields = some(course, 4, () => {
    const name = pick(
      course,
      names.filter((one) => one !== '__proto__'),
    )
    const kind = course.random()
    const value: Json =
      kind < 0.6 ? pick(course, scalars) : kind < 0.9 ? some(course, 3, () => pick(course, scalars)) : { deep: 1 }
    return [name, value] as const
  })
  return Object.fromEntries(fields)
}

function randomFilter(course: Course, depth: number): MetadataFilter {
  const { random } = course
  const inner = (): MetadataFilter => randomFilter(course, depth - 1)
  const kind = below(course, depth === 0 ? 7 : 10)
  const key = pick(course, names)
  const value = pick(course, scalars)
  const bound = pick(course, [-1, 0, 1, '', 'a', 'b', '\ue000', '🌍'])
  switch (kind) {
    case 0:
      return { key, equals: value }
    case 1:
      return { key, in: some(course, 4, () => pick(course, scalars)) }
    case 2:
      return { key, has: value }
    case 3:
      return { key, exists: random() < 0.5 }
    case 4:
      return random() < 0.5 ? { key, gte: bound } : { key, gt: bound, lte: pick(course, [1, 'b', '🌍']) }
    case 5:
      return { document: some(course, 3, () => pick(course, names)) }
    case 6:
      return { source: [`of ${pick(course, names)}`] }
    case 7:
      return { and: some(course, 3, inner) }
    case 8:
      return { or: some(course, 3, inner) }
    default:
      return { not: inner() }
  }
}

/** Small whole numbers, so that equal vectors and opposite ones come up. */
function randomVector(course: Course): number[] {
  const vector = Array.from({ length: course.dimensions }, () => below(course, 5) - 2)
  return vector.some((value) => value !== 0) ? vector : [1, ...vector.slice(1)]
}

function randomId(course: Course): string {
  return `${pick(course, names)}#${below(course, 6)}`
}

function some<T>(course: Course, most: number, make: () => T): T[] {
  return Array.from({ length: below(course, most + 1) }, make)
}

function pick<T>(course: Course, values: readonly T[]): T {
  return values[below(course, values.length)]!
}

function below(course: Course, limit: number): number {
  return Math.floor(course.random() * limit)
}

/** The other fields, by name. */
function withoutVector(item: object): unknown {
  const fields = Object.entries(item).filter(([name]) => name !== 'vector')
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)))
}
