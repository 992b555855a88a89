import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Places } from './place.ts'

describe('Places', () => {
  it('gives places in the order of asking, and each back once', async () => {
    const places = new Places(1)
    const order: number[] = []
    const free = await places.take(undefined)
    const waiting = [1, 2].map(async (each) => {
      const mine = await places.take(undefined)
      order.push(each)
      mine()
    })
    free()
    free()
    await Promise.all(waiting)
    assert.deepEqual(order, [1, 2])
    const again = await places.take(undefined)
    const blocked = places.take(AbortSignal.abort())
    await assert.rejects(blocked, { name: 'AbortError' })
    again()
  })

  it('lets who is cancelled leave the line, and the next one in', async () => {
    const places = new Places(1)
    const free = await places.take(undefined)
    const controller = new AbortController()
    const first = places.take(controller.signal)
    const second = places.take(undefined)
    controller.abort()
    await assert.rejects(first, { name: 'AbortError' })
    free()
    ;(await second)()
  })

  it('has a line of 64, and sends all away in the end', async () => {
    const places = new Places(1)
    await places.take(undefined)
    const waiting = Array.from({ length: 64 }, () => places.take(undefined))
    await assert.rejects(places.take(undefined), { code: 'channel_full' })
    places.close()
    for (const each of waiting) await assert.rejects(each, { code: 'sandbox_closed' })
  })
})
