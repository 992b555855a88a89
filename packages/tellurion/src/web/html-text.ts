// The text of HTML without a parser: tags are left out in one pass, whatever they are. For pages that a parser cannot take,
// because they are broken on purpose; linear in their length.

const rawTags = new Set(['script', 'style', 'template', 'noscript', 'svg', 'iframe', 'object', 'textarea'])
const blockTags = new Set(['p', 'div', 'br', 'li', 'ul', 'ol', 'tr', 'table', 'section', 'article', 'header', 'footer'])
for (const name of ['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'pre', 'blockquote', 'hr', 'title', 'dt', 'dd'])
  blockTags.add(name)

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

/** The text between the tags, without scripts and styles; blocks stand on lines of their own. */
export function htmlText(html: string): string {
  const lower = html.toLowerCase()
  const pieces: string[] = []
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    pieces.push(html.slice(at, open === -1 ? html.length : open))
    if (open === -1) break
    if (html.startsWith('<!--', open)) {
      at = after(html.indexOf('-->', open + 4), 3, html)
      continue
    }
    const name = /^<\/?([a-z][a-z0-9]{0,15})/.exec(lower.slice(open, open + 18))?.[1]
    if (name === undefined && !/[/!?]/.test(html[open + 1] ?? '')) {
      pieces.push('<')
      at = open + 1
      continue
    }
    at = after(html.indexOf('>', open), 1, html)
    if (name === undefined) continue
    if (blockTags.has(name)) pieces.push('\n')
    if (rawTags.has(name) && lower[open + 1] !== '/') at = after(lower.indexOf(`</${name}`, at), 0, html)
  }
  const text = pieces
    .join('')
    .replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,5});/gi, (whole, name: string) => entity(name) ?? whole)
  return text
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n[ \n]*/g, '\n')
    .trim()
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
