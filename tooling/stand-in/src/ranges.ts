// The ranges that a stand-in has mapped: few, so an array serves.

interface Range {
  readonly start: number
  readonly end: number
}

/** A set of addresses, as ranges that touch nowhere. */
export class Ranges {
  #ranges: Range[] = []

  /** How many bytes are in the set. */
  get bytes(): number {
    return this.#ranges.reduce((sum, { start, end }) => sum + end - start, 0)
  }

  /** Whether all of [start, end) is in the set. */
  covers(start: number, end: number): boolean {
    return this.#ranges.some((range) => range.start <= start && range.end >= end)
  }

  /** Whether any of [start, end) is in the set. */
  meets(start: number, end: number): boolean {
    return this.#ranges.some((range) => range.start < end && range.end > start)
  }

  add(start: number, end: number): void {
    const touching = this.#ranges.filter((range) => range.start <= end && range.end >= start)
    const whole = touching.reduce(
      (sum, range) => ({ start: Math.min(sum.start, range.start), end: Math.max(sum.end, range.end) }),
      { start, end },
    )
    this.#ranges = [...this.#ranges.filter((range) => !touching.includes(range)), whole]
  }

  remove(start: number, end: number): void {
    this.#ranges = this.#ranges.flatMap((range) =>
      range.start < end && range.end > start
        ? [
            { start: range.start, end: start },
            { start: end, end: range.end },
          ].filter((rest) => rest.start < rest.end)
        : [range],
    )
  }
}
