// A local DNS server that answers as a table says, over UDP: names with any addresses, aliases, other answers the second
// time, none at all. For tests of whatever must not trust a name.

import { createSocket } from 'node:dgram'
import { parseAddress } from '../web/address.ts'

/** What a name leads to. An empty one is a name without addresses. */
export interface DNSAnswer {
  /** IPv4 and IPv6 alike; each question gets those of its kind. */
  readonly addresses?: readonly string[]
  /** The name that it is another name for; `addresses` are that name's. */
  readonly alias?: string
  /** Says nothing at all. */
  readonly mute?: boolean
}

/** Answers by name, in lower case. Of a list each question of a kind gets the next, and the last for ever. */
export type DNSZone = Readonly<Record<string, DNSAnswer | readonly DNSAnswer[]>>

/** A running server. */
export interface DNSServer {
  /** `127.0.0.1:port`. */
  readonly address: string
  /** The names that were asked for, each as often as it was. */
  readonly questions: readonly string[]
  close(): Promise<void>
}

const [typeA, typeCNAME, typeAAAA] = [1, 5, 28]

/** Starts a DNS server on a free port of this machine. What is not in the zone does not exist. */
export async function createDNSServer(zone: DNSZone): Promise<DNSServer> {
  const questions: string[] = []
  const counts = new Map<string, number>()
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = questionOf(query)
    questions.push(name)
    const key = `${type} ${name}`
    const count = counts.get(key) ?? 0
    counts.set(key, count + 1)
    const entry = Object.hasOwn(zone, name) ? zone[name] : undefined
    const list = entry === undefined || !Array.isArray(entry) ? [entry as DNSAnswer | undefined] : entry
    const answer = list[Math.min(count, list.length - 1)]
    if (answer?.mute !== true) socket.send(reply(query.subarray(0, end), type, answer), port, address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

/** The question with its answer: an alias first, then the addresses of the kind that was asked for. */
function reply(question: Buffer, type: number, answer: DNSAnswer | undefined): Buffer {
  const { addresses = [], alias } = answer ?? {}
  const records: Buffer[] = []
  const target = alias === undefined ? undefined : nameBytes(alias)
  if (target !== undefined) records.push(record(fromQuestion, typeCNAME, target))
  for (const text of addresses) {
    const found = parseAddress(text)
    if (found === undefined) throw new TypeError(`${text} is no address`)
    if (type !== (found.family === 4 ? typeA : typeAAAA)) continue
    const digits = found.value.toString(16).padStart(found.family === 4 ? 8 : 32, '0')
    records.push(record(target ?? fromQuestion, type, Buffer.from(digits, 'hex')))
  }
  const head = Buffer.from(question)
  head.writeUInt16BE(answer === undefined ? 0x8183 : 0x8180, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(records.length, 6)
  head.fill(0, 8, 12)
  return Buffer.concat([head, ...records])
}

/** A pointer to the name in the question. */
const fromQuestion = Buffer.from([0xc0, 12])

function record(name: Buffer, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(1, 2)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([name, fixed, data])
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label, 'latin1')]))
  return Buffer.concat([...labels, Buffer.from([0])])
}
