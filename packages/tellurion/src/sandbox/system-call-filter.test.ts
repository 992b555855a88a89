import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assembleFilter } from './filter-program.ts'
import { absent, forbidden, judged, machines, type Machine } from './system-call.ts'
import { systemCallFilter } from './system-call-filter.ts'

/** A call as the kernel shows it to a filter. */
interface Made {
  readonly number: number
  readonly audit?: number
  readonly values?: readonly number[]
}

/** What a filter says to a call: an interpreter of classic BPF, as far as our filters go. */
function verdict(
  filter: Uint8Array,
  machine: Machine,
  { number, audit = machines[machine].audit, values = [] }: Made,
): string {
  const data = new DataView(new ArrayBuffer(64))
  data.setUint32(0, number, true)
  data.setUint32(4, audit, true)
  for (const [index, value] of values.entries()) data.setUint32(16 + index * 8, value, true)
  const code = new DataView(filter.buffer)
  let word = 0
  for (let place = 0; place < filter.length / 8; place++) {
    const value = code.getUint32(place * 8 + 4, true)
    const jump = (holds: boolean): void => void (place += code.getUint8(place * 8 + (holds ? 2 : 3)))
    switch (code.getUint16(place * 8, true)) {
      case 0x20:
        word = data.getUint32(value, true)
        break
      case 0x15:
        jump(word === value)
        break
      case 0x35:
        jump(word >= value)
        break
      case 0x45:
        jump((word & value) !== 0)
        break
      case 0x06:
        if (value === 0x7fff0000) return 'allow'
        return value === 0x80000000 ? 'kill' : `error ${value & 0xffff}`
      default:
        assert.fail(`an instruction that nobody knows at ${place}`)
    }
  }
  return assert.fail('the filter ends nowhere')
}

for (const machine of ['x64', 'arm64'] as const) {
  const filter = systemCallFilter({ machine })
  const column = machine === 'x64' ? 0 : 1
  const says = (made: Made): string => verdict(filter, machine, made)

  describe(`the filter of ${machine}`, () => {
    it('permits no forbidden call, and knows no absent one', () => {
      for (const [calls, expected] of [
        [forbidden, 'error 1'],
        [absent, 'error 38'],
      ] as const) {
        for (const [name, numbers] of Object.entries(calls)) {
          const number = numbers[column]
          if (number !== undefined) assert.equal(says({ number }), expected, name)
        }
      }
    })

    it('permits all others up to its end, and nothing beyond', () => {
      const named = new Set([...Object.values(forbidden), ...Object.values(absent)].map((numbers) => numbers[column]))
      for (const numbers of Object.values(judged)) named.add(numbers[machine])
      const { last } = machines[machine]
      for (let number = 0; number <= last; number++)
        if (!named.has(number)) assert.equal(says({ number }), 'allow', `${number}`)
      for (const number of [last + 1, 500, 0x40000000, 0x40000000 + 59, 0xffffffff])
        assert.equal(says({ number }), 'error 38')
    })

    it('kills what calls by another table', () => {
      for (const audit of [0x40000003, 0x40000028, 0, machines[machine === 'x64' ? 'arm64' : 'x64'].audit]) {
        assert.equal(says({ number: 1, audit }), 'kill')
      }
    })

    it('lets clone make processes and threads, no namespaces', () => {
      const number = judged.clone[machine]
      for (const flags of [17, 0x3d0f00, 0x1200011]) assert.equal(says({ number, values: [flags] }), 'allow')
      for (const bit of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
        assert.equal(says({ number, values: [bit | 17] }), 'error 1')
      }
    })

    it('lets sockets be unix and internet, nothing else', () => {
      const number = judged.socket[machine]
      for (let family = 0; family < 50; family++) {
        assert.equal(
          says({ number, values: [family] }),
          [1, 2, 10].includes(family) ? 'allow' : 'error 97',
          `${family}`,
        )
      }
      const withNetlink = systemCallFilter({ machine, netlink: true })
      assert.equal(verdict(withNetlink, machine, { number, values: [16] }), 'allow')
      assert.equal(verdict(withNetlink, machine, { number, values: [40] }), 'error 97')
    })

    it('lets terminals be asked, not typed into', () => {
      const number = judged.ioctl[machine]
      assert.equal(says({ number, values: [1, 0x5401] }), 'allow')
      for (const command of [0x5412, 0x541c]) assert.equal(says({ number, values: [1, command] }), 'error 1')
    })

    it('lets the personality be asked, not changed', () => {
      const number = judged.personality[machine]
      for (const value of [0, 0xffffffff]) assert.equal(says({ number, values: [value] }), 'allow')
      for (const value of [0x40000, 0x400000, 8]) assert.equal(says({ number, values: [value] }), 'error 1')
    })
  })
}

describe('systemCallFilter', () => {
  it('refuses a machine that it does not know', () => {
    assert.throws(() => systemCallFilter({ machine: 's390x' as Machine }), { code: 'sandbox_unavailable' })
  })
})

describe('assembleFilter', () => {
  it('refuses jumps backwards, too far, and to nowhere', () => {
    const far = Array.from({ length: 300 }, () => ({ op: 'load', offset: 0 }) as const)
    const jump = { op: 'equal', value: 1, yes: 'there' } as const
    const there = { op: 'label', label: 'there' } as const
    for (const program of [[there, jump], [jump, ...far, there], [jump]]) {
      assert.throws(() => assembleFilter(program), { code: 'invalid_option' })
    }
    assert.equal(assembleFilter([jump, { op: 'return', value: 0 }, there, { op: 'return', value: 1 }]).length, 24)
  })
})
