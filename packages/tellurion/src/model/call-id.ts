// Ids of tool calls where a server gives none, gives one twice, or wants another form than the one that is there.
// Made from what the call is, so the same reply always gets the same ids.

import { textOf, type Messages } from '../message/message.ts'

/**
 * Gives the calls of one reply their ids: the server's own when it is usable and new, else one made from `seed`, the
 * call's place and its content. `seed` should differ between the replies of one conversation.
 */
export function createCallIds(seed: () => string): (given: unknown, place: number, content: string) => string {
  const used = new Set<string>()
  return (given, place, content) => {
    let id = typeof given === 'string' && /^[\x21-\x7e]{1,256}$/.test(given) ? given : ''
    if (id === '' || used.has(id)) id = `call_${place}_${digest(`${seed()}/${place}/${content}`)}`
    used.add(id)
    return id
  }
}

/** What tells one turn of a conversation from another: how long it is, and how it ends. */
export function turnSeed(messages: Messages): () => string {
  return () => {
    const last = messages.at(messages.length - 1)
    return `${messages.length}/${last === undefined ? '' : textOf(last).slice(0, 500)}`
  }
}

/** The id in letters, digits, `_` and `-` only; unchanged when it is that already. */
export function plainCallId(id: string): string {
  return /^[a-zA-Z0-9_-]{1,128}$/.test(id) ? id : `call_${digest(id)}`
}

/** The id as exactly nine letters and digits; unchanged when it is that already. */
export function shortCallId(id: string): string {
  return /^[a-zA-Z0-9]{9}$/.test(id) ? id : digest(id).slice(0, 9)
}

/** Fourteen characters of base 36 from FNV-1a (Fowler, Noll, Vo) over two offsets. Not for secrets. */
function digest(text: string): string {
  let a = 0x811c9dc5
  let b = 0x01000193
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b ^ ((unit << 8) | (unit >>> 8)), 0x01000193)
  }
  return (a >>> 0).toString(36).padStart(7, '0') + (b >>> 0).toString(36).padStart(7, '0')
}
