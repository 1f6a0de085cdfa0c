// Measuring: ways of doing the same work take turns, a batch each, so that whatever else the
// machine does meets all of them; ratios are made round by round, and told by their median.

/** One way of doing the work. */
export interface Contender {
  /** Does the work `times` times; the nanoseconds that it took. */
  batch(times: number): number | Promise<number>
}

/** A figure as it was seen: the median, and the quarters of the rounds below and above it. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** How often to measure. */
export interface Rounds {
  /** Turns that count. */
  readonly rounds: number
  /** Turns before, for the engine to compile what it runs. */
  readonly warmUp: number
  /** How often the work is done in a turn. */
  readonly times: number
}

/** Nanoseconds of one piece of work, a number a round, by contender. */
export type Series<Name extends string> = Readonly<Record<Name, readonly number[]>>

/** Lets the contenders take turns; who begins changes with each round. One that is absent (C, without a compiler) has no numbers. */
export async function takeTurns<Name extends string>(
  contenders: { readonly [N in Name]: Contender | undefined },
  { rounds, warmUp, times }: Rounds,
): Promise<Series<Name>> {
  const entries = Object.entries<Contender | undefined>(contenders)
  const series = Object.fromEntries(entries.map(([name]) => [name, []])) as unknown as Record<string, number[]>
  const present = entries.filter((entry): entry is [string, Contender] => entry[1] !== undefined)
  for (let round = 0; round < warmUp + rounds; round++) {
    for (let i = 0; i < present.length; i++) {
      const [name, contender] = present[(i + round) % present.length] as [string, Contender]
      const ns = (await contender.batch(times)) / times
      if (round >= warmUp) series[name]?.push(ns)
    }
  }
  return series as Record<Name, number[]>
}

/** A contender whose work is a function that does it so many times. The loop is the function's own: engines compile it by itself. */
export function looped(work: (times: number) => void): Contender {
  return {
    batch(times: number): number {
      const start = performance.now()
      work(times)
      return (performance.now() - start) * 1e6
    },
  }
}

/** The median and the quarters. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number): number => {
    const place = part * (sorted.length - 1)
    const below = sorted[Math.floor(place)] ?? NaN
    return below + ((sorted[Math.ceil(place)] ?? NaN) - below) * (place % 1)
  }
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}

/** The same, or null where nothing was measured. */
export function spreadOrNull(values: readonly number[]): Spread | null {
  return values.length === 0 ? null : spread(values)
}

/** `ours` over `theirs`, or null where nothing was measured of theirs. */
export function ratioOrNull(ours: readonly number[], theirs: readonly number[]): Spread | null {
  return theirs.length === 0 ? null : ratio(ours, theirs)
}

/** `ours` over `theirs`, round by round. */
export function ratio(ours: readonly number[], theirs: readonly number[]): Spread {
  return spread(ours.map((ns, round) => ns / (theirs[round] as number)))
}

/** `ours` less `theirs`, round by round, over `parts`: of so many operations was each piece of work made. */
export function difference(ours: readonly number[], theirs: readonly number[], parts = 1): Spread {
  return spread(ours.map((ns, round) => (ns - (theirs[round] as number)) / parts))
}
