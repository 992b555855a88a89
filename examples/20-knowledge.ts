// Knowledge: documents in a SQLite file, found by meaning and by words, with where they stand. What has not changed costs
// nothing; a question can be asked in several ways, or go to a document first. (ECS-92, LOOM-28, LOOM-54, ARC-69)

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createIndex, hierarchical, memoryVectorStore, multiQuery } from 'tellurion/knowledge'
import { sqliteVectorStore } from 'tellurion/sqlite'
import { hashEmbedding } from 'tellurion/testing'

const folder = mkdtempSync(`${tmpdir()}/tellurion-knowledge-`)
const embedding = hashEmbedding() // needs no key; or embeddingModel('openai/text-embedding-3-small')
const store = await sqliteVectorStore(`${folder}/manuals.db`)
const index = createIndex({ store, embedding, chunk: { size: 120, overlap: 20 } })

const sailing = {
  id: 'sailing',
  source: 'manuals/sailing.md',
  metadata: { kind: 'manual' },
  markdown:
    '# Sailing\n\nOf ropes and wind.\n\n## Reefing\n\nTake in canvas when the gusts grow strong: ease the sheet, then tie ' +
    'the reef.\n\n## Mooring\n\nApproach the buoy against the wind, and slowly. Tie a bowline.\n',
}
const kitchen = { id: 'kitchen', text: 'Tea: boil water, wait five minutes.', metadata: { kind: 'note' } }

for await (const { document, status, passages } of index.addEach([sailing, kitchen])) {
  console.log(document, status, passages)
}
// prints: sailing added 3
// prints: kitchen added 1

// Nothing has changed, so nothing is embedded.
const { unchanged, embedded } = await index.add([sailing, kitchen])
console.log(unchanged, embedded)
// prints: 2 0

const [found] = await index.search('What to do in strong gusts?', {
  limit: 1,
  filter: { key: 'kind', equals: 'manual' },
})
const { source, headings, start, end } = found!.citation
console.log(`${source}, ${headings.join(' › ')}, ${sailing.markdown.slice(start, end) === found!.text}`)
// prints: manuals/sailing.md, Sailing › Reefing, true

// In several ways at once: a model would be asked for them.
const many = multiQuery({ retriever: index, queries: () => ['heavy weather: reef', 'strong gusts'] })
console.log((await many.retrieve('How do I sail in a storm?', { limit: 1 }))[0]?.citation.headings.at(-1))
// prints: Reefing

// First the document, by its summary, then the passages within it.
const summaries = createIndex({ store: memoryVectorStore(), embedding })
await summaries.add([
  { id: 'sailing', text: 'handling a boat' },
  { id: 'kitchen', text: 'drinks' },
])
const inTwoSteps = hierarchical({ passages: index, summaries, documents: 1 })
console.log((await inTwoSteps.retrieve('which knot for a boat at the buoy', { limit: 1 }))[0]?.citation.headings.at(-1))
// prints: Mooring

await store.close()
rmSync(folder, { recursive: true })
