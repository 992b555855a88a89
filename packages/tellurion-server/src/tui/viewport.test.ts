import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Block } from './laid.ts'
import { Viewport } from './viewport.ts'

/** So many lines with a name, once as wide where the window is narrow. */
class Plain implements Block {
  readonly name: string
  count: number

  constructor(name: string, count: number) {
    this.name = name
    this.count = count
  }

  lines(width: number): readonly string[] {
    return Array.from({ length: width < 10 ? this.count * 2 : this.count }, (_, line) => `${this.name}${line}`)
  }
}

class Stack {
  readonly items: Plain[] = []
  constructor(...counts: number[]) {
    this.items = counts.map((count, index) => new Plain(String.fromCharCode(97 + index), count))
  }
  get length(): number {
    return this.items.length
  }
  at(index: number): Plain | undefined {
    return this.items[index]
  }
  apart(): boolean {
    return false
  }
}

const seen = (viewport: Viewport<Plain>, height = 3, width = 80): string =>
  viewport
    .rows(width, height)
    .map(({ text }) => text)
    .join(' ')

describe('a viewport', () => {
  it('follows the end', () => {
    const stack = new Stack(2, 2)
    const viewport = new Viewport(stack)
    assert.equal(seen(viewport), 'a1 b0 b1')
    stack.items[1]!.count = 4
    assert.equal(seen(viewport), 'b1 b2 b3')
    assert.equal(viewport.follows, true)
  })

  it('stays where it was scrolled to, whatever comes', () => {
    const stack = new Stack(2, 2, 2)
    const viewport = new Viewport(stack)
    assert.equal(seen(viewport), 'b1 c0 c1')
    viewport.scroll(-2)
    assert.equal(seen(viewport), 'a1 b0 b1')
    stack.items[2]!.count = 9
    stack.items.push(new Plain('d', 5))
    assert.equal(seen(viewport), 'a1 b0 b1')
    stack.items.splice(0, 0, new Plain('z', 3))
    assert.equal(seen(viewport), 'a1 b0 b1', 'also when something comes before it')
    assert.equal(viewport.follows, false)
    viewport.scroll(2)
    assert.equal(seen(viewport), 'b1 c0 c1')
    viewport.toEnd()
    assert.equal(seen(viewport), 'd2 d3 d4')
  })

  it('follows again when it is scrolled to the end, and does not go beyond either end', () => {
    const stack = new Stack(3, 3)
    const viewport = new Viewport(stack)
    seen(viewport)
    viewport.scroll(-100)
    assert.equal(seen(viewport), 'a0 a1 a2')
    viewport.scroll(100)
    assert.equal(seen(viewport), 'b0 b1 b2')
    assert.equal(viewport.follows, true)
    viewport.page(-1)
    assert.equal(seen(viewport), 'a1 a2 b0')
    viewport.toEnd()
    seen(viewport)
    viewport.scroll(-1)
    viewport.scroll(-1)
    assert.equal(seen(viewport), 'a1 a2 b0', 'also when nothing was seen in between')
    viewport.toStart()
    assert.equal(seen(viewport), 'a0 a1 a2')
    assert.equal(seen(new Viewport(new Stack())), '')
    assert.equal(seen(new Viewport(new Stack(2))), 'a0 a1')
  })

  it('shows a block as soon as it is asked to', () => {
    const viewport = new Viewport(new Stack(3, 1, 3, 1))
    seen(viewport)
    viewport.reveal(1)
    assert.equal(seen(viewport), 'b0 c0 c1')
    viewport.reveal(1)
    assert.equal(seen(viewport), 'b0 c0 c1')
    viewport.reveal(3)
    assert.equal(seen(viewport), 'c1 c2 d0')
    viewport.reveal(0)
    assert.equal(seen(viewport), 'a0 a1 a2', 'its beginning, where it is as high as the window')
  })

  it('begins at the beginning where it does not follow', () => {
    const stack = new Stack(2, 2)
    const viewport = new Viewport(stack, { follows: false })
    assert.equal(seen(viewport, 9), 'a0 a1 b0 b1')
    assert.equal(seen(viewport, 2), 'a0 a1')
    viewport.scroll(9)
    assert.equal(seen(viewport, 2), 'b0 b1')
    stack.items.push(new Plain('c', 2))
    assert.equal(seen(viewport, 2), 'b0 b1')
  })

  it('stays when what is seen grows', () => {
    const stack = new Stack(3, 2, 1)
    const viewport = new Viewport(stack)
    assert.equal(seen(viewport), 'b0 b1 c0')
    viewport.stay()
    stack.items[1]!.count = 4
    assert.equal(seen(viewport), 'b0 b1 b2')
    viewport.toEnd()
    stack.items[1]!.count = 2
    stack.items[2]!.count = 2
    viewport.reveal(1)
    assert.equal(seen(viewport), 'b0 b1 c0', 'the beginning had gone out of sight')
  })

  it('has a full window wherever there is enough to fill it', () => {
    const step = fc.oneof(
      fc.record({ scroll: fc.integer({ min: -20, max: 20 }) }),
      fc.record({ add: fc.integer({ min: 0, max: 5 }) }),
      fc.record({ width: fc.constantFrom(5, 80), height: fc.integer({ min: 1, max: 8 }) }),
    )
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 6 }),
        fc.array(step, { maxLength: 20 }),
        (counts, steps) => {
          const stack = new Stack(...counts)
          const viewport = new Viewport(stack)
          let [width, height] = [80, 4]
          for (const each of steps) {
            if ('scroll' in each) viewport.scroll(each.scroll)
            else if ('add' in each) stack.items.push(new Plain(`n${stack.length}-`, each.add))
            else [width, height] = [each.width, each.height]
            const all = stack.items.flatMap((item) => item.lines(width))
            const rows = viewport.rows(width, height).map(({ text }) => text)
            assert.equal(rows.length, Math.min(height, all.length))
            assert.ok(
              ` ${all.join(' ')} `.includes(rows.length === 0 ? ' ' : ` ${rows.join(' ')} `),
              'lines that stand together',
            )
          }
        },
      ),
    )
  })
})
