// `npm run generate`: writes the generated pages of docs/ that are stale.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configurationPage } from './configuration-page.ts'
import { doors } from './door.ts'
import { errorsPage, eventsPage, namesPage } from './page.ts'
import { restPage } from './rest-page.ts'
import { socketPage } from './socket-page.ts'
import { root } from './source.ts'

const pages = {
  'docs/errors.md': errorsPage(),
  'docs/events.md': eventsPage(),
  'docs/configuration.md': configurationPage(),
  'docs/rest.md': restPage(),
  'docs/websocket.md': socketPage(),
  'docs/api.md': namesPage(doors()),
}

mkdirSync(join(root, 'docs'), { recursive: true })
for (const [path, text] of Object.entries(pages)) {
  const file = join(root, path)
  if (current(file) === text) continue
  writeFileSync(file, text)
  console.log(`wrote ${path}`)
}

function current(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
