// Fits the sections of the terminal's view into as many lines as there are.
import type { Piece } from './terminal-text.js'

/** A part of the view that stays together. */
export interface Section {
  /** The section with the lowest rank is the last to be left out. */
  readonly rank: number
  /** Lines below which it says too little, and is left out. */
  readonly least: number
  /** Lines with all that it has. */
  readonly most: number
  /** Draws it in so many lines: from `least` to `most`. */
  draw(lines: number): (readonly Piece[])[]
}

/** The sections from top to bottom, in at most `height` lines. Between them are empty lines where there is room. */
export function fit(sections: readonly Section[], height: number): (readonly Piece[])[] {
  const lines = allot(sections, height)
  const drawn = sections.flatMap((section, i) => {
    const count = lines[i] ?? 0
    return count === 0 ? [] : [section.draw(count)]
  })
  const all = drawn.reduce((sum, one) => sum + one.length, 0)
  const hasRoom = all + drawn.length - 1 <= height
  return drawn.flatMap((one, i) => (hasRoom && i > 0 ? [[], ...one] : one)).slice(0, height)
}

/** How many lines each section gets: first the least of each, then more, both in order of rank. */
function allot(sections: readonly Section[], height: number): number[] {
  const lines = sections.map(() => 0)
  const inRank = sections.map((_, i) => i).sort((a, b) => (sections[a]?.rank ?? 0) - (sections[b]?.rank ?? 0))
  let left = height
  const give = (i: number, wanted: number): void => {
    const more = wanted - (lines[i] ?? 0)
    lines[i] = wanted
    left -= more
  }
  for (const i of inRank) if ((sections[i]?.least ?? 0) <= left) give(i, sections[i]?.least ?? 0)
  for (const i of inRank) {
    const { least = 0, most = 0 } = sections[i] ?? {}
    // One that was left out stays out.
    if ((lines[i] ?? 0) >= least) give(i, Math.min(most, (lines[i] ?? 0) + Math.max(0, left)))
  }
  return lines
}
