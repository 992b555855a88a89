// The catalogues are the truth: the pages say what they say, every error code is thrown and every event is emitted.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { configurationPage } from '../gate/configuration-page.ts'
import { errorsPage, eventsPage } from '../gate/page.ts'
import { restPage } from '../gate/rest-page.ts'
import { socketPage } from '../gate/socket-page.ts'
import { isTest, packageSource, root, withoutComments } from '../gate/source.ts'
import { loadConfig } from '../packages/tellurion-server/src/config/load.ts'
import type { ConfigurationInput } from '../packages/tellurion-server/src/config/schema.ts'
import { errorCatalogue } from '../packages/tellurion/src/error/catalogue.ts'
import { eventCatalogue } from '../packages/tellurion/src/event/catalogue.ts'

const stale = 'is stale: run `npm run generate`'

/** Codes and types that nothing uses yet, each with the reason why it stays in its catalogue. */
const unused: Readonly<Record<string, string>> = {}

describe('catalogues', () => {
  const page = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8')
  const product = packageSource()
    .filter(({ path }) => !isTest(path) && !path.endsWith('/catalogue.ts') && !path.endsWith('event/event.ts'))
    .map(({ text }) => withoutComments(text))
    .join('\n')

  test('docs/errors.md is the error catalogue', () => assert.equal(page('errors.md'), errorsPage(), stale))

  test('docs/events.md is the event catalogue', () => assert.equal(page('events.md'), eventsPage(), stale))

  test('docs/configuration.md is the schema of the configuration', () =>
    assert.equal(page('configuration.md'), configurationPage(), stale))

  test('docs/rest.md is the table of routes with its schemas', () => assert.equal(page('rest.md'), restPage(), stale))

  test('docs/websocket.md is the frames of the socket', () => assert.equal(page('websocket.md'), socketPage(), stale))

  test('docs/configuration.md has each setting with its variables, option, default and meaning', () => {
    const setting = { variables: ['SERVER_PORT', 'PORT'], option: '--port', default: 80, meaning: 'A | B.' }
    assert.match(
      configurationPage([{ path: ['server', 'port'], ...setting }]),
      /^\| `server\.port` \| `SERVER_PORT`, `PORT`, `--port` \| `80` \| A \\\| B\. \|$/m,
    )
  })

  test('the examples of docs/configuration.md are configurations', async () => {
    const [, json = ''] = /^```json\n([^]*?)^```$/m.exec(page('configuration.md')) ?? []
    const given = JSON.parse(json) as ConfigurationInput
    const { settings } = await loadConfig({ given, env: {}, dotEnv: false, file: false })
    assert.deepEqual([settings.server.port, settings.runs.timeout, settings.users[0]?.name], [9000, 600_000, 'ada'])
  })

  test('a page shows every row of its catalogue', () => {
    const entry = { meaning: 'A | B.', retryable: true, mend: 'Mend it.' }
    assert.match(errorsPage({ tool_timeout: entry }), /^\| `tool_timeout` \| A \\\| B\. \| yes \| Mend it\. \|$/m)
  })

  test('every error code is used', () => {
    const idle = Object.keys(errorCatalogue).filter((code) => !product.includes(`'${code}'`))
    assert.deepEqual(
      idle,
      Object.keys(errorCatalogue).filter((code) => code in unused),
    )
  })

  test('every event type is emitted', () => {
    const emitted = (type: string): boolean => new RegExp(`type: '${type}'|emit\\w*\\([^'\\n]*'${type}'`).test(product)
    const idle = Object.keys(eventCatalogue).filter((type) => !emitted(type))
    assert.deepEqual(
      idle,
      Object.keys(eventCatalogue).filter((type) => type in unused),
    )
  })
})
