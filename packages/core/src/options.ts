// Options of every call that takes some: each must be known. A misspelled option would be ignored without a word.
import { noteCopy } from './copies.js'
import { UsageError } from './errors.js'
import { show } from './text.js'

/**
 * Returns a copy of `options`, when it is an object whose every key is in `known`. Each option is read once, so that
 * what is checked is what is used. What an option inherits counts, but not from Object.prototype. `hint` is for what is
 * no object; a call that needs an option gives its own.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION, with the known option that is nearest to an unknown one.
 */
export function checkOptions<T extends object>(
  op: string,
  options: T,
  known: readonly string[],
  hint = 'Pass an object, or leave the options out.',
): T {
  noteCopy()
  if (typeof options !== 'object' || (options as T | null) === null) {
    throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: the options are ${show(options)}`, { op, hint })
  }
  for (const key of Object.keys(options)) if (!known.includes(key)) unknownOption(op, key, known)
  const copy = Object.create(null) as Record<string, unknown>
  for (const key of known) if (isOwnOrOfClass(options, key)) copy[key] = (options as Record<string, unknown>)[key]
  return copy as T
}

/** Whether an object has a member, itself or by its class. Any code can write to Object.prototype. */
export function isOwnOrOfClass(object: object, key: string): boolean {
  for (
    let at: object | null = object;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object
  ) {
    if (Object.hasOwn(at, key)) return true
  }
  return false
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
