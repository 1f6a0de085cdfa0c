// What a benchmark is: a name, and a run that ends in lines. Each runs in a process of its own,
// so that none is compiled by what another did before.
import type { Comparison } from './comparison.js'
import { Floor } from './floor.js'
import type { Contender, Rounds } from './measure.js'

/** What a run is told. */
export interface Settings {
  /** Few rounds over little memory: to see that it works, not what it costs. */
  readonly quick: boolean
  /** The C program; null where there is none. */
  readonly floor: string | null
}

/** One benchmark. */
export interface Benchmark {
  /** By which it is picked: `npm run bench -- alloc`. */
  readonly name: string
  /** One sentence, for the help text. */
  readonly says: string
  /** Flags for its node. */
  readonly flags?: readonly string[]
  run(settings: Settings): Promise<readonly Comparison[]>
}

/** `full`, or as little as shows that the work can be done. */
export function rounds({ quick }: Settings, full: Rounds): Rounds {
  return quick ? { rounds: 3, warmUp: 1, times: Math.min(full.times, 4) } : full
}

/** A collection of all that is garbage: what the contender before has dropped is not for the next to sweep. */
export function collect(): void {
  globalThis.gc?.()
}

/** Runs `use` beside the C program's `work`, where there is one. */
export async function withFloor<T>(
  { floor }: Settings,
  work: string,
  use: (c: Contender | undefined) => Promise<T>,
): Promise<T> {
  if (floor === null) return use(undefined)
  using running = new Floor(floor)
  return await use(running.contender(work))
}
