// Keeps how much of each region is resident. If the time allows, a look takes in the whole memory: then all figures are
// of one moment. If not, it begins with what was never looked at, and the next look goes on there. The sum then says
// how old its oldest part is, and how much was not looked at yet. So a snapshot costs the same with ten regions and
// with ten thousand.
import type { Memory, OwnedRange } from '@memlayer/core'
import type { ResidentFigures } from './snapshot.js'
import { spansOf, type AnyRegion, type Span, type Spans } from './spans.js'

/** Bytes of one step. */
const stepBytes = 2 ** 28

interface Figures {
  readonly resident: number
  readonly huge: number
  /** The time of the look: milliseconds since 1970. */
  readonly at: number
  /** The bytes of the span at that time. */
  readonly size: number
}

/** A span that one look did not finish. */
interface Begun {
  readonly at: number
  readonly size: number
  piece: number
  offset: number
  resident: number
  huge: number
}

/** Keeps the last result for each region, and their sum. */
export class ResidencyBook {
  readonly #memory: Memory
  #figures = new Map<number, Figures>()
  #begun = new Map<number, Begun>()
  /** The next look goes on behind the span of this key. */
  #last = NaN
  #all: ResidentFigures | null = null
  #spans: Spans = { spans: [], outside: new Map() }

  constructor(memory: Memory) {
    this.#memory = memory
  }

  /** The whole memory, by the last look at each part. Null: the host can't tell, or nothing was looked at yet. */
  get all(): ResidentFigures | null {
    return this.#all
  }

  /** The memory's spans at the last look. */
  get spans(): Spans {
    return this.#spans
  }

  /** The last result for the region of this number. */
  of(id: number): { readonly resident: number; readonly huge: number | null; readonly at: number } | null {
    const found = this.#figures.get(id)
    return found === undefined ? null : { resident: found.resident, huge: orNull(found.huge), at: found.at }
  }

  /** Looks for `milliseconds`, at each part once at most. `regions` and `owned` are in order of address. */
  look(regions: readonly AnyRegion[], owned: readonly OwnedRange[], milliseconds: number): void {
    const [at, until] = [Date.now(), performance.now() + milliseconds]
    const { spans } = (this.#spans = spansOf(regions, owned))
    this.#forget(spans)
    for (const span of this.#inTurn(spans)) {
      if (!this.#look(span, at, until)) return
      if (performance.now() >= until) break
    }
    this.#sum(spans, at)
  }

  /** Forgets what is not a span any more, and stretches outside of regions that have another size. */
  #forget(spans: readonly Span[]): void {
    const [figures, begun] = [new Map<number, Figures>(), new Map<number, Begun>()]
    for (const span of spans) {
      const found = this.#figures.get(span.key)
      if (found !== undefined && (span.key >= 0 || found.size === sizeOf(span))) figures.set(span.key, found)
      const unfinished = this.#begun.get(span.key)
      if (unfinished !== undefined && unfinished.size === sizeOf(span)) begun.set(span.key, unfinished)
    }
    ;[this.#figures, this.#begun] = [figures, begun]
  }

  /** The spans that were never looked at, those that were begun, and the others from the last one on. */
  *#inTurn(spans: readonly Span[]): Generator<Span> {
    const isBegun = ({ key }: Span): boolean => this.#begun.has(key)
    const first = spans.filter((span) => !this.#figures.has(span.key) && !isBegun(span)).concat(spans.filter(isBegun))
    yield* first
    const isFirst = new Set(first)
    const start = 1 + spans.findIndex(({ key }) => key === this.#last)
    for (let i = 0; i < spans.length; i++) {
      const span = spans[(start + i) % spans.length] as Span
      if (isFirst.has(span)) continue
      this.#last = span.key
      yield span
    }
  }

  /** Looks at a span until the time is over. False: this host can't tell. */
  #look(span: Span, at: number, until: number): boolean {
    const size = sizeOf(span)
    const sum = this.#begun.get(span.key) ?? { at, size, piece: 0, offset: 0, resident: 0, huge: 0 }
    this.#begun.set(span.key, sum)
    for (; sum.piece < span.pieces.length; sum.piece += 1, sum.offset = 0) {
      const [address, length] = span.pieces[sum.piece] as readonly [number, number]
      while (sum.offset < length) {
        // A step at least, and then as the time allows.
        if (sum.piece + sum.offset > 0 && performance.now() >= until) return true
        const found = this.#memory.residency(address + sum.offset, Math.min(stepBytes, length - sum.offset))
        if (found === null) return false
        sum.resident += found.resident
        sum.huge += found.huge
        sum.offset += stepBytes
      }
    }
    this.#begun.delete(span.key)
    this.#figures.set(span.key, sum)
    return true
  }

  #sum(spans: readonly Span[], now: number): void {
    const all = { resident: 0, huge: 0, at: now, missing: 0 }
    for (const { key, mapped } of spans) {
      const found = this.#figures.get(key)
      if (found === undefined) {
        all.missing += mapped
        continue
      }
      all.resident += found.resident
      all.huge += found.huge
      all.at = Math.min(all.at, found.at)
    }
    this.#all = { ...all, huge: orNull(all.huge) }
  }
}

const sizeOf = ({ pieces }: Span): number => pieces.reduce((sum, [, size]) => sum + size, 0)

/** A host that can't tell huge pages answers NaN, and JSON has no NaN. */
const orNull = (n: number): number | null => (Number.isNaN(n) ? null : n)
