// Whatever is done with a secret but asking for it shows nothing of it.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect, format } from 'node:util'
import { jsonProblem } from '../schema/plain-json.ts'
import { isRevealing, revealed, Secret } from './secret.ts'

const canary = 'sk-canary-0123456789'
const secret = new Secret(canary)

describe('a secret', () => {
  test('shows nothing wherever it goes', () => {
    const places: readonly unknown[] = [
      String(secret),
      `${secret}`,
      '' + (secret as unknown as string),
      ['Bearer', secret].join(' '),
      JSON.stringify({ secret, list: [secret] }),
      inspect(secret, { showHidden: true, depth: 10 }),
      inspect({ deep: { secret } }, { depth: 10 }),
      format('%s %o %j', secret, secret, secret),
      inspect(structuredClone({ secret })),
      inspect(Object.entries(secret)),
      inspect(Object.getOwnPropertyDescriptors(secret)),
      inspect({ ...secret }),
      inspect(new Error('x', { cause: { list: [secret] } })),
      new Error(`refused ${secret}`).stack,
      new URL(`https://host.example/?key=${secret}`).href,
      encodeURIComponent(secret as unknown as string),
      Buffer.from(secret as unknown as string).toString(),
    ]
    for (const [index, place] of places.entries()) assert.ok(!String(place).includes(canary), `place ${index}`)
    assert.equal(`${secret}`, '[redacted]')
  })

  test('is revealed by asking alone', () => {
    assert.deepEqual([secret.reveal(), revealed(secret), revealed('plain')], [canary, canary, 'plain'])
    assert.deepEqual(
      [isRevealing(secret), isRevealing('x'), isRevealing(null), isRevealing({})],
      [true, false, false, false],
    )
  })

  test('is no plain JSON: no component and no message can hold it', () => {
    assert.ok(jsonProblem({ secret }) !== undefined)
  })
})
