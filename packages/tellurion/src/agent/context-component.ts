// The part of the data dictionary that is about what a model is shown: compaction and its archive, retrieved documents,
// reminders.

import type { Message } from '../message/message.ts'
import type { Trust } from '../message/trust.ts'
import type { MetadataFilter } from '../port/metadata-filter.ts'
import type { RetrievedDocument } from '../port/retriever.ts'
import type { ArtifactReference } from '../tool/artifact.ts'
import { defineComponent, defineLog } from '../world/component.ts'

/** When and how the conversation of an entity is compacted; `compactContext` makes one. */
export const CompactionConfig = defineComponent<CompactionSettings>('CompactionConfig')

/** What `CompactionConfig` holds. Live things are named, not held. */
export interface CompactionSettings {
  /** Tokens the model can read at once. Default: what is known of the model's name, else 128,000. */
  readonly window?: number
  /** Summarise from so many tokens on, instead of a fraction of the window. */
  readonly threshold?: number
  /** Fractions of the window from which each stage acts. Default 0.70, 0.80, 0.92. */
  readonly stages?: { readonly shorten?: number; readonly deduplicate?: number; readonly summarise?: number }
  /** Newest exchanges that stay as they are. Default 3. */
  readonly keep?: number
  /** Characters that are left of an old tool output. Default 600. */
  readonly outputLength?: number
  /** The bound model that summarises. Default: the entity's own. */
  readonly summaryModel?: string
  /** The entry of the resource `tokenCounters` that measures. Default: a tokenizer if one is installed, else an estimate. */
  readonly counter?: string
  /** Where what was replaced is kept: in the log (default), or as an artifact that the log names. */
  readonly archive?: 'log' | 'artifact'
}

/** What compaction replaced in the conversation, one item a compaction. */
export const ConversationArchive = defineLog<ArchivedMessages>('ConversationArchive')

/** What one compaction replaced, as it was. `readArchive` reads it from wherever it is. */
export interface ArchivedMessages {
  /** What stands in their place; empty where messages were only made shorter. */
  readonly summary: string
  /** Empty where they are kept as an artifact. */
  readonly messages: readonly Message[]
  readonly artifact?: ArtifactReference
  readonly stages?: readonly CompactionStage[]
  /** Set when no summary could be made. */
  readonly fallback?: true
  /** Tokens of the context before and after. */
  readonly tokens?: { readonly before: number; readonly after: number }
}

/** The stages of a compaction, in the order in which they act. */
export type CompactionStage = 'shorten' | 'deduplicate' | 'summarise'

/** A wish for documents, fulfilled once. */
export const RAGTrigger = defineComponent<{
  /** A blank one takes away what was retrieved. */
  readonly query: string
  readonly limit?: number
  readonly filter?: MetadataFilter
}>('RAGTrigger')

/** How documents are found for the entity; `retrieval` makes one. */
export const Retrieval = defineComponent<RetrievalSettings>('Retrieval')

/** What `Retrieval` holds. */
export interface RetrievalSettings {
  /** The entry of the resource `retrievers` that is asked. Default: the only one there is. */
  readonly retriever?: string
  /** Ask it for each new message of the user. */
  readonly everyMessage?: true
  /** Most documents. Default 5. */
  readonly limit?: number
  readonly filter?: MetadataFilter
  /** Most characters of all documents together. Default 15,000. */
  readonly maxLength?: number
  /** Whose words the documents are that do not say it of themselves. Default `unvouched`. */
  readonly trust?: Trust
}

/** What was retrieved for the entity: quoted before the newest message of the user in every request, never stored in the conversation. */
export const Retrieved = defineComponent<RetrievedContext>('Retrieved')

/** Documents and the query that found them. */
export interface RetrievedContext {
  readonly query: string
  readonly documents: readonly RetrievedDocument[]
  /** The message of the user that was newest then. */
  readonly question?: string
}

/** Which embedding model serves the entity, by its bound name. */
export const Embedding = defineComponent<{ readonly model: string }>('Embedding')

/** Which vector store serves the entity, by its bound name. */
export const VectorStore = defineComponent<{ readonly store: string }>('VectorStore')

/** Hints of the runtime to the model, from live figures; they join the system text. */
export const Reminders = defineComponent<readonly Reminder[]>('Reminders')

/** One hint. The worst come first. */
export interface Reminder {
  readonly kind: string
  readonly severity: 'info' | 'warning' | 'critical'
  readonly text: string
}
