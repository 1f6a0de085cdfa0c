// my-os, as a memlayer backend: eight functions in the order of Go's runtime/mem.go. core's wrappers are
// their callers and have checked ranges and states; `kernel` is all this file sees of the host.
//
// Three outcomes, no fourth. Done: return. Refused: null, with `refusal` set. Broken: a FatalError. It
// never throws a UsageError, calls no wrapper of core, and keeps its state in the instance.
import { type OS, type Refusal, type Traits } from '@memlayer/core'
import type { Address, Plan9Kernel } from '@memlayer/kernel'
import { ENOMEM } from './defs.js'
import { hostKernel } from './host.js'

/** How the backend is made. */
export interface BackendOptions {
  /** The kernel below; none given: the host's own. */
  readonly kernel?: Plan9Kernel
}

/** The memory of my-os over a kernel. */
export function createOS(options: BackendOptions = {}): OS {
  return new MyOs(options.kernel ?? hostKernel())
}

/** Pages that were freed, and are zero. */
interface Block {
  readonly address: Address
  readonly size: number
}

class MyOs implements OS {
  readonly name = 'my-os'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly #kernel: Plan9Kernel
  #break: Address
  // In order of address; no two touch.
  #free: Block[] = []

  constructor(kernel: Plan9Kernel) {
    this.#kernel = kernel
    this.#break = Math.ceil(kernel.end / kernel.pageSize) * kernel.pageSize
    // Each is a promise that the suite holds the backend to.
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      hugePageSize: 0,
      granularity: kernel.pageSize,
      freesParts: true,
      hints: false,
      // Below the break, memory is memory: nothing faults, and nothing is given back.
      reservedTraps: false,
      unusedTraps: false,
      faultTraps: false,
      threadsShare: true,
      unusedReturnsMemory: false,
      unusedDropsContents: false,
    })
  }

  /** None to Ready: zeroed memory at an address that the system chooses. null: refused. */
  sysAllocOS(n: number): Address | null {
    return this.#take(n)
  }

  /** Ready to Prepared: the contents are forfeit. A no-op means that the system can't take pages back. */
  sysUnusedOS(_v: Address, _n: number): void {
    // Nothing to do: a segment has no page that could be given back.
  }

  /** Prepared, or a mix of Prepared and Ready, to Ready: what is Ready keeps its bytes. */
  sysUsedOS(_v: Address, _n: number): void {
    // Nothing to do: sysUnused took nothing.
  }

  /** No transition: larger pages would serve the range. A no-op means that there are none to ask for. */
  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: there are none.
  }

  /** Any state to None. What the kernel keeps is told by `refusal`, and stays owned. */
  sysFreeOS(v: Address, n: number): void {
    this.#kernel.clear(v, n)
    const at = this.#free.findIndex(({ address }) => address > v)
    const next = at === -1 ? this.#free.length : at
    const [before, after] = [this.#free[next - 1], this.#free[next]]
    const joinsBefore = before !== undefined && before.address + before.size === v
    const joinsAfter = after !== undefined && v + n === after.address
    const address = joinsBefore ? before.address : v
    const end = joinsAfter ? after.address + after.size : v + n
    this.#free.splice(next - (joinsBefore ? 1 : 0), Number(joinsBefore) + Number(joinsAfter), {
      address,
      size: end - address,
    })
  }

  /** Ready or Prepared to Reserved: touching the range faults from now on, where the trait says so. */
  sysFaultOS(_v: Address, _n: number): void {
    // Nothing to do: the range stays memory.
  }

  /** None to Reserved, at `v` if it is given and free, else anywhere; never over what is there. null: refused. */
  sysReserveOS(v: Address | null, n: number): Address | null {
    if (v === null || v === this.#break) return this.#take(n)
    this.refusal = { hint: 'Only the end of memory can be had by address: leave the address out.' }
    return null
  }

  /** Reserved to Prepared. A no-op means that the two are one to this system. */
  sysMapOS(_v: Address, _n: number): void {
    // Nothing to do: all of it is memory.
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  /** Zeroed pages: from the first free block that is large enough, or by raising the break. */
  #take(n: number): Address | null {
    const at = this.#free.findIndex(({ size }) => size >= n)
    const block = this.#free[at]
    if (block !== undefined) {
      const left = block.size - n
      if (left === 0) this.#free.splice(at, 1)
      else this.#free[at] = { address: block.address, size: left }
      return block.address + left
    }
    const v = this.#break
    if (this.#kernel.brk(v + n) < 0) {
      this.refusal = { syscall: 'brk', errno: ENOMEM, errnoName: 'ENOMEM', hint: 'Free memory, or ask for less.' }
      return null
    }
    this.#break = v + n
    return v
  }
}
