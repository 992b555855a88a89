// Chunks of HTTP/1.1: bytes as one piece of a chunked body. Many clients are sent the same bytes, so the chunk is made once.

const chunks = new WeakMap<Uint8Array, Uint8Array>()

/** The chunk of some bytes, which must stay as they are: their length in hexadecimal, the bytes, and line breaks. */
export function chunkOf(bytes: Uint8Array): Uint8Array {
  let chunk = chunks.get(bytes)
  if (chunk === undefined) {
    const head = `${bytes.length.toString(16)}\r\n`
    const made = Buffer.allocUnsafe(head.length + bytes.length + 2)
    made.write(head, 'latin1')
    made.set(bytes, head.length)
    made.write('\r\n', head.length + bytes.length, 'latin1')
    chunks.set(bytes, (chunk = made))
  }
  return chunk
}
