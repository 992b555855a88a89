// A web page as Markdown: what is to be read of it (readability), or all of it. Images become links, links that are no http(s)
// become text. Takes its time, and all the stack there is, where a page is made for that: it runs in a thread of its own.

import type { Readability } from '@mozilla/readability'
import type { parseHTML } from 'linkedom'
import type TurndownService from 'turndown'
import { removeHidden } from './hidden-content.ts'
import { htmlTitle } from './html-text.ts'

/** The packages that do the work. */
export interface PageTools {
  readonly Readability: typeof Readability
  readonly parseHTML: typeof parseHTML
  readonly TurndownService: typeof TurndownService
}

/** A page to be read. */
export interface PageSource {
  readonly html: string
  readonly url: string
  /** `article`: what readability takes for the content. `page`: everything that is seen. */
  readonly part: 'article' | 'page'
}

/** What can be read of it. */
export interface PageText {
  readonly title: string
  readonly markdown: string
}

const leftOut = [
  'title',
  'script',
  'style',
  'noscript',
  'template',
  'iframe',
  'object',
  'embed',
  'canvas',
  'svg',
  'button',
  'audio',
  'video',
  'noframes',
  'datalist',
  'annotation',
  'annotation-xml',
] as const

/** Reads a page. Throws whatever the packages throw. */
export function pageMarkdown({ html, url, part }: PageSource, tools: PageTools): PageText {
  const { document } = tools.parseHTML(wholeHTML(html))
  const title = document.title || htmlTitle(html)
  const base = baseOf(url, document.querySelector('base[href]')?.getAttribute('href'))
  // The types of linkedom are not those of the browser, whose part of them is asked here.
  removeHidden(document as unknown as Document)
  const whole = (): string => document.body.innerHTML
  let content: string | undefined
  let heading = title
  if (part === 'article') {
    const body = whole()
    // never: the types of linkedom are not those of the DOM, which Readability names.
    const article = new tools.Readability(document as never, { keepClasses: true, maxElemsToParse: 50_000 }).parse()
    const text = article?.textContent?.trim() ?? ''
    content = text === '' ? body : (article?.content ?? body)
    heading = article?.title || title
  }
  const { document: readable } = tools.parseHTML(`<!doctype html><html><body>${content ?? whole()}</body></html>`)
  // never: the same for turndown.
  return { title: heading, markdown: writer(base, tools).turndown(readable.body as never) }
}

/** A page with a body. HTML lets pages leave out the tags that say so; the parser adds none, and would find nothing. */
function wholeHTML(html: string): string {
  if (/<html[\s>]/i.test(html) && /<body[\s>]/i.test(html)) return html
  const attributes = /<body(\s[^>]*)>/i.exec(html)?.[1] ?? ''
  return `<!doctype html><html><body${attributes}>${html.replaceAll(/<!doctype[^>]*>|<\/?(?:html|head|body)(?:\s[^>]*)?>/gi, '')}</body></html>`
}

function baseOf(url: string, stated: string | null | undefined): string {
  const base = stated && URL.canParse(stated, url) ? new URL(stated, url) : undefined
  return base?.protocol === 'http:' || base?.protocol === 'https:' ? base.href : url
}

/** A writer of Markdown that knows where links lead. */
function writer(base: string, { TurndownService }: PageTools): TurndownService {
  const service = new TurndownService({
    headingStyle: 'atx',
    codeBlockStyle: 'fenced',
    bulletListMarker: '-',
    emDelimiter: '*',
    hr: '---',
  })
  // never: turndown's types know names of HTML elements only, and pages hold others.
  service.remove([...leftOut] as never)
  const linked = (text: string, address: string | null): string => {
    const target = address === null ? undefined : webAddress(address, base)
    return target === undefined || text === '' ? text : `[${text}](${target})`
  }
  service.addRule('link', {
    filter: 'a',
    replacement: (content, node) => linked(content.trim().replace(/\s*\n\s*/g, ' '), attribute(node, 'href')),
  })
  service.addRule('image', {
    filter: 'img',
    replacement: (_, node) => {
      const text = (attribute(node, 'alt') ?? '')
        .replace(/[\s[\]()\\]+/g, ' ')
        .trim()
        .slice(0, 200)
      return text === '' ? '' : linked(`image: ${text}`, attribute(node, 'src'))
    },
  })
  service.addRule('cell', {
    filter: ['th', 'td'],
    replacement: (content) =>
      ` ${content
        .trim()
        .replace(/\s*\n\s*/g, ' ')
        .replaceAll('|', '\\|')} |`,
  })
  service.addRule('row', {
    filter: 'tr',
    replacement: (content, node) => `\n|${content}${isFirstRow(node) ? `\n|${' --- |'.repeat(columns(content))}` : ''}`,
  })
  service.addRule('table', { filter: 'table', replacement: (content) => `\n\n${content.trim()}\n\n` })
  service.addRule('rows', { filter: ['thead', 'tbody', 'tfoot'], replacement: (content) => content })
  return service
}

const attribute = (node: unknown, name: string): string | null => (node as Element).getAttribute(name)

/** An address as it may stand in Markdown, whole; undefined where it does not lead to the web. */
function webAddress(text: string, base: string): string | undefined {
  if (!URL.canParse(text, base)) return undefined
  const url = new URL(text, base)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
  return url.href.length > 2_000 ? undefined : url.href.replace(/[()]/g, (sign) => (sign === '(' ? '%28' : '%29'))
}

function isFirstRow(node: unknown): boolean {
  const row = node as Element
  const table = row.closest('table')
  return table?.querySelector('tr') === row
}

/** Cells of a row as it has been written. */
const columns = (content: string): number => content.match(/(?<!\\)\|/g)?.length ?? 1
