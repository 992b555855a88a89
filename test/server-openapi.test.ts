// The interface as it describes itself: valid in the eyes of a stranger, whole, and the same on every page.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { routes, type JsonObject } from 'tellurion/protocol'
import { openApiDocument } from '../packages/tellurion-server/src/server/openapi.ts'
import { operations } from '../packages/tellurion-server/src/server/operations.ts'
import { referencePage } from '../packages/tellurion-server/src/server/reference-page.ts'

const document = openApiDocument(operations, '1.2.3')
const page = referencePage(document)

/** Every value under a key, wherever it stands. */
function* valuesOf(value: unknown, wanted: string): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, each] of Object.entries(value)) {
    if (key === wanted) yield each
    else yield* valuesOf(each, wanted)
  }
}

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1 to a validator that is not ours', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(structuredClone<object>(document) as never)
    assert.ok(valid, JSON.stringify(errors ?? 'no reason').slice(0, 2000))
    assert.equal(validator.version, '3.1')
    const broken = { ...structuredClone(document), paths: { '/x': { get: { responses: 5 } } } }
    assert.equal((await new Validator().validate(broken as never)).valid, false, 'it has eyes')
  })

  test('has every route of the table, and no other', () => {
    const paths = document['paths'] as Record<string, Record<string, { operationId: string }>>
    const found = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => `${operationId} ${method.toUpperCase()} ${path}`),
    )
    const wanted = Object.entries(routes).map(([name, { method, path }]) => `${name} ${method} ${path}`)
    assert.deepEqual(found.sort(), wanted.sort())
  })

  test('refers to what it has, and has nothing that is not referred to', () => {
    const references = new Set([...valuesOf(document, '$ref')].map(String))
    const { schemas, responses, headers } = document['components'] as Record<string, JsonObject>
    const there = Object.entries({ schemas, responses, headers }).flatMap(([kind, all]) =>
      Object.keys(all ?? {}).map((name) => `#/components/${kind}/${name}`),
    )
    assert.deepEqual([...references].sort(), there.sort())
  })

  test('names each parameter of a path', () => {
    for (const { path } of Object.values(routes)) {
      const methods = (
        document['paths'] as Record<string, Record<string, { parameters?: { name: string; in: string }[] }>>
      )[path]
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      for (const { parameters = [] } of Object.values(methods ?? {})) {
        assert.deepEqual(
          parameters.filter((each) => each.in === 'path').map(({ name }) => name),
          wanted,
          path,
        )
      }
    }
  })
})

describe('the page of it', () => {
  test('shows every route and schema, and leads nowhere else', () => {
    for (const [name, { path }] of Object.entries(routes))
      assert.ok(page.includes(`id="${name}"`) && page.includes(path))
    const targets = [...page.matchAll(/href="([^"]+)"/g)].map(([, target]) => target!)
    const ids = new Set([...page.matchAll(/id="([^"]+)"/g)].map(([, id]) => `#${id}`))
    assert.deepEqual(
      targets.filter((target) => target !== 'openapi.json' && !ids.has(target)),
      [],
    )
    assert.doesNotMatch(page, /<script|src=|https?:\/\/|@import|url\(/)
  })

  test('shows what it is given as text', () => {
    const evil = '<img src=x onerror=alert(1)>"\'&'
    const paths = {
      [`/${evil}`]: {
        get: {
          operationId: evil,
          summary: evil,
          tags: [evil],
          'x-scope': evil,
          responses: { 200: { description: evil } },
        },
      },
    }
    const shown = referencePage({ ...document, info: { title: evil, version: evil, description: evil }, paths })
    assert.doesNotMatch(shown, /<img/)
  })
})
