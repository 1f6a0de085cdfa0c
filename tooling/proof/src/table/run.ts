// Runs the suite over the faults of one backend. A fault is caught by a case that fails, or that warns of a trait.
import { conformance, runCases, type Case } from '@memlayer/conformance'
import type { AnySubject } from '../simulated.js'
import { reasonFor } from './survivors.js'
import { faultsOf } from './table.js'
import { newShared, wrongOS, type Fault } from './wrong-os.js'

/** What became of one fault. */
export interface Outcome {
  readonly fn: string
  readonly way: string
  /** The cases that caught it, as far as they were run. Empty: it survived. */
  readonly caughtBy: readonly string[]
  /** Milliseconds. */
  readonly took: number
}

/** How a table is run. */
export interface RunOptions {
  readonly seed: number
  /** After this many cases that catch it, a fault is done with. */
  readonly enough: number
  /** Whether to run the faults that can't be caught too. */
  readonly isAll: boolean
  /** Only the faults with this text in their function or their way. */
  readonly only?: string | undefined
}

/** Cases that take long, so that others are tried first. */
const slow = ['histories', 'k-th-call']

/** The cases that are tried first, by a word in the way of being wrong. */
const guesses: readonly (readonly [way: RegExp, id: string])[] = [
  [/thousand/, 'again/rounds'],
  [/until a|after a refusal/, 'again/after-refusals'],
  [/instance/, 'again/two-backends'],
  [/low address/, 'again/places'],
  [/^hides/, 'refusals/told'],
  [/^(tells|throws|gives)/, 'refusals/words'],
  [/twice$/, 'cost/no-repeats'],
]

/** Whether a case is about a fault at first sight. */
function isGuess({ fn, way }: Fault, id: string): boolean {
  const [, found] = guesses.find(([words]) => words.test(way)) ?? []
  return (
    id === (found ?? `sizes/${fn.replace(/OS$/, '')}`) || (fn.includes('.') && id.startsWith(fn.split('.')[0] ?? ''))
  )
}

/** Runs a subject's table. */
export function runTable(subject: AnySubject, options: RunOptions): Outcome[] {
  // The cases that caught the faults of a function so far are tried first.
  const hits = new Map<string, number>()
  return faultsOf(subject)
    .filter(({ fn, way }) => options.only === undefined || `${fn} ${way}`.includes(options.only))
    .map((fault) => {
      const start = performance.now()
      const isLeft = !options.isAll && reasonFor(subject.name, fault) !== null
      const caughtBy = isLeft ? [] : catches(subject, fault, options, hits)
      return { fn: fault.fn, way: fault.way, caughtBy, took: Math.round(performance.now() - start) }
    })
}

function catches(subject: AnySubject, fault: Fault, { seed, enough }: RunOptions, hits: Map<string, number>): string[] {
  const shared = newShared()
  const wrong = { ...subject, createOS: (made: object) => wrongOS(subject.createOS(made), fault, shared) }
  const word = fault.fn.replace(/OS$/, '')
  const key = (id: string): string => `${fault.fn} ${id}`
  const rank = ({ id, title }: Case): number => {
    if (isGuess(fault, id)) return -Infinity
    if (slow.some((part) => id.startsWith(part))) return 1
    return -(hits.get(key(id)) ?? 0) - (title.includes(word) ? 0.5 : 0)
  }
  const found: string[] = []
  const cases = conformance(wrong, { seed })
    .map((one) => ({ one, rank: rank(one) }))
    .toSorted((a, b) => a.rank - b.rank)
  for (const { one } of cases) {
    const [result] = runCases([one]).results
    if (result === undefined || !(result.status === 'fail' || 'warning' in result)) continue
    found.push(one.id)
    hits.set(key(one.id), (hits.get(key(one.id)) ?? 0) + 1)
    if (found.length >= enough) break
  }
  return found
}
