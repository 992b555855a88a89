// Front matter: the YAML between two lines of `---` at the head of a Markdown file. A small strict part of YAML whose
// values are texts, lists of texts and one level of texts by name; everything else is a problem that names its line.

/** A value: every scalar is a text, whatever YAML would make of it. */
export type FrontMatterValue = string | readonly string[] | ReadonlyMap<string, string>

/** What a file begins with. `end` is where the rest of the file begins, in UTF-16 units. */
export type FrontMatter =
  | { readonly fields: ReadonlyMap<string, FrontMatterValue>; readonly end: number }
  | { readonly problem: string }

/** Longest front matter, in UTF-16 units, its two lines of dashes included. */
export const maxFrontMatter = 16_000
const maxFields = 64
const maxItems = 200

const field = /^([A-Za-z_][A-Za-z0-9_.-]{0,63}):(?:[ ]+(.*))?$/
/** What a plain scalar must not begin with: it means something in YAML that is not read here. */
const indicator = /^[&*!|>%@`[\]{},?'"]|^[-?:](?: |$)/

/** Thrown within this file, and turned into a `problem`. */
class Problem extends Error {}

/**
 * Reads the front matter of a text. Read are plain, 'single' and "double" quoted texts, `|` and `>` blocks, lists as
 * `- item` or `[a, b]`, one level of `name: text`, and comments. Never throws.
 */
export function parseFrontMatter(text: string): FrontMatter {
  const head = text.slice(0, maxFrontMatter)
  const opening = /^\uFEFF?---[ \t]*\r?\n/.exec(head)
  if (opening === null) return { problem: 'line 1: it does not begin with a line of three dashes (---)' }
  const closing = /^---[ \t]*(?:\r?\n|$)/m.exec(head.slice(opening[0].length))
  if (closing === null) {
    const where = text.length > maxFrontMatter ? `in the first ${maxFrontMatter} characters` : 'to its end'
    return { problem: `line 1: there is no second line of three dashes ${where}` }
  }
  const inner = head.slice(opening[0].length, opening[0].length + closing.index)
  try {
    return {
      fields: new Reader(inner.split(/\r?\n/)).fields(),
      end: opening[0].length + closing.index + closing[0].length,
    }
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message }
    throw error
  }
}

/** Goes through the lines once. */
class Reader {
  readonly #lines: readonly string[]
  #at = 0

  constructor(lines: readonly string[]) {
    this.#lines = lines
  }

  fields(): Map<string, FrontMatterValue> {
    const fields = new Map<string, FrontMatterValue>()
    for (let line = this.#next(); line !== undefined; line = this.#next()) {
      if (/^\s/.test(line)) throw this.#problem('it is indented without belonging to anything')
      const [, name, rest = ''] = field.exec(line) ?? []
      if (name === undefined) throw this.#problem('it is not `name: value`')
      if (name === '__proto__' || name === 'constructor') throw this.#problem(`'${name}' is no name`)
      if (fields.has(name)) throw this.#problem(`'${name}' is there twice`)
      if (fields.size >= maxFields) throw this.#problem(`there are more than ${maxFields} names`)
      fields.set(name, this.#value(rest.trim()))
    }
    return fields
  }

  /** The next line with something on it. */
  #next(): string | undefined {
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at]!
      if (/^\s*(#|$)/.test(line)) continue
      this.#at++
      if (line.includes('\t') && /^ *\t/.test(line)) throw this.#problem('it is indented by a tab; use spaces')
      return line
    }
    return undefined
  }

  /** The line after this one, if it is indented and has something on it. */
  #indented(): string | undefined {
    const before = this.#at
    const line = this.#next()
    if (line !== undefined && line.startsWith(' ')) return line
    this.#at = before
    return undefined
  }

  #value(rest: string): FrontMatterValue {
    if (/^[|>]/.test(rest)) return this.#block(rest)
    if (rest.startsWith('[')) return this.#flow(rest)
    if (rest === '' || rest.startsWith('#')) return this.#nested()
    if (/^["']/.test(rest)) return this.#scalar(rest)
    let text = this.#scalar(rest)
    // A plain text goes on in the lines that are indented.
    for (let line = this.#indented(); line !== undefined; line = this.#indented()) {
      text += ` ${this.#continued(line.trim())}`
    }
    return text
  }

  /** `|` keeps the ends of lines, `>` makes one line of those that stand together. */
  #block(rest: string): string {
    const [, style, chomp] = /^([|>])([+-]?)(?:\s+#.*)?$/.exec(rest) ?? []
    if (style === undefined) throw this.#problem(`'${rest.slice(0, 20)}' begins no block; write | or >, and perhaps -`)
    const lines: string[] = []
    let indent: number | undefined
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at]!
      const own = line.search(/[^ ]/)
      if (own > 0 && line[own] === '\t') {
        this.#at++
        throw this.#problem('it is indented by a tab; use spaces')
      }
      if (own !== -1 && own < (indent ?? 1)) break
      if (own !== -1) indent ??= own
      lines.push(line.slice(indent ?? 0))
    }
    const body = lines.join('\n')
    const text = style === '|' ? body : body.replaceAll(/(\n+)/g, (ends) => (ends.length === 1 ? ' ' : ends.slice(1)))
    const trimmed = text.trimEnd()
    return chomp === '-' || trimmed === '' ? trimmed : `${trimmed}\n`
  }

  /** `[a, "b"]` on one line. */
  #flow(rest: string): readonly string[] {
    const inner = /^\[(.*)\](?:\s+#.*)?$/.exec(rest)?.[1]
    if (inner === undefined) throw this.#problem('a list in brackets ends on its own line')
    if (/[[\]{}]/.test(inner.replaceAll(/"(?:[^"\\]|\\.)*"|'[^']*'/g, ''))) throw this.#problem('lists hold texts only')
    if (inner.trim() === '') return []
    const items = inner.match(/(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,"'])+|,/g) ?? []
    if (items.join('') !== inner) throw this.#problem('a quote in the list is not closed')
    const list: string[] = []
    let open = true
    for (const item of items) {
      if (item === ',') {
        if (open) throw this.#problem('the list has an empty place')
        open = true
      } else if (item.trim() !== '') {
        if (!open) throw this.#problem('the list lacks a comma')
        list.push(this.#scalar(item.trim()))
        open = false
      }
    }
    return this.#bounded(list)
  }

  /** A list or a mapping below a name; an empty text where there is neither. */
  #nested(): FrontMatterValue {
    const before = this.#at
    const first = this.#next()
    this.#at = before
    if (first === undefined) return ''
    if (/^ *-(?: |$)/.test(first)) return this.#list()
    return first.startsWith(' ') ? this.#mapping() : ''
  }

  #list(): readonly string[] {
    const list: string[] = []
    let indent: number | undefined
    for (let before = this.#at, line = this.#next(); line !== undefined; before = this.#at, line = this.#next()) {
      const [, spaces, item] = /^( *)-(?: +(.*))?$/.exec(line) ?? []
      if (spaces === undefined || (indent !== undefined && spaces.length < indent)) {
        this.#at = before
        break
      }
      if (spaces.length !== (indent ??= spaces.length)) throw this.#problem('a list in a list is not read here')
      list.push(this.#scalar((item ?? '').trim()))
    }
    return this.#bounded(list)
  }

  #mapping(): ReadonlyMap<string, string> {
    const mapping = new Map<string, string>()
    let indent: number | undefined
    for (let line = this.#indented(); line !== undefined; line = this.#indented()) {
      const own = line.search(/[^ ]/)
      if (own !== (indent ??= own)) throw this.#problem('only one level of names is read here')
      const [, name, rest = ''] = field.exec(line.slice(own)) ?? []
      if (name === undefined) throw this.#problem('it is not `name: value`')
      if (name === '__proto__' || name === 'constructor') throw this.#problem(`'${name}' is no name`)
      if (mapping.has(name)) throw this.#problem(`'${name}' is there twice`)
      if (mapping.size >= maxItems) throw this.#problem(`there are more than ${maxItems} names`)
      mapping.set(name, this.#scalar(rest.trim()))
    }
    return mapping
  }

  #bounded(list: readonly string[]): readonly string[] {
    if (list.length > maxItems) throw this.#problem(`the list is longer than ${maxItems}`)
    return list
  }

  #scalar(text: string): string {
    if (text.startsWith('"')) return this.#doubleQuoted(text)
    if (text.startsWith("'")) return this.#singleQuoted(text)
    if (indicator.test(text)) {
      throw this.#problem(`a text that begins with '${text[0]}' must be in quotes`)
    }
    return uncommented(text)
  }

  /** A further line of a plain text: inside one, quotes and brackets are characters like others. */
  #continued(text: string): string {
    return uncommented(text)
  }

  #doubleQuoted(text: string): string {
    const [, quoted, rest] = /^("(?:[^"\\]|\\.)*")(.*)$/.exec(text) ?? []
    if (quoted === undefined) throw this.#problem('a text in quotes ends on its own line')
    this.#nothingMore(rest!)
    try {
      return (JSON.parse(quoted) as string).toWellFormed()
    } catch {
      throw this.#problem('it has an escape that is not read here; \\n, \\t, \\", \\\\ and \\u0000 are')
    }
  }

  #singleQuoted(text: string): string {
    const [, quoted, rest] = /^'((?:[^']|'')*)'(.*)$/.exec(text) ?? []
    if (quoted === undefined) throw this.#problem('a text in quotes ends on its own line')
    this.#nothingMore(rest!)
    return quoted.replaceAll("''", "'")
  }

  #nothingMore(rest: string): void {
    if (!/^\s*$|^\s+#/.test(rest)) throw this.#problem('something stands behind the closing quote')
  }

  /** The line that was read last is line `#at` of the inner text; the dashes stand before it. */
  #problem(what: string): Problem {
    return new Problem(`line ${this.#at + 1}: ${what}`)
  }
}

function uncommented(text: string): string {
  return text.replace(/(^|\s)#.*$/, '').trim()
}
