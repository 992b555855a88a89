// Where a person types: pi-tui's editor, with its history, undo and wide characters, as few lines as there is room for.

import { CURSOR_MARKER, Editor, type TUI } from '@earendil-works/pi-tui'
import type { Theme } from './theme.ts'
import type { Composer } from './view.ts'

/** Makes a composer. `onSubmit` is told what Enter sends. */
export function createComposer(tui: TUI, theme: Theme, onSubmit: (text: string) => void): Composer {
  const editor = new Editor(tui, theme.editor)
  editor.focused = true
  editor.onSubmit = onSubmit
  return {
    get text() {
      return editor.getText()
    },
    set: (text) => editor.setText(text),
    remember: (text) => editor.addToHistory(text),
    input: (data) => editor.handleInput(data),
    lines(width, height) {
      // The first and the last are rules.
      const lines = editor.render(width).slice(1, -1)
      const cursor = Math.max(
        0,
        lines.findIndex((line) => line.includes(CURSOR_MARKER)),
      )
      const from = Math.max(0, Math.min(cursor - height + 1, lines.length - height))
      return lines.slice(from, from + height)
    },
  }
}
