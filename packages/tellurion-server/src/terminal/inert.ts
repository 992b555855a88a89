// Text of models, tools and files made harmless for a terminal: nothing in it moves the cursor, colours, hides, or turns
// the direction of reading. What people decide on is shown exactly; everything else just loses such characters.

/** C0 and C1 controls but line feed and tab; bidi controls; invisible operators and tags that can hide words. */
const harmful =
  '\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}'
const harmfulCharacters = new RegExp(`[${harmful}]`, 'gu')
const hidden = new RegExp(`[${harmful}\\p{Surrogate}]`, 'gu')

/** The text without such characters; line feeds and tabs stay. */
export function inert(text: string): string {
  return text.toWellFormed().replace(harmfulCharacters, '')
}

/** The text as one line. */
export function inertLine(text: string): string {
  return inert(text.replace(/\r\n?|[\n\t\u0085\u2028\u2029]/g, ' ')).trim()
}

/** A JSON value exactly: parsing it gives the value again, and every such character shows as its escape. */
export function exactJson(value: unknown, indent?: number): string {
  return (JSON.stringify(value, undefined, indent) ?? 'null').replace(harmfulCharacters, (character) =>
    Array.from({ length: character.length }, (_, index) => escape(character.charCodeAt(index))).join(''),
  )
}

/** The text with each such character shown as its escape; line feeds stay, tabs become spaces. */
export function exactText(text: string): string {
  return text
    .replace(/\r\n/g, '\n')
    .replaceAll('\t', '    ')
    .replace(hidden, (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`)
}

function escape(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`
}

/** Makes a stream of text inert piece by piece; a character that comes in two halves is put together. */
export function inertStream(): (piece: string) => string {
  let half = ''
  return (piece) => {
    const text = half + piece
    const last = text.charCodeAt(text.length - 1)
    half = last >= 0xd800 && last <= 0xdbff ? text.slice(-1) : ''
    return inert(half === '' ? text : text.slice(0, -1))
  }
}
