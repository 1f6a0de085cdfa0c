// What bounds the memory: the program's own limit, and those of the host. The host's are read from several files, so
// they are not read each time.
import type { Memory } from '@memlayer/core'
import type { SnapshotLimit, SnapshotLimits } from './snapshot.js'

/** Milliseconds from one look at the host's limits to the next: at least so many, and so many times what it took. */
const [pauseMilliseconds, pauseRatio] = [1000, 1000]

/** Reads the limits of one memory. */
export class Limits {
  readonly #memory: Memory
  #host: Pick<SnapshotLimits, 'host' | 'at'> = { host: [], at: NaN }
  #until = -Infinity

  constructor(memory: Memory) {
    this.#memory = memory
  }

  /** The limits now. Those of the host are of the time `at`. */
  read(): SnapshotLimits {
    const start = performance.now()
    if (start >= this.#until) {
      this.#host = { host: hostLimits(this.#memory), at: Date.now() }
      const end = performance.now()
      this.#until = end + Math.max(pauseMilliseconds, pauseRatio * (end - start))
    }
    const own = this.#memory.limit
    return {
      own: own === null ? null : { ...toldLimit({ ...own, name: own.source }), of: own.of, beyond: own.beyond },
      ...this.#host,
    }
  }
}

/** The limits of the host, the smallest first. Where the backend knows none, the engine may know the group's. */
function hostLimits(memory: Memory): SnapshotLimit[] {
  const found = memory.hostLimits().map(toldLimit)
  const constrained = process.constrainedMemory()
  // A control group without a limit answers 2^63 less a page.
  const isLimited = constrained > 0 && constrained < 2 ** 53
  const isTold = !isLimited || found.some(({ bytes }) => (bytes ?? Infinity) <= constrained)
  return isTold ? found : [{ name: "the control group's limit", bytes: constrained, used: null }, ...found]
}

/** JSON has neither NaN nor Infinity. */
const toldLimit = ({ name, bytes, used }: { name: string; bytes: number; used: number }): SnapshotLimit => ({
  name,
  bytes: Number.isFinite(bytes) ? bytes : null,
  used: Number.isFinite(used) ? used : null,
})
