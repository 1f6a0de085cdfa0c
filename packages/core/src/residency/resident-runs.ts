// Which pages of a memory's ranges have memory behind them, for explain.ts. Ranges that lie together are one
// question to the kernel.
import { residencyBits, type Address } from '@memlayer/kernel'
import type { OwnedRange } from '../ledger/states.js'
import type { OS } from '../os.js'

/** Ranges so near are asked for together. A look at the bytes between costs less than another question. */
const gapBytesMax = 2 ** 20

/** Pairs of first byte and end, in order of address. */
export type Runs = readonly Address[]

/** The runs of `ranges`, which are in order of address. Empty where the OS can't tell. */
export function residentRuns(os: OS, ranges: readonly OwnedRange[]): Address[] {
  // Reserved pages have no memory: they were mapped without access.
  const mapped = ranges.filter(({ state }) => state !== 'Reserved')
  const runs: Address[] = []
  for (let from = 0; from < mapped.length;) {
    let to = from + 1
    while (
      to < mapped.length &&
      (mapped[to] as OwnedRange).address - endOf(mapped[to - 1] as OwnedRange) <= gapBytesMax
    )
      to += 1
    const start = (mapped[from] as OwnedRange).address
    // Some kernels don't answer where something between is not mapped. Then each range is asked for by itself.
    const words =
      os.host?.residency?.(start, endOf(mapped[to - 1] as OwnedRange) - start) ??
      mapped.slice(from, to).flatMap(({ address, size }) => os.host?.residency?.(address, size) ?? [])
    addRuns(runs, words, mapped, from)
    from = to
  }
  return runs
}

/** Adds the parts of the answer that lie in the ranges from `at` on. */
function addRuns(runs: Address[], words: readonly number[], ranges: readonly OwnedRange[], at: number): void {
  for (let i = 0; i < words.length; i += 3) {
    const start = words[i] as number
    const end = start + (words[i + 1] as number)
    if (((words[i + 2] as number) & residencyBits.resident) === 0) continue
    while (at < ranges.length && endOf(ranges[at] as OwnedRange) <= start) at += 1
    for (let j = at; j < ranges.length && (ranges[j] as OwnedRange).address < end; j++) {
      const range = ranges[j] as OwnedRange
      runs.push(Math.max(start, range.address), Math.min(end, endOf(range)))
    }
  }
}

/** Adds up the bytes of runs in ranges. Ranges are asked for in order of address. */
export class RunSums {
  readonly #runs: Runs
  #next = 0

  constructor(runs: Runs) {
    this.#runs = runs
  }

  /** The bytes of [start, end) that the runs hold. */
  within(start: Address, end: Address): number {
    const runs = this.#runs
    while (this.#next < runs.length && (runs[this.#next + 1] as number) <= start) this.#next += 2
    let sum = 0
    for (let i = this.#next; i < runs.length && (runs[i] as number) < end; i += 2) {
      sum += Math.min(runs[i + 1] as number, end) - Math.max(runs[i] as number, start)
    }
    return sum
  }
}

/** The runs of several memories as one list in order. They do not overlap. */
export function joined(all: readonly Runs[]): Runs {
  const [first = [], ...others] = all.filter(({ length }) => length > 0)
  if (others.length === 0) return first
  const pairs = [first, ...others].flatMap((runs) =>
    Array.from({ length: runs.length / 2 }, (_, i) => runs.slice(2 * i, 2 * i + 2)),
  )
  return pairs.sort((a, b) => (a[0] as number) - (b[0] as number)).flat()
}

const endOf = ({ address, size }: OwnedRange): Address => address + size
