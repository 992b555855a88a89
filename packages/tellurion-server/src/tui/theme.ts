// How words look: a handful of styles, or none at all where colours are not wanted. Text is inert before it is styled.

import type { EditorTheme, MarkdownTheme } from '@earendil-works/pi-tui'

/** Styles of text, and the themes that are made of them. */
export interface Theme {
  readonly faint: (text: string) => string
  readonly strong: (text: string) => string
  readonly accent: (text: string) => string
  readonly good: (text: string) => string
  readonly warning: (text: string) => string
  readonly bad: (text: string) => string
  readonly markdown: MarkdownTheme
  readonly editor: EditorTheme
}

type Style = (text: string) => string

const plain: Style = (text) => text
const coded =
  (on: string, off: string): Style =>
  (text) =>
    text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`

/** Makes a theme of the sixteen colours that every terminal has; without `colour` nothing is styled. */
export function createTheme(colour: boolean): Theme {
  const style = (on: string, off: string): Style => (colour ? coded(on, off) : plain)
  const faint = style('2', '22')
  const strong = style('1', '22')
  const italic = style('3', '23')
  const underline = style('4', '24')
  const accent = style('36', '39')
  const good = style('32', '39')
  const warning = style('33', '39')
  return {
    faint,
    strong,
    accent,
    good,
    warning,
    bad: style('31', '39'),
    markdown: {
      heading: accent,
      link: accent,
      linkUrl: faint,
      code: warning,
      codeBlock: good,
      codeBlockBorder: faint,
      quote: italic,
      quoteBorder: faint,
      hr: faint,
      listBullet: accent,
      bold: strong,
      italic,
      strikethrough: style('9', '29'),
      underline,
    },
    editor: {
      borderColor: faint,
      selectList: {
        selectedPrefix: accent,
        selectedText: strong,
        description: faint,
        scrollInfo: faint,
        noMatch: faint,
      },
    },
  }
}
