// IP addresses as numbers, and ranges of them. Only the canonical spellings are read: what else an address can be called
// has become one of these in `URL`, or is no address.

import { isIP } from 'node:net'

/** An address: 32 bits of family 4, or 128 of family 6. */
export interface Address {
  readonly family: 4 | 6
  readonly value: bigint
}

/** All addresses of a family that begin with the same bits. */
export interface AddressRange extends Address {
  /** How many bits are the same. */
  readonly bits: number
}

/** An address as DNS and `URL` write it, in brackets or not; undefined for anything else, also one with a zone. */
export function parseAddress(text: string): Address | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  const family = isIP(bare)
  if (family === 4) return { family, value: fromParts(bare.split('.').map(Number), 8n) }
  if (family !== 6 || bare.includes('%')) return undefined
  const [head = '', tail] = bare.replace(/\d+\.\d+\.\d+\.\d+$/, twoGroups).split('::')
  const first = groups(head)
  const last = groups(tail ?? '')
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => 0)
  return { family, value: fromParts([...first, ...zeros, ...last], 16n) }
}

/** A range such as `10.0.0.0/8` or `fd00::/8`; one address is a range of its own. Undefined for anything else. */
export function parseRange(text: string): AddressRange | undefined {
  const [start = '', length, ...rest] = text.split('/')
  const address = parseAddress(start)
  if (address === undefined || rest.length > 0) return undefined
  const most = address.family === 4 ? 32 : 128
  if (length === undefined) return { ...address, bits: most }
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : Infinity
  return bits <= most ? { ...address, bits } : undefined
}

/** Whether an address lies in a range. Families never mix: `::ffff:10.0.0.1` is not in `10.0.0.0/8`. */
export function inRange(address: Address, range: AddressRange): boolean {
  if (address.family !== range.family) return false
  const rest = BigInt((range.family === 4 ? 32 : 128) - range.bits)
  return address.value >> rest === range.value >> rest
}

const groups = (text: string): number[] =>
  text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))

function fromParts(parts: readonly number[], width: bigint): bigint {
  return parts.reduce((sum, part) => (sum << width) | BigInt(part), 0n)
}

/** The last 32 bits of an IPv6 address, written as IPv4, in two groups. */
function twoGroups(quad: string): string {
  const value = fromParts(quad.split('.').map(Number), 8n)
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
}
