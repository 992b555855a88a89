// Schemas of sessions, their branches and todos.

import { z } from 'zod'
import type { Todo } from 'tellurion/agent'
import type {
  BranchResource,
  NewSessionRequest,
  SessionResource,
  TodosResource,
  UndoSessionRequest,
} from 'tellurion/protocol'
import { schemaOf } from './schema.ts'
import { id, instant } from './schema-part.ts'

/** A session. */
export const sessionResource = schemaOf<SessionResource>()(
  z
    .object({
      id: z.string(),
      user: z.string(),
      branch: z.string().meta({ description: 'The branch that new runs go on.' }),
      createdAt: instant,
      touchedAt: instant,
    })
    .meta({ id: 'Session' }),
)

/** A branch of a session. */
export const branchResource = schemaOf<BranchResource>()(
  z
    .object({
      id: z.string(),
      parent: z
        .object({ branch: z.string(), seq: z.int() })
        .exactOptional()
        .meta({ description: 'Whose past it shares, up to and with this row.' }),
      createdAt: instant,
      head: z.boolean().meta({ description: 'Whether new runs go on it.' }),
    })
    .meta({ id: 'Branch' }),
)

/** Makes a session. */
export const newSessionRequest = schemaOf<NewSessionRequest>()(
  z.strictObject({ id: id.exactOptional() }).meta({ id: 'NewSession' }),
)

/** Puts a session back. */
export const undoSessionRequest = schemaOf<UndoSessionRequest>()(
  z
    .strictObject({
      turns: z.int().min(1).max(1000).exactOptional().meta({ description: 'Default 1.' }),
      cancel: z.boolean().exactOptional().meta({ description: 'Ends a live run first; else the answer is 409.' }),
    })
    .meta({ id: 'UndoSession' }),
)

const todo = schemaOf<Todo>()(
  z
    .object({
      id: z.int(),
      title: z.string(),
      status: z.enum(['pending', 'in_progress', 'completed', 'cancelled', 'blocked', 'deferred']),
      priority: z.int().meta({ description: '1 to 5; higher first.' }),
      dependsOn: z.array(z.int()).exactOptional(),
      progress: z.number().exactOptional().meta({ description: 'Percent.' }),
      note: z.string().exactOptional(),
      updated: instant,
    })
    .meta({ id: 'Todo' }),
)

/** The todos of a session. */
export const todosResource = schemaOf<TodosResource>()(
  z
    .object({
      todos: z.array(todo),
      progress: z.object({ percent: z.number(), completed: z.int(), total: z.int() }),
    })
    .meta({ id: 'Todos' }),
)
