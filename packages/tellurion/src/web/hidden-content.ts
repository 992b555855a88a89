// Takes out of a page what nobody sees of it, as far as the page itself says so: attributes, styles and its own sheets. What
// other files and scripts say is not known; the whole page counts as a stranger's word all the same.

import { areAlike, type Color } from './css-color.ts'
import { declarationsOf, rulesOf, type Declarations } from './css-text.ts'
import { isGone, isUnseen, lookOf, looks, type Look, type Value } from './hidden-style.ts'

const gone = '[hidden], [aria-hidden="true"], [popover], dialog:not([open])'
/** Elements that pages hide until their scripts have come. */
const whole = new Set(['html', 'body'])
/** Elements that selectors are tried on: a page with more of them has the rest of its sheets ignored. */
const mostWork = 500_000
const [white, black]: readonly [Color, Color] = [
  [255, 255, 255, 1],
  [0, 0, 0, 1],
]

interface Stated {
  readonly value: string
  readonly weight: number
}
type Styles = Map<Element, Map<string, Stated>>

/** Removes it, from the document itself. */
export function removeHidden(document: Document): void {
  for (const element of document.querySelectorAll(gone)) element.remove()
  const styles: Styles = new Map()
  const variables = new Map<string, string>()
  applySheets(document, styles, variables)
  for (const element of document.querySelectorAll('[style]')) {
    applyTo(styles, element, declarationsOf(element.getAttribute('style') ?? ''), 1_000_000)
  }
  const hasOthers = document.querySelector('link[rel~="stylesheet" i], link[as="style"]') !== null
  const start: Look = { isVisible: true, size: 16, color: black, ground: hasOthers ? undefined : white }
  removeFrom(document.documentElement, start, { styles, variables, hasOthers })
}

function applySheets(document: Document, styles: Styles, variables: Map<string, string>): void {
  const sheets = [...document.querySelectorAll('style')].filter((sheet) =>
    /^(?:all|screen)?$/i.test(sheet.getAttribute('media')?.trim() ?? ''),
  )
  const byName = sheets.length === 0 ? new Map<string, Element[]>() : elementsByName(document)
  let work = 0
  for (const { selector, declarations } of sheets.flatMap((sheet) => rulesOf(sheet.textContent ?? ''))) {
    for (const [property, { value }] of declarations) if (property.startsWith('--')) variables.set(property, value)
    // Names of elements have no case, all others have.
    const plain = selector
      .replace(/^:root\b/, 'html')
      .replaceAll(/(?<=^|[\s>+~])[a-z][\w-]*/gi, (name) => name.toLowerCase())
    // What depends on a state is left out, and what says nothing of how things look.
    if (plain.includes(':') || ![...declarations.keys()].some((property) => looks.has(property))) continue
    const candidates = candidatesOf(plain, byName)
    if ((work += candidates.length) > mostWork) return
    for (const element of candidates)
      if (matches(element, plain)) applyTo(styles, element, declarations, weightOf(plain))
  }
}

/** Elements by their classes, ids and names, as selectors write them; under `*` all of them. */
function elementsByName(document: Document): Map<string, Element[]> {
  const byName = new Map<string, Element[]>()
  for (const element of document.querySelectorAll('*')) {
    const classes = (element.getAttribute('class') ?? '').split(/\s+/)
    const id = element.getAttribute('id') ?? ''
    for (const name of ['*', element.localName, `#${id}`, ...new Set(classes.map((each) => `.${each}`))]) {
      const known = byName.get(name)
      if (known === undefined) byName.set(name, [element])
      else known.push(element)
    }
  }
  return byName
}

/** What a selector can mean at all: none where it names what is not there, else whatever its last part names. */
function candidatesOf(selector: string, byName: ReadonlyMap<string, readonly Element[]>): readonly Element[] {
  const named = selector.replaceAll(/\[[^\]]*\]/g, '')
  if (!(named.match(/[.#][\w-]+/g) ?? []).every((name) => byName.has(name))) return []
  const last = named.split(/[\s>+~]+/).at(-1) ?? ''
  return (
    byName.get(/#[\w-]+/.exec(last)?.[0] ?? /\.[\w-]+/.exec(last)?.[0] ?? /^[a-z][\w-]*/.exec(last)?.[0] ?? '*') ?? []
  )
}

function matches(element: Element, selector: string): boolean {
  if (/^[.#]?[\w-]+$/.test(selector)) return true
  try {
    return element.matches(selector)
  } catch {
    return false // It is none.
  }
}

/** How specific a selector is, about. */
function weightOf(selector: string): number {
  const count = (signs: RegExp): number => selector.match(signs)?.length ?? 0
  return 10_000 * count(/#/g) + 100 * count(/[.[]/g) + count(/(?:^|[\s>+~])[a-z]/g)
}

function applyTo(styles: Styles, element: Element, declarations: Declarations, weight: number): void {
  let stated = styles.get(element)
  if (stated === undefined) styles.set(element, (stated = new Map()))
  for (const [property, { value, important }] of declarations) {
    const own = important ? weight + 10_000_000 : weight
    if (own >= (stated.get(property)?.weight ?? -1)) stated.set(property, { value, weight: own })
  }
}

interface Known {
  readonly styles: Styles
  readonly variables: ReadonlyMap<string, string>
  /** Whether other sheets may say more. */
  readonly hasOthers: boolean
}

/** Goes through a tree of any depth. */
function removeFrom(root: Element, around: Look, known: Known): void {
  const left: (readonly [Element, Look])[] = [[root, around]]
  for (let each = left.pop(); each !== undefined; each = left.pop()) {
    const [element, outside] = each
    const value =
      known.styles.has(element) || attributes.some((name) => element.hasAttribute(name))
        ? valueOf(element, known)
        : nothing
    const isWhole = whole.has(element.localName)
    if (!isWhole && value !== nothing && isGone(value)) {
      element.remove()
      continue
    }
    const look = lookHere(element, { value, outside, known })
    // What is removed must not be missed.
    for (const child of Array.from(element.childNodes)) {
      if (child.nodeType === 1) left.push([child as Element, look])
      else if (child.nodeType === 3 && isUnseen(look, areAlike)) child.remove()
    }
  }
}

function lookHere(
  element: Element,
  { value, outside, known }: { readonly value: Value; readonly outside: Look; readonly known: Known },
): Look {
  const look = value === nothing ? outside : lookOf(value, outside)
  const says = (...properties: string[]): boolean => properties.some((property) => value(property) !== undefined)
  // Another sheet can name it, and give it another ground.
  const isOpen = known.hasOthers && (element.hasAttribute('class') || element.hasAttribute('id'))
  const ground = isOpen && !says('background', 'background-color') ? undefined : look.ground
  const ownColor = ['a', 'mark', 'button', 'input', 'select'].includes(element.localName)
  const color = (ownColor || isOpen) && !says('color', '-webkit-text-fill-color') ? undefined : look.color
  if (!whole.has(element.localName)) return { ...look, ground, color }
  return { ...look, ground, color, isVisible: true }
}

/** Attributes that said how things look before there were styles. */
const attributes = ['color', 'bgcolor', 'text']
const nothing: Value = () => undefined

/** What its styles say, or else what its attributes say as they did before there were styles. */
function valueOf(element: Element, { styles, variables }: Known): Value {
  const stated = styles.get(element)
  return (property) => {
    const value = stated?.get(property)?.value
    if (value !== undefined) return withVariables(value, variables)
    const attribute = { color: 'color', 'background-color': 'bgcolor' }[property]
    if (attribute === undefined) return undefined
    const isBody = element.localName === 'body' && attribute === 'color'
    return element
      .getAttribute(isBody ? 'text' : attribute)
      ?.trim()
      .toLowerCase()
  }
}

function withVariables(value: string, variables: ReadonlyMap<string, string>): string {
  let text = value
  for (let depth = 0; depth < 5 && text.includes('var('); depth++) {
    text = text
      .replaceAll(
        /var\(\s*(--[\w-]+)\s*(?:,([^()]*))?\)/g,
        (_, name: string, or?: string) => variables.get(name) ?? or ?? '',
      )
      .slice(0, 1_000)
  }
  return text
}
