// The budget of kernel mappings. A Linux process may have 65,530 of them (vm.max_map_count), and
// a process that has them all dies at the engine's next allocation, with no word about why.
// So the layer stops short of it: it counts the operations that can cost one, asks the kernel
// only when they may have used up what was left, and refuses before the kernel does.
import { OutOfMemoryError } from './errors.js'
import type { OS } from './os.js'

// sysUnused can split off two huge pages at the ends and the range between: three splits, two mappings each.
const MOST_PER_OPERATION = 6
// Before the first count: few enough operations for the default limit, many enough to start without reading files.
const UNCOUNTED = 4096
/** Mappings left to the engine, the C library and other native code. */
const HEADROOM = 1024

/** Counts down to the next question to the kernel. */
export class MappingBudget {
  readonly #os: OS
  /** Operations that are certain to fit. */
  #left: number

  constructor(os: OS) {
    this.#os = os
    this.#left = os.mappings === undefined ? Infinity : UNCOUNTED
  }

  /** One more operation that may cost mappings, and is one of those that return some: never refused. */
  spend(): void {
    this.#left -= 1
  }

  /**
   * One more operation that costs mappings.
   *
   * @throws OutOfMemoryError when the process is within the engine's headroom of its limit.
   */
  demand(op: string, n: number): void {
    if (--this.#left < 0) this.#recount(op, n)
  }

  #recount(op: string, n: number): void {
    const count = this.#os.mappings?.()
    if (count === undefined || Number.isNaN(count.limit) || Number.isNaN(count.used)) {
      this.#left = Infinity
      return
    }
    const { used, limit } = count
    const free = limit - HEADROOM - used
    this.#left = Math.floor(free / MOST_PER_OPERATION)
    if (free >= MOST_PER_OPERATION) return
    throw new OutOfMemoryError(`${op}: the process has ${used} of ${limit} kernel mappings, and the engine needs some of the rest`, {
      op,
      size: n,
      hint: 'Free neighbouring ranges together and keep pages of one state side by side, or raise vm.max_map_count with sysctl.',
    })
  }
}
