// What the demo model understands: plain English read into tool calls, by patterns and nothing else. It looks only at the
// newest request and at the tools that are offered.

import type { ToolSpec } from '../port/model.ts'
import type { Json, JsonObject } from '../schema/json.ts'

/** The kinds of request that are understood. `tool` names a tool and its arguments outright. */
export type AskKind = 'calculate' | 'time' | 'list' | 'read' | 'wait' | 'tool'

/** One request found in a text: what is wanted, of what, and where it begins. */
export interface Ask {
  readonly kind: AskKind
  /** The expression, the zone, the path, the seconds or the tool's name; empty for none. */
  readonly subject: string
  readonly input?: JsonObject
  readonly at: number
}

/** Most requests that one text is read into. */
const maxAsks = 8
/** Longest text that is looked at. */
const maxLength = 4_000

/** The requests of a text, in order. */
export function readAsks(text: string, toolNames: readonly string[]): readonly Ask[] {
  const search = new Search(text.slice(0, maxLength))
  search.tools(toolNames)
  search.files()
  search.times()
  search.waits()
  search.sums()
  return search.asks.toSorted((a, b) => a.at - b.at).slice(0, maxAsks)
}

const path = String.raw`("[^"\n]{1,200}"|'[^'\n]{1,200}'|\x60[^\x60\n]{1,200}\x60|[^\s,;?!"'\x60]{1,200})`
const fileName = String.raw`("[^"\n]{1,200}"|'[^'\n]{1,200}'|\x60[^\x60\n]{1,200}\x60|[^\s,;?!"'\x60]{0,150}[./][^\s,;?!"'\x60]{1,150})`
const filler = String.raw`(?:me |us |all |out |the |my |a |contents? of |content of |text of |file |named |called )*`

const listings = [
  new RegExp(
    String.raw`\b(?:list|show|see)\s+${filler}(?:files|folders?|director(?:y|ies)|entries|contents?)(?:\s+and folders)?(?:\s+(?:in|of|under|inside|from|at)\s+(?:the )?(?:folder |directory )?${path})?`,
    'gi',
  ),
  new RegExp(
    String.raw`\bwh(?:at|ich) (?:files|folders)\b(?:[^?;,.\n]{0,30}?\b(?:in|under|inside|at)\s+(?:the )?(?:folder |directory )?${path})?`,
    'gi',
  ),
  new RegExp(
    String.raw`(?:^|[;,.?!\n]\s*|\b(?:and|then|run|please|also) )(?:ls|dir)\b(?:\s+(?!and\b|then\b)${path})?`,
    'gi',
  ),
]
const readings = [
  new RegExp(String.raw`\b(?:read|show|open|print|display|cat|view)\s+${filler}${fileName}`, 'gi'),
  new RegExp(String.raw`\bwhat(?:'s| is)\s+(?:in|inside)\s+${filler}${fileName}`, 'gi'),
  new RegExp(String.raw`\bwhat (?:does|do)\s+${filler}${fileName}\s+(?:say|contain|hold)`, 'gi'),
  new RegExp(String.raw`\b(?:read|cat)\s+(?:the )?(?:file )?${path}`, 'gi'),
]
const times = [
  /\bwhat(?:'s| is)? (?:the )?(?:current )?(?:local )?(?:time|date|day|year|month)\b(?: and (?:the )?(?:time|date|day))?(?: is it| is today)?(?: (?:right )?now| today)?/gi,
  /\b(?:tell me |give me |show me |what about )?the (?:current )?(?:local )?(?:time|date)\b(?: and (?:the )?(?:time|date))?(?: (?:right )?now| today)?/gi,
  /\b(?:time|date) (?:right )?now\b/gi,
  /\b(?:current )(?:time|date)\b/gi,
  /\bwhat(?:'s| is) today(?:'s date)?\b/gi,
  /\b(?:time|date)(?= in [A-Z])/g,
]
const pauses =
  /\b(?:wait|sleep|pause)(?:\s+for)?\s+(?:another\s+)?(\d{1,6}(?:\.\d{1,3})?|an?)\s*(s|secs?|seconds?|m|mins?|minutes?)\b/gi
const zone = /^(?:\s+(?:in|at|for)\s+)([A-Za-z][\w+\-/]*(?: [A-Z][\w-]*){0,2})/
const otherZones = /^(?:,? and (?:in |at )|, (?:in )?)([A-Z][\w+\-/]*(?: [A-Z][\w-]*){0,2})/

const words: readonly (readonly [RegExp, string])[] = [
  [/\b(?:to the power of|raised to)\b/gi, '^'],
  [/\bsquare root of (\d+(?:\.\d+)?|\([^()]*\))/gi, 'sqrt($1)'],
  [/\b(\d+(?:\.\d+)?) squared\b/gi, '$1^2'],
  [/\b(\d+(?:\.\d+)?) cubed\b/gi, '$1^3'],
  [/\b(\d+(?:\.\d+)?)\s?(?:%|percent) of (?=[\d(])/gi, '$1/100*'],
  [/(?<=\d)\s?%(?=\s*(?:[,;?!.)]|$))/g, '/100'],
  [/\b(?:divided by|over)\b/gi, '/'],
  [/\b(?:multiplied by|times)\b/gi, '*'],
  [/\bplus\b/gi, '+'],
  [/\bminus\b/gi, '-'],
  [/\b(?:mod|modulo)\b/gi, '%'],
  [/(?<=[\d)]\s*)x(?=\s*[\d(])/gi, '*'],
  [/×|·/g, '*'],
  [/÷/g, '/'],
  [/−/g, '-'],
  [/\*\*/g, '^'],
  [/(?<=\d),(?=\d{3}\b)/g, ''],
]
const isoDate = /\b\d{4}-\d{2}-\d{2}(?:T[\d:.]+Z?)?\b/g
const expression =
  /(?:\b(?:sqrt|abs|round|floor|ceil|min|max|ln|log|exp|sin|cos|tan)\s*\(|[-(\d.]|\bpi\b)(?:\b(?:sqrt|abs|round|floor|ceil|min|max|ln|log|exp|sin|cos|tan|pi|e)\b|[\d\s.,+\-*/%^()])*/gi
const operation = /[\d).i]\s*[-+*/%^]\s*[-(\dp.a-z]|^[a-z]+\s*\(/i

/** Reads a text part by part; what one kind of request has taken is blank for the next. */
class Search {
  readonly asks: Ask[] = []
  #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** `use weather {"place": "Oslo"}`: a tool by its name, with JSON. */
  tools(names: readonly string[]): void {
    for (const found of this.#text.matchAll(
      /\b(?:use|call|run|try)\s+(?:the )?(?:tool )?`?([\w.-]+)`?(?:\s+with)?\s*/gi,
    )) {
      const [start, , name = ''] = [found.index, ...found]
      if (!names.includes(name)) continue
      const given = objectAt(this.#text, start + found[0].length)
      const end = given?.end ?? start + found[0].length
      this.asks.push({ kind: 'tool', subject: name, input: given?.value ?? {}, at: start })
      this.#blank(start, end)
    }
  }

  files(): void {
    for (const pattern of listings) this.#take(pattern, 'list')
    for (const pattern of readings) this.#take(pattern, 'read')
  }

  times(): void {
    for (const pattern of times) {
      for (const found of this.#text.matchAll(pattern)) {
        let at = found.index + found[0].length
        let place = zone.exec(this.#text.slice(at))
        this.asks.push({ kind: 'time', subject: place?.[1] ?? '', at: found.index })
        while (place !== null) {
          at += place[0].length
          place = otherZones.exec(this.#text.slice(at))
          if (place !== null) this.asks.push({ kind: 'time', subject: place[1] ?? '', at })
        }
        this.#blank(found.index, at)
      }
    }
  }

  /** `wait 60 seconds`, `sleep for a minute`: the subject is in seconds. */
  waits(): void {
    for (const found of this.#text.matchAll(pauses)) {
      const [all, amount = '', unit = ''] = found
      const seconds = (/^a/i.test(amount) ? 1 : Number(amount)) * (/^m/i.test(unit) ? 60 : 1)
      this.asks.push({ kind: 'wait', subject: String(seconds), at: found.index })
      this.#blank(found.index, found.index + all.length)
    }
  }

  sums(): void {
    let text = this.#text.replace(isoDate, (date) => ' '.repeat(date.length))
    // Words become signs; the order of requests is all that their places are needed for.
    for (const [pattern, sign] of words) text = text.replace(pattern, sign)
    for (const found of text.matchAll(expression)) {
      const subject = found[0].replace(/[\s.,+\-*/^(]+$/, '').trim()
      if (operation.test(subject)) this.asks.push({ kind: 'calculate', subject, at: found.index })
    }
  }

  #take(pattern: RegExp, kind: 'list' | 'read'): void {
    for (const found of this.#text.matchAll(pattern)) {
      const subject = unquoted(found[1] ?? '')
      this.asks.push({ kind, subject: /^(?:here|there|it)$/i.test(subject) ? '' : subject, at: found.index })
      this.#blank(found.index, found.index + found[0].length)
    }
  }

  #blank(start: number, end: number): void {
    this.#text = this.#text.slice(0, start) + ' '.repeat(end - start) + this.#text.slice(end)
  }
}

function unquoted(text: string): string {
  const quoted = /^(["'`])(.*)\1$/.exec(text)?.[2]
  return quoted ?? text.replace(/[.:)]+$/, (end) => (/^\.+$/.test(text) ? end : ''))
}

/** The JSON object that begins here, if one does. */
function objectAt(text: string, start: number): { value: JsonObject; end: number } | undefined {
  if (text[start] !== '{') return undefined
  for (let end = text.indexOf('}', start); end !== -1; end = text.indexOf('}', end + 1)) {
    try {
      return { value: JSON.parse(text.slice(start, end + 1)) as JsonObject, end: end + 1 }
    } catch {
      // A brace inside: read on to the next one.
    }
  }
  return undefined
}

const purposes: Readonly<Record<Exclude<AskKind, 'tool'>, { name: RegExp; argument: RegExp }>> = {
  calculate: { name: /calc|arithmetic|math|evaluate/i, argument: /expr|sum|input|formula|query/i },
  time: { name: /clock|time|date|now/i, argument: /zone|tz|place|location|city/i },
  list: { name: /list|^ls$|^dir$|glob/i, argument: /path|dir|folder|root/i },
  wait: { name: /wait|sleep|pause|delay/i, argument: /second|duration|delay|time/i },
  read: { name: /read|^cat$|open_?file|file_?content/i, argument: /path|file|name/i },
}

/** The offered tool that serves a request, and its arguments; undefined where none does. */
export function callFor(ask: Ask, tools: readonly ToolSpec[]): { toolName: string; input: JsonObject } | undefined {
  if (ask.kind === 'tool') return { toolName: ask.subject, input: ask.input ?? {} }
  const { name, argument } = purposes[ask.kind]
  const spec = tools.find((tool) => name.test(tool.name))
  if (spec === undefined) return undefined
  const properties = Object.keys((spec.inputSchema['properties'] ?? {}) as JsonObject)
  const key = properties.find((property) => argument.test(property)) ?? properties[0]
  const value = valueOf(ask)
  return { toolName: spec.name, input: key === undefined || value === '' ? {} : { [key]: value } }
}

function valueOf({ kind, subject }: Ask): Json {
  if (kind === 'time') return zoneOf(subject)
  return kind === 'wait' ? Number(subject) : subject
}

/** `Europe/Paris` for `Paris`; any other place as it was said. */
function zoneOf(place: string): string {
  if (place === '' || place.includes('/')) return place
  const city = place.replaceAll(' ', '_').toLowerCase()
  return Intl.supportedValuesOf('timeZone').find((zone) => zone.toLowerCase().endsWith(`/${city}`)) ?? place
}
