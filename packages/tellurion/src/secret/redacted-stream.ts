// A text that comes in pieces, without the secrets in it: what could be the beginning of one is kept back until more has come.

/** A text that comes in pieces. */
export interface RedactedStream {
  /** Takes a piece, and gives what may be shown by now; nothing is kept back but what a secret could begin with. */
  push(piece: string): string
  /** The rest, when no more will come. */
  end(): string
}

/** What a stream knows of its secrets. It may become more while the stream flows. */
export interface Needles {
  /** Texts that are hidden, by their first character. */
  readonly byFirst: ReadonlyMap<string, readonly string[]>
  /** How long the longest is. */
  readonly longest: number
  text(text: string): string
}

/** Makes a stream. */
export function redactedStream(needles: () => Needles): RedactedStream {
  let held = ''
  return {
    push(piece) {
      const known = needles()
      const text = held + piece
      const cut = safeCut(text, known)
      held = text.slice(cut)
      return cut === 0 ? '' : known.text(text.slice(0, cut))
    },
    end() {
      const rest = held
      held = ''
      return rest === '' ? '' : needles().text(rest)
    },
  }
}

/** Up to where a text can be cleaned by itself: what comes behind neither begins a secret there nor ends one. */
function safeCut(text: string, { byFirst, longest }: Needles): number {
  const from = (at: number): readonly string[] => byFirst.get(text[at]!) ?? []
  let cut = text.length
  for (let at = Math.max(0, text.length - longest + 1); at < text.length; at++) {
    if (!from(at).some((needle) => needle.length > text.length - at && needle.startsWith(text.slice(at)))) continue
    cut = at
    break
  }
  // No secret that is whole already may lie on the cut.
  for (let at = Math.max(0, cut - longest + 1); at < cut; at++) {
    if (!from(at).some((needle) => at + needle.length > cut && text.startsWith(needle, at))) continue
    cut = at
    at = Math.max(0, cut - longest + 1) - 1
  }
  return cut
}
