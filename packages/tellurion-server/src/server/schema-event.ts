// The schema of events: what all of them have. What each type carries besides stands in the page of events.

import { z } from 'zod'
import type { EventResource } from 'tellurion/protocol'

/** An event. */
export const eventResource = z
  .looseObject({
    type: z.string().meta({ description: 'Such as `run.started`; a program may have types of its own.' }),
    entity: z.int().exactOptional(),
    seq: z.int().exactOptional().meta({ description: 'Its number in the run; live ones have none.' }),
    at: z.number().exactOptional().meta({ description: 'Milliseconds since 1970.' }),
  })
  .meta({
    id: 'RunEvent',
    description: 'One event of a run; the fields of each type are listed in docs/events.md.',
  }) as unknown as z.ZodType<EventResource>
