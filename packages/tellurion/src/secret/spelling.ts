// The spellings of a secret: how it stands in JSON, in addresses, in markup, in Base64 and in hexadecimal, and its parts that
// show up alone.

/** Shorter texts stand in so many others that hiding them would tell more than it hides. */
export const shortest = 6
/** Lines of a key in many of them, and names in addresses that stand for a password, are secrets from this length on. */
const leastPart = 16

/** Every text that gives a secret away: it and its parts, in all spellings. */
export function spellingsOf(secret: string): string[] {
  return [secret, ...partsOf(secret)].flatMap(formsOf)
}

/** How a secret may stand in a text. */
function formsOf(text: string): string[] {
  const bytes = new TextEncoder().encode(text)
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const json = jsonForms(text)
  const forms = [text, ...json, ...json.flatMap(jsonForms), ...addressForms(text), ...markupForms(text)]
  return [...forms, hex, hex.toUpperCase(), ...base64Forms(bytes)].filter((form) => form.length >= shortest)
}

/** As JSON is written here, and where slashes, or all that is not ASCII, are escaped. */
function jsonForms(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1)
  const escaped = (sign: string): string => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`
  return [plain, plain.replace(/[^\0-\x7f]/g, escaped)].flatMap((form) => [form, form.replaceAll('/', '\\/')])
}

/** As a part of an address, a whole one, or a field of a form; some write the digits of escapes small, some escape twice. */
function addressForms(text: string): string[] {
  const part = encodeURIComponent(text)
  const forms = [part, encodeURIComponent(part), encodeURI(text), new URLSearchParams([['', text]]).toString().slice(1)]
  return forms.flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())])
}

/** As HTML and XML write it, quotes by name or by number. */
function markupForms(text: string): string[] {
  const base = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const quoted = base.replaceAll('"', '&quot;')
  return [
    base,
    quoted,
    quoted.replaceAll("'", '&#39;'),
    quoted.replaceAll("'", '&#x27;'),
    quoted.replaceAll("'", '&apos;'),
  ]
}

/**
 * The pieces of Base64 that stand for these bytes whatever stands before and behind them, so that `user:password` in a
 * header is found by its password. In both alphabets.
 */
function base64Forms(bytes: Uint8Array): string[] {
  return [0, 1, 2].flatMap((before) => {
    const padded = new Uint8Array(before + bytes.length)
    padded.set(bytes, before)
    const whole = btoa(Array.from(padded, (byte) => String.fromCharCode(byte)).join(''))
    // Characters that also hold bits of the neighbours do not count.
    const start = Math.ceil((before * 8) / 6)
    const piece = whole.slice(start, Math.floor((padded.length * 8) / 6))
    return piece.length < 2 * shortest ? [] : [piece, piece.replaceAll('+', '-').replaceAll('/', '_')]
  })
}

/** What shows up alone: the password of an address that is taken apart, a long name in it, the lines of a key. */
function partsOf(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const parts = lines.length > 1 ? lines.filter((line) => line.length >= leastPart && !line.startsWith('-----')) : []
  if (!text.includes('://') || !URL.canParse(text)) return parts
  const { password, username } = new URL(text)
  const name = username.length >= leastPart ? [username, decoded(username)] : []
  return [...parts, ...[password, decoded(password)].filter((part) => part.length >= shortest), ...name]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
