// The text of HTML without a parser: tags are left out in one pass, whatever they are. For pages that a parser cannot take,
// because they are broken on purpose; linear in their length.

import { declarationsOf } from './css-text.ts'
import { saysHidden } from './hidden-style.ts'

const rawTags = new Set(['script', 'style', 'template', 'noscript', 'svg', 'iframe', 'object', 'textarea'])
const blockTags = new Set(['p', 'div', 'br', 'li', 'ul', 'ol', 'tr', 'table', 'section', 'article', 'header', 'footer'])
for (const name of ['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'pre', 'blockquote', 'hr', 'title', 'dt', 'dd'])
  blockTags.add(name)
const voidTags = new Set(['area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'source', 'wbr'])
/** Elements that end where the next of their kind begins. */
const endlessTags = new Set(['li', 'td', 'th', 'tr', 'dt', 'dd', 'option'])

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

/** The text between the tags, without scripts, styles and what its own element hides; blocks stand on lines of their own. */
export function htmlText(html: string): string {
  const lower = html.toLowerCase()
  const pieces: string[] = []
  let hidden: { readonly name: string; depth: number } | undefined
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    if (hidden === undefined) pieces.push(html.slice(at, open === -1 ? html.length : open))
    if (open === -1) break
    if (html.startsWith('<!--', open)) {
      at = after(html.indexOf('-->', open + 4), 3, html)
      continue
    }
    const [, slash, name] = /^<(\/?)([a-z][a-z0-9]{0,15})/.exec(lower.slice(open, open + 18)) ?? []
    if (name === undefined && !/[/!?]/.test(html[open + 1] ?? '')) {
      if (hidden === undefined) pieces.push('<')
      at = open + 1
      continue
    }
    at = tagEnd(html, open)
    if (name === undefined) continue
    const opens = slash === ''
    if (hidden !== undefined && (hidden = within(hidden, name, opens)) === undefined) pieces.push(' ')
    else if (hidden === undefined && opens && !voidTags.has(name) && saysSo(html.slice(open, at)))
      hidden = { name, depth: 1 }
    if (hidden === undefined && blockTags.has(name)) pieces.push('\n')
    if (rawTags.has(name) && opens) at = after(lower.indexOf(`</${name}`, at), 0, html)
  }
  const text = pieces
    .join('')
    .replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,5});/gi, (whole, name: string) => entity(name) ?? whole)
  return text
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n[ \n]*/g, '\n')
    .trim()
}

/** Behind the tag that begins here. Signs within quotes do not end it, unless the quote itself never ends. */
function tagEnd(html: string, open: number): number {
  const signs = /[>"']/g
  signs.lastIndex = open
  for (let sign = signs.exec(html); sign !== null; sign = signs.exec(html)) {
    if (sign[0] === '>') return signs.lastIndex
    const close = html.indexOf(sign[0], signs.lastIndex)
    if (close === -1) return after(html.indexOf('>', sign.index), 1, html)
    signs.lastIndex = close + 1
  }
  return html.length
}

/** What is hidden, after one more tag in it; undefined at its end. */
function within(
  hidden: { readonly name: string; depth: number },
  name: string,
  opens: boolean,
): typeof hidden | undefined {
  // A paragraph ends where a block begins.
  if (opens && hidden.name === 'p' && blockTags.has(name) && name !== 'br') return undefined
  if (name !== hidden.name) return hidden
  hidden.depth += opens ? 1 : -1
  return hidden.depth === 0 || (opens && endlessTags.has(name)) ? undefined : hidden
}

/** Whether a tag says that its element is not seen. */
function saysSo(tag: string): boolean {
  const attributes = tag.slice(0, 5_000)
  if (/\s(?:hidden|popover)(?=[\s=/>])|\saria-hidden\s*=\s*["']?true/i.test(attributes)) return true
  const [, , style] = /\sstyle\s*=\s*(["'])([^"']*)\1/i.exec(attributes) ?? []
  return style !== undefined && saysHidden(declarationsOf(style))
}

/** What stands in the title of a page, if anything does. */
export function htmlTitle(html: string): string {
  const head = html.slice(0, 100_000)
  const open = head.search(/<title[\s>]/i)
  if (open === -1) return ''
  const close = head.toLowerCase().indexOf('</title', open)
  return htmlText(head.slice(open, close === -1 ? open + 500 : close))
}

const after = (found: number, length: number, html: string): number => (found === -1 ? html.length : found + length)

function entity(name: string): string | undefined {
  if (!name.startsWith('#')) return entities[name.toLowerCase()]
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return code <= 0x10_ffff ? String.fromCodePoint(code).toWellFormed() : undefined
}
