// The table that the threads of a process share, simulated: tests say which threads there are, and which have ended.
import type { ProcessTable } from '@memlayer/kernel'

const page = 4096

/** The memory and the threads of a process. */
export class Process {
  readonly words = new Int32Array(64 * 64)
  readonly alive = new Set<number>()
  readonly unmapped: string[] = []
  readonly #memory = new Map<number, Float64Array>()
  #next = 2 ** 44
  /** Whether there is memory for logs. */
  hasMemory = true

  /** The table, as the thread of this number finds it. */
  of(thread: number): ProcessTable {
    this.alive.add(thread)
    return {
      words: this.words,
      thread,
      engineThread: thread - 1,
      isThread: (number) => this.alive.has(number),
      map: (bytes) => {
        if (!this.hasMemory) return 0
        const at = this.#next
        this.#next += bytes
        this.#memory.set(at, new Float64Array(bytes / 8))
        return at
      },
      numbers: (at) => this.#memory.get(at) as Float64Array,
      unmap: (at, bytes) => {
        if (!this.#memory.delete(at)) this.unmapped.push(`${at / page}+${bytes / page}`)
        return true
      },
      onThreadEnd: () => undefined,
    }
  }

  /** The logs that are mapped. */
  get logs(): number {
    return this.#memory.size
  }
}
