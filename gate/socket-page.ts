// `docs/websocket.md`: every frame of the WebSocket with its fields, out of the schemas that a server checks them with.

import { z } from 'zod'
import { closeCodes, socketProtocol } from '../packages/tellurion/src/protocol/socket.ts'
import { clientFrames, serverFrames } from '../packages/tellurion-server/src/server/schema-frame.ts'
import { page, row, table } from './page.ts'
import { typeText, type SchemaObject } from './rest-page.ts'

const promise = `The frames of the WebSocket at \`/ws\`, each one JSON object. The subprotocol is \`${socketProtocol}\`; closed for reading too slowly is ${closeCodes.slow}, for too many connections ${closeCodes.tooMany}. [Streams](streams.md) shows how it is used; what \`data\` holds is among the [schemas](rest.md#schemas) of the routes.`

/** The page. */
export function socketPage(): string {
  const sections = [
    ['What a client sends', 'input', clientFrames],
    ['What a server sends', 'output', serverFrames],
  ] as const
  const parts = sections.map(([title, io, frames]) => {
    const texts = Object.entries(frames).map(([type, schema]) => frameText(type, schema, io))
    return [`## ${title}`, ...texts].join('\n\n')
  })
  return page('The frames of the WebSocket', promise, parts.join('\n\n'))
}

function frameText(type: string, schema: z.ZodType, io: 'input' | 'output'): string {
  const { properties = {}, required = [], description = '' } = z.toJSONSchema(schema, { io }) as SchemaObject
  const rows = Object.entries(properties).flatMap(([field, each]) =>
    field === 'type'
      ? []
      : [
          row(
            `\`${field}\`${required.includes(field) ? '' : ' ?'}`,
            typeText(each, 'rest.md'),
            each.description ?? meanings[field] ?? '',
          ),
        ],
  )
  const head = table(['Field', 'Type', 'What it is'], rows)
  return [`### \`${type}\``, description, ...(rows.length === 0 ? [] : [head])].join('\n\n')
}

/** What fields mean that many frames have. */
const meanings: Readonly<Record<string, string>> = {
  id: 'Comes back in what answers the frame.',
  content: 'What is said: text, parts, or a whole message.',
  session_id: 'The session.',
  run_id: 'The run.',
}
