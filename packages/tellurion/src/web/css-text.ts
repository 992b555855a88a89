// Style sheets as far as they say what is seen: declarations and plain rules, in one pass, whatever they are. What depends on
// a state, a device or a moment is left out, but for the width of an ordinary screen.

/** What a declaration says. */
export interface Declared {
  readonly value: string
  readonly important: boolean
}

/** Declarations by property, in small letters. */
export type Declarations = ReadonlyMap<string, Declared>

/** Declarations that hold for what a selector names. */
export interface StyleRule {
  readonly selector: string
  readonly declarations: Declarations
}

/** The declarations of a `style` attribute, or of a rule. The later of two counts, unless the first is important. */
export function declarationsOf(text: string): Declarations {
  const found = new Map<string, Declared>()
  for (const each of plain(text).split(';')) {
    const colon = each.indexOf(':')
    if (colon === -1) continue
    const property = each.slice(0, colon).trim()
    const [, value = '', mark] = /^\s*(.*?)\s*(!\s*important)?\s*$/s.exec(each.slice(colon + 1)) ?? []
    const important = mark !== undefined
    if (value === '' || (found.get(property)?.important === true && !important)) continue
    found.set(property, { value, important })
  }
  return found
}

/** Rules that always hold on a screen, one for each selector. */
export function rulesOf(sheet: string): readonly StyleRule[] {
  const css = sheet.replaceAll(/\/\*[^]*?(?:\*\/|$)/g, ' ').replaceAll(/<!--|-->/g, ' ')
  const rules: StyleRule[] = []
  let at = 0
  while (at < css.length) {
    const end = next(css, at, /[{};]/g)
    const prelude = css.slice(at, end).trim()
    at = end + 1
    if (css[end] !== '{') continue
    if (holdsAlways(prelude)) continue
    const close = closing(css, at)
    if (!prelude.startsWith('@')) {
      // Rules within rules are left out.
      const declarations = declarationsOf(css.slice(at, close).replaceAll(/[^{};]*\{[^]*$/g, ''))
      for (const selector of prelude.split(',')) rules.push({ selector: selector.trim(), declarations })
    }
    at = close + 1
  }
  return rules
}

/** Pixels that the screen of somebody who reads the page is wide. */
const screenWidth = 1_280

/** Whether a block of rules holds for whoever reads the page, so that those in it count as if it were not there. */
function holdsAlways(prelude: string): boolean {
  if (/^@layer\b/i.test(prelude)) return true
  const query = /^@media\b(.*)$/is.exec(prelude)?.[1]
  return query?.split(',').some(isForScreen) ?? false
}

function isForScreen(query: string): boolean {
  return query
    .trim()
    .toLowerCase()
    .split(/\s+and\s+/)
    .every((part) => {
      if (/^(?:only\s+)?(?:all|screen)$/.test(part)) return true
      const [, bound, number, unit] = /^\(\s*(min|max)-width\s*:\s*([\d.]+)(px|r?em)?\s*\)$/.exec(part) ?? []
      const width = Number(number) * (unit === undefined || unit === 'px' ? 1 : 16)
      return bound === 'min' ? width <= screenWidth : bound === 'max' && width >= screenWidth
    })
}

/** Where a sign stands next that is in no string. */
function next(css: string, from: number, signs: RegExp): number {
  signs.lastIndex = from
  return signs.exec(css)?.index ?? css.length
}

function closing(css: string, from: number): number {
  let depth = 1
  for (let at = next(css, from, /[{}]/g); at < css.length; at = next(css, at + 1, /[{}]/g)) {
    depth += css[at] === '{' ? 1 : -1
    if (depth === 0) return at
  }
  return css.length
}

/** In small letters, without comments and escapes. */
function plain(text: string): string {
  return text
    .replaceAll(/\/\*[^]*?(?:\*\/|$)/g, '')
    .replaceAll(/\\([0-9a-f]{1,6})\s?/gi, (_, code: string) => {
      const point = Number.parseInt(code, 16)
      return point > 0 && point <= 0x10_ffff ? String.fromCodePoint(point) : ''
    })
    .toLowerCase()
}
