// Bytes of a response as text: by their mark, the header, or what the page says of itself, else as UTF-8.

/** The text of some bytes that came with a `Content-Type`. Never throws; what cannot be read is U+FFFD. */
export function decodeText(bytes: Uint8Array, contentType: string): string {
  const label = markOf(bytes) ?? charsetOf(contentType) ?? (isMarkup(contentType) ? statedIn(bytes) : undefined)
  return decoderFor(label ?? 'utf-8').decode(bytes)
}

/** The media type of a header, without parameters, in lower case. */
export function mediaType(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase()
}

function decoderFor(label: string): TextDecoder {
  try {
    return new TextDecoder(label)
  } catch {
    return new TextDecoder()
  }
}

function markOf([a, b, c]: Uint8Array): string | undefined {
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8'
  if (a === 0xfe && b === 0xff) return 'utf-16be'
  return a === 0xff && b === 0xfe ? 'utf-16le' : undefined
}

function charsetOf(text: string): string | undefined {
  return /charset\s*=\s*["']?\s*([\w.:-]{1,40})/i.exec(text)?.[1]
}

const isMarkup = (contentType: string): boolean => contentType === '' || /html|xml/i.test(contentType)

/** What the beginning of a page says, as HTML and XML have it; pages that claim UTF-16 there are UTF-8. */
function statedIn(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 1_024)).toString('latin1')
  const label = charsetOf(head) ?? /<\?xml[^>]{0,100}encoding\s*=\s*["']([\w.:-]{1,40})/i.exec(head)?.[1]
  return label !== undefined && /^utf-?16/i.test(label) ? 'utf-8' : label
}
