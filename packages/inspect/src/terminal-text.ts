// Text for a terminal: its width in columns, removal of control characters, and lines that end in time.

/** A piece of a line in one colour. */
export interface Piece {
  /** The text, without line breaks. */
  readonly text: string
  /** SGR parameters, for example `32`. Empty: the terminal's own colour. */
  readonly colour: string
}

// Characters of two columns: emoji, and the East Asian blocks from Hangul Jamo to the fullwidth signs.
const wide = new RegExp(
  String.raw`\p{Emoji_Presentation}|[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3]` +
    String.raw`|[\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]`,
  'u',
)
const joined = /\p{M}|\u200D/u

// A joiner between two emoji makes one of them. Elsewhere it is invisible, as other format characters are.
const format = /(?<!\p{Extended_Pictographic}\uFE0F?)\u200D|\u200D(?!\p{Extended_Pictographic})|(?!\u200D)\p{Cf}/gu

/**
 * Replaces every character that a terminal obeys, because names may come from untrusted code. A format character, which
 * can hide or turn around what is next to it, is shown as an escape.
 */
export function harmless(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, '\uFFFD')
    .replaceAll(format, (one) => `\\u{${one.codePointAt(0)?.toString(16).toUpperCase()}}`)
}

/** The number of columns that a character takes. */
function columnsOf(character: string): number {
  return joined.test(character) ? 0 : wide.test(character) ? 2 : 1
}

/** The longest start of a text that fits into `columns`, and the number of columns that it takes. */
export function clip(text: string, columns: number): { readonly text: string; readonly columns: number } {
  let [kept, used] = ['', 0]
  for (const character of text) {
    const more = columnsOf(character)
    if (used + more > columns) break
    kept += character
    used += more
  }
  return { text: kept, columns: used }
}

/** Like `clip`, but a text that is cut ends in an ellipsis. So a reader does not take the rest for the whole. */
function shorten(text: string, columns: number): { readonly text: string; readonly columns: number } {
  const kept = clip(text, columns)
  if (kept.text === text || columns === 0) return kept
  const shorter = clip(text, columns - 1)
  return { text: `${shorter.text}…`, columns: shorter.columns + 1 }
}

/** A text in exactly `columns` columns. */
export function cell(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const kept = shorten(harmless(text), columns)
  const fill = ' '.repeat(columns - kept.columns)
  return side === 'left' ? kept.text + fill : fill + kept.text
}

/** A line of at most `width` columns, coloured or not. */
export function line(pieces: readonly Piece[], width: number, isColoured: boolean): string {
  const safe = pieces.map(({ text, colour }) => ({ text: harmless(text), colour }))
  let rest = shorten(
    safe
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
    width,
  ).text
  return safe
    .map(({ text, colour }) => {
      const shown = rest.slice(0, text.length)
      rest = rest.slice(text.length)
      return isColoured && colour !== '' && shown !== '' ? `\u001B[${colour}m${shown}\u001B[0m` : shown
    })
    .join('')
}
