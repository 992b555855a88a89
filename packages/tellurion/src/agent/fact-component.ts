// The part of the data dictionary that is about long-term memory: what is recalled for an entity, and what is to be
// remembered of its conversation. The facts themselves live in a store, beside every world.

import type { RetrievedContext } from './context-component.ts'
import type { NewFact } from './fact.ts'
import { defineComponent } from '../world/component.ts'

/** That facts are recalled for the entity's user; `factRecall` makes one. */
export const FactRecall = defineComponent<{
  /** The entry of the resource `facts`. */
  readonly facts: string
  /** Most facts. Default 10. */
  readonly limit?: number
  /** Facts that are less certain stay away, 0 to 1. Default 0.3. */
  readonly minConfidence?: number
}>('FactRecall')

/** What was recalled for the newest message of the user: quoted before it in every request, never stored in the conversation. */
export const Recalled = defineComponent<
  RetrievedContext & {
    /** Length of the conversation then. */
    readonly length: number
  }
>('Recalled')

/** That facts are extracted from what the entity's user says; `factExtraction` makes one. */
export const FactExtraction = defineComponent<{
  /** The entry of the resource `facts`. */
  readonly facts: string
  /** The bound model that extracts. Default: the entity's own. */
  readonly model?: string
  /** Most facts of one turn. Default 10. */
  readonly limit?: number
  /** What the user has said since facts were extracted last: what came from outside, and nothing that a system or another agent wrote. */
  readonly said?: readonly string[]
  /** Wall time in milliseconds at which it was said: what is forgotten later stays forgotten. */
  readonly heard?: number
  /** What was found, until it is in the store. */
  readonly found?: { readonly facts: readonly NewFact[]; readonly refused: number; readonly at: number }
}>('FactExtraction')
