// Measures ways of doing the same work. They take turns, a batch each, so that other load on the machine
// slows all of them. Each round gives one ratio, and the page shows the median of the ratios.

/** One way of doing the work. */
export interface Contender {
  /** Does the work `times` times, and returns the nanoseconds that it took. */
  batch(times: number): number | Promise<number>
}

/** A measured figure: the median, the lower quartile and the upper quartile of the rounds. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** How often to measure. */
export interface Rounds {
  /** Turns that count. */
  readonly rounds: number
  /** Turns before those, in which the engine compiles the code. */
  readonly warmUp: number
  /** How often a turn does the work. */
  readonly times: number
}

/** For each contender, the nanoseconds of one piece of work in each round. */
export type Series<Name extends string> = Readonly<Record<Name, readonly number[]>>

/**
 * Lets the contenders take turns. Another contender begins in each round. An absent contender (C, without a compiler)
 * gets an empty list.
 */
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

/**
 * Makes a contender of a function that does the work `times` times. The function has the loop, so that the engine
 * compiles that loop alone.
 */
export function looped(work: (times: number) => void): Contender {
  return {
    batch(times: number): number {
      const start = performance.now()
      work(times)
      return (performance.now() - start) * 1e6
    },
  }
}

/** Returns the median and the quartiles. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number): number => {
    const place = part * (sorted.length - 1)
    const below = sorted[Math.floor(place)] ?? NaN
    return below + ((sorted[Math.ceil(place)] ?? NaN) - below) * (place % 1)
  }
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}

/** Returns the median and the quartiles, or null without values. */
export function spreadOrNull(values: readonly number[]): Spread | null {
  return values.length === 0 ? null : spread(values)
}

/** Divides `ours` by `theirs`, round by round. Returns null if `theirs` is empty. */
export function ratioOrNull(ours: readonly number[], theirs: readonly number[]): Spread | null {
  return theirs.length === 0 ? null : ratio(ours, theirs)
}

/** Divides `ours` by `theirs`, round by round. */
export function ratio(ours: readonly number[], theirs: readonly number[]): Spread {
  return spread(ours.map((ns, round) => ns / (theirs[round] as number)))
}

/** Subtracts `theirs` from `ours`, round by round, and divides by `parts`, the operations in a piece of work. */
export function difference(ours: readonly number[], theirs: readonly number[], parts = 1): Spread {
  return spread(ours.map((ns, round) => (ns - (theirs[round] as number)) / parts))
}
