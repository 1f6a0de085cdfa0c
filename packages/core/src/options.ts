// Options of every call that takes some: each must be known. A misspelled option would be ignored without a word.
import { noteCopy } from './copies.js'
import { UsageError } from './errors.js'
import { show } from './text.js'

/**
 * Returns when `options` is an object whose every key is in `known`.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION, with the known option that is nearest to an unknown one.
 */
export function checkOptions(op: string, options: unknown, known: readonly string[]): void {
  noteCopy()
  if (typeof options !== 'object' || options === null) {
    throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: the options are ${show(options)}`, {
      op,
      hint: 'Pass an object, or leave the options out.',
    })
  }
  for (const key of Object.keys(options)) if (!known.includes(key)) unknownOption(op, key, known)
}

function unknownOption(op: string, key: string, known: readonly string[]): never {
  const nearest = nearestOf(key, known)
  const names =
    known.length === 0 ? 'Leave the options out, because this call takes none.' : `Pass one of: ${known.join(', ')}.`
  throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: the option ${show(key)} is not known`, {
    op,
    hint: nearest === undefined ? names : `Did you mean '${nearest}'? ${names}`,
  })
}

/** The name that takes the fewest edits, if half of its letters are right; case does not count. */
function nearestOf(word: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined
  let least = Infinity
  for (const name of names) {
    const edits = editsBetween(word.slice(0, 64).toLowerCase(), name.toLowerCase())
    if (edits < least && edits * 2 <= name.length) [nearest, least] = [name, edits]
  }
  return nearest
}

/** Levenshtein's distance. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const kept = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(kept, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
