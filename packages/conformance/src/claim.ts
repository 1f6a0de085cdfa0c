// Claims: a case's statements about a backend. A claim that does not hold ends the case.
import { formatAddress } from '@memlayer/core'

/** A case throws this when its claim does not hold. The message says what was expected and what was found. */
export class ConformanceError extends Error {
  /** The name that a log shows. */
  override readonly name: string = 'ConformanceError'
}

/** Fails with `words` unless `holds`. */
export function claim(holds: boolean, words: string): asserts holds {
  if (!holds) throw new ConformanceError(words)
}

const placed = new WeakSet<object>()

/** Adds to what ended a case where the case was. The words of the innermost stage stay. */
export function addPlace(error: unknown, words: string | null): void {
  if (!(error instanceof Error) || words === null || placed.has(error)) return
  placed.add(error)
  // A backend may throw a frozen error, which stays as it is.
  Reflect.set(error, 'message', `${error.message.replace(/\.$/, '')}. ${words}`)
}

/** Fails unless both values are the same. */
export function same(actual: unknown, expected: unknown, what: string): void {
  claim(Object.is(actual, expected), `${what}: expected ${String(expected)}, found ${String(actual)}`)
}

/** The error that `run` throws; null: it throws no error. */
export function thrownBy(run: () => unknown): unknown {
  try {
    run()
    return null
  } catch (error) {
    return error
  }
}

/** The contract's three errors, by name, because a backend may have another copy of core than this package. */
export type Outcome = 'OutOfMemoryError' | 'FatalError' | 'UsageError'

/** Which of the three errors this is; null: another error, or not an error. */
export function outcomeOf(error: unknown): Outcome | null {
  const { name, code, message, cause } = (error ?? {}) as Readonly<Record<string, unknown>>
  // Core makes a FatalError of an error that is none of the three.
  if (cause !== undefined && typeof message === 'string' && message.includes(': the backend threw ')) return null
  const isOne = name === 'OutOfMemoryError' || name === 'FatalError' || name === 'UsageError'
  return isOne && typeof code === 'string' && code.startsWith('ERR_MEMLAYER_') ? name : null
}

/** Fails unless `error` is one of the named outcomes. */
export function claimOutcome(error: unknown, allowed: readonly Outcome[], what: string): void {
  const outcome = outcomeOf(error)
  const words = allowed.join(' or ')
  if (error === null) throw new ConformanceError(`${what}: expected ${words}, but it threw no error`)
  claim(
    outcome !== null && allowed.includes(outcome),
    `${what}: expected ${words}, but it threw ${error instanceof Error ? error.message : typeof error}`,
  )
}

/** Whether an error says that its range is not as it was, and not as it should be. */
export function isUnsettled(error: unknown): boolean {
  return (error as { readonly unsettled?: unknown } | null)?.unsettled === true
}

/** [v, v+n) as text for people. */
export function rangeText(v: number, n: number): string {
  return `[${formatAddress(v)}, ${formatAddress(v + n)})`
}
