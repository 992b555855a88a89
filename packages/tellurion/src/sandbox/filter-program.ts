// Classic BPF: a filter as instructions with labels, and its bytes as the kernel reads them. Only what system call
// filters need: load a word, compare it, return.

import { TellurionError } from '../error/error.ts'

/** One instruction. Jumps name a label further down; without one they go on with the next instruction. */
export type Instruction =
  | { readonly op: 'load'; readonly offset: number }
  | { readonly op: 'return'; readonly value: number }
  | {
      readonly op: 'equal' | 'atLeast' | 'anyBit'
      readonly value: number
      readonly yes?: string
      readonly no?: string
    }
  | { readonly op: 'label'; readonly label: string }

const codes = { load: 0x20, return: 0x06, equal: 0x15, atLeast: 0x35, anyBit: 0x45 } as const

/**
 * The bytes of a filter: eight for each instruction, little-endian, as `struct sock_filter`. Throws `invalid_option` for
 * a label that is not further down or more than 255 instructions away, since such a filter would mean something else.
 */
export function assembleFilter(program: readonly Instruction[]): Uint8Array {
  const places = new Map<string, number>()
  let length = 0
  for (const instruction of program) {
    if (instruction.op === 'label') places.set(instruction.label, length)
    else length++
  }
  const bytes = new Uint8Array(length * 8)
  const view = new DataView(bytes.buffer)
  let place = 0
  const distance = (label: string | undefined): number => {
    if (label === undefined) return 0
    const far = (places.get(label) ?? -1) - place - 1
    if (far < 0 || far > 255) {
      throw new TellurionError('invalid_option', `A filter cannot jump to '${label}' from instruction ${place}.`)
    }
    return far
  }
  for (const instruction of program) {
    if (instruction.op === 'label') continue
    const { op } = instruction
    view.setUint16(place * 8, codes[op], true)
    if (op !== 'load' && op !== 'return') {
      view.setUint8(place * 8 + 2, distance(instruction.yes))
      view.setUint8(place * 8 + 3, distance(instruction.no))
    }
    view.setUint32(place * 8 + 4, op === 'load' ? instruction.offset : instruction.value >>> 0, true)
    place++
  }
  return bytes
}
