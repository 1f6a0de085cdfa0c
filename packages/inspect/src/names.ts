// Names as people read them. A name is any text: it may be blank, of any length, and have characters that turn around
// or hide what stands beside it.
import { harmless } from './terminal-text.js'

/** Characters of a name that are shown. The whole name stands in a title. */
const charactersMax = 60
// Besides white space: fillers, and the braille pattern without dots.
const blank = /^[\s\u115F\u1160\u2800\u3164\uFFA0]*$/u
// Letters that are written from right to left.
const rightToLeft = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u
/** First strong isolate, and pop directional isolate. */
const [isolate, end] = ['\u2068', '\u2069']

/** A name in a sentence or in a cell. */
export function shownName(name: string, most: number = charactersMax): string {
  const text = visible(name)
  const characters = Array.from(text)
  const cut = characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`
  // What is beside it keeps its direction.
  return rightToLeft.test(cut) ? isolate + cut + end : cut
}

/** A name in which every character can be seen. */
export function visible(name: string): string {
  return blank.test(name) ? '(blank)' : harmless(name)
}
