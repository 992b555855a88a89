// Wires: how pieces of JSON text become bytes. Several pieces become one run of bytes, which is the same for every client
// of a wire, so it is made once.

/** One frame's JSON text, and the number of the kept event that it tells of. */
export interface Piece {
  readonly text: string
  readonly seq?: number
}

/** Makes bytes of pieces. */
export type Wire = (pieces: readonly Piece[]) => Uint8Array

/** Server-sent events: JSON has no line breaks, so each piece is one `data:`; kept ones have their number as `id:`. */
export const eventWire: Wire = (pieces) => {
  let text = ''
  for (const piece of pieces) {
    text += piece.seq === undefined ? `data: ${piece.text}\n\n` : `id: ${piece.seq}\ndata: ${piece.text}\n\n`
  }
  return Buffer.from(text)
}

/** A comment that keeps a silent stream alive. */
export const silence: Uint8Array = Buffer.from(':\n\n')

/** How long a client should wait before it connects again, in milliseconds. */
export const retryAfter = (ms: number): Uint8Array => Buffer.from(`retry: ${ms}\n\n`)

/** Text frames of RFC 6455 as a server sends them: unmasked, whole, uncompressed. */
export const socketWire: Wire = (pieces) => {
  const lengths = pieces.map(({ text }) => Buffer.byteLength(text))
  let size = 0
  for (const length of lengths) size += headerOf(length) + length
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const [index, length] of lengths.entries()) {
    at = writeHeader(bytes, at, length)
    at += bytes.write(pieces[index]!.text, at)
  }
  return bytes
}

function headerOf(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10
}

/** The first bytes of a text frame; gives the place behind them. */
function writeHeader(bytes: Buffer, at: number, length: number): number {
  bytes[at] = 0x81
  if (length < 126) {
    bytes[at + 1] = length
    return at + 2
  }
  if (length < 65_536) {
    bytes[at + 1] = 126
    return bytes.writeUInt16BE(length, at + 2)
  }
  bytes[at + 1] = 127
  return bytes.writeBigUInt64BE(BigInt(length), at + 2)
}
