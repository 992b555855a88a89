// Schemas of the past: ticks, their differences and labels, and how a past is gone on from.

import { z } from 'zod'
import type {
  CheckpointResource,
  DifferenceResource,
  EditRequest,
  ForkRequest,
  ForkResource,
  ImportRequest,
  LabelRequest,
  LabelResource,
  RegenerateRequest,
  SteerRequest,
  TickResource,
  TicksResource,
  UndoRequest,
  UndoResource,
} from 'tellurion/protocol'
import type { Snapshot } from 'tellurion/world'
import { schemaOf } from './schema.ts'
import { id, json, jsonObject, userInput } from './schema-part.ts'
import { runFields } from './schema-run.ts'

const tickNumber = z.int().min(0)
/** A label, as the library takes them. */
const label = z
  .string()
  .regex(/^[a-zA-Z][\w.-]{0,63}$/, "must be letters, digits, '_', '-' and '.', a letter first, at most 64")
const cancel = z.boolean().exactOptional().meta({ description: 'Ends a live run first; else the answer is 409.' })

/** A tick by its number, or its label. */
const tick = z
  .union([tickNumber, label], { error: 'must be the number of a finished tick, or its label' })
  .meta({ description: 'A finished tick, or its label.' })

/** A tick in a path or a query. */
export const tickText = z.preprocess(
  (given) => (typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given),
  tick,
)

const column = z.object({
  version: z.int(),
  kind: z.enum(['value', 'log']),
  values: z.array(z.tuple([z.int(), json])),
})

const snapshot = schemaOf<Snapshot>()(
  z
    .object({
      format: z.int(),
      header: z.object({ tick: z.int(), runTicks: z.int(), paused: z.boolean() }),
      next: z.int(),
      entities: z.array(z.int()),
      components: z.record(z.string(), column),
    })
    .meta({ id: 'Snapshot', description: 'A world as JSON: components by name, their values by entity.' }),
)

/** The world after a tick. */
export const tickResource = schemaOf<TickResource>()(z.object({ tick: z.int(), world: snapshot }).meta({ id: 'Tick' }))

/** Which ticks there are. */
export const ticksResource = schemaOf<TicksResource>()(
  z.object({ first: z.int(), last: z.int(), labels: z.record(z.string(), z.int()) }).meta({ id: 'Ticks' }),
)

/** What a label stands on. */
export const labelResource = schemaOf<LabelResource>()(
  z.object({ run: z.string(), label: z.string(), tick: z.int() }).meta({ id: 'Label' }),
)

/** What is different between two ticks. */
export const differenceResource = schemaOf<DifferenceResource>()(
  z
    .object({
      spawned: z.array(z.int()),
      destroyed: z.array(z.int()),
      changes: z.array(
        z.object({
          entity: z.int(),
          component: z.string(),
          before: json.exactOptional(),
          after: json.exactOptional(),
          appended: z.array(json).exactOptional(),
        }),
      ),
    })
    .meta({ id: 'Difference' }),
)

/** A tick as it goes on elsewhere. */
export const checkpointResource = schemaOf<CheckpointResource>()(
  z
    .strictObject({
      snapshot,
      run: z
        .strictObject({ id, agent: id, user: id, priority: z.number(), metadata: jsonObject })
        .exactOptional()
        .meta({ description: 'The run whose world it is.' }),
    })
    .meta({ id: 'Checkpoint' }),
)

const outsideEffects = z
  .array(z.object({ toolName: z.string(), toolCallId: z.string() }))
  .meta({ description: 'Calls whose effects outside are not taken back.' })

/** A run that goes on from the past of another. */
export const forkResource = schemaOf<ForkResource>()(z.object({ ...runFields, outsideEffects }).meta({ id: 'Fork' }))

/** What a session that was put back does not undo. */
export const undoResource = schemaOf<UndoResource>()(z.object({ outsideEffects }).meta({ id: 'Undone' }))

/** Goes on from a tick. */
export const forkRequest = schemaOf<ForkRequest>()(
  z.strictObject({ tick, input: userInput.exactOptional() }).meta({ id: 'NewFork' }),
)

/** Names a tick. */
export const labelRequest = schemaOf<LabelRequest>()(
  z.strictObject({ label, tick: tickNumber.exactOptional() }).meta({ id: 'NewLabel' }),
)

/** Goes on from a checkpoint. */
export const importRequest = schemaOf<ImportRequest>()(
  z
    .strictObject({
      checkpoint: checkpointResource,
      session: id.exactOptional().meta({ description: 'Of the new session; it must not be there yet.' }),
      input: userInput.exactOptional(),
    })
    .meta({ id: 'Import' }),
)

/** Says something to a live run. */
export const steerRequest = schemaOf<SteerRequest>()(z.strictObject({ input: userInput }).meta({ id: 'Steer' }))

/** Puts the session of a run back. */
export const undoRequest = schemaOf<UndoRequest>()(
  z
    .strictObject({
      ticks: z.int().min(1).exactOptional().meta({ description: 'Default 1.' }),
      to: tick.exactOptional(),
      cancel,
    })
    .meta({ id: 'Undo' }),
)

/** Says a message otherwise. */
export const editRequest = schemaOf<EditRequest>()(z.strictObject({ input: userInput, cancel }).meta({ id: 'Edit' }))

/** Has the model answer anew. */
export const regenerateRequest = schemaOf<RegenerateRequest>()(z.strictObject({ cancel }).meta({ id: 'Regenerate' }))
