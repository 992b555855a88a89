// The beginning of a body, and no more of it than is wanted.

/** Bytes of a body, and whether there were more. */
export interface BodyBytes {
  readonly bytes: Uint8Array
  readonly cut: boolean
}

/** Reads at most so many bytes and lets go of the rest. Rejects with what the body's stream errors with. */
export async function readBytes(response: Response, most: number): Promise<BodyBytes> {
  if (response.body === null) return { bytes: new Uint8Array(), cut: false }
  const reader = response.body.getReader()
  const chunks: Uint8Array[] = []
  let count = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return { bytes: Buffer.concat(chunks), cut: false }
    chunks.push(value)
    count += value.byteLength
    if (count > most) {
      await reader.cancel()
      return { bytes: Buffer.concat(chunks).subarray(0, most), cut: true }
    }
  }
}
