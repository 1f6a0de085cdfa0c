// A benchmark is a name and a run that returns lines. Each benchmark runs in its own process,
// so that the engine does not compile it by what another benchmark did before.
import type { Comparison } from './comparison.js'
import { Floor } from './floor.js'
import type { Contender, Rounds } from './measure.js'

/** The settings of a run. */
export interface Settings {
  /** Runs few rounds over little memory. This shows that a benchmark works, not what the work costs. */
  readonly quick: boolean
  /** The path of the C program, or null without a C compiler. */
  readonly floor: string | null
}

/** One benchmark. */
export interface Benchmark {
  /** The command line picks a benchmark by this name: `npm run bench -- alloc`. */
  readonly name: string
  /** One sentence for the help text. */
  readonly says: string
  /** Flags for its Node process. */
  readonly flags?: readonly string[]
  run(settings: Settings): Promise<readonly Comparison[]>
}

/** Returns `full`, or the few rounds of a quick run. */
export function rounds({ quick }: Settings, full: Rounds): Rounds {
  return quick ? { rounds: 3, warmUp: 1, times: Math.min(full.times, 4) } : full
}

/** Collects all garbage, so that the next contender does not pay for what the last one dropped. */
export function collect(): void {
  globalThis.gc?.()
}

/** Runs `use` beside the C program's `work`. Without a C program, `use` gets undefined. */
export async function withFloor<T>(
  { floor }: Settings,
  work: string,
  use: (c: Contender | undefined) => Promise<T>,
): Promise<T> {
  if (floor === null) return use(undefined)
  using running = new Floor(floor)
  return await use(running.contender(work))
}
