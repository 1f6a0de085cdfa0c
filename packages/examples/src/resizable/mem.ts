// The worked example of packages/docs/porting.md: a backend over one big resizable ArrayBuffer, which runs
// wherever JavaScript does. Growing takes memory at the end, freeing there gives it back; what is freed
// elsewhere is handed out again before the end moves.
import type { OS, Refusal, Traits } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'
import { resizableKernel, type ResizableKernel } from './kernel.js'

/** How the backend is made. */
export interface ResizableOptions {
  /** The kernel below; none given: one over a buffer of up to 1 GiB. */
  readonly kernel?: ResizableKernel
}

/** The memory of a resizable ArrayBuffer. */
export function createOS(options: ResizableOptions = {}): OS {
  return new Resizable(options.kernel ?? resizableKernel())
}

/** Pages that were freed below the end. */
interface Block {
  readonly address: Address
  readonly size: number
}

class Resizable implements OS {
  readonly name = 'resizable'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly #kernel: ResizableKernel
  // Address 0 is no address: the first page is never handed out.
  #end: Address
  // In order of address; no two touch, and none touches the end.
  readonly #free: Block[] = []

  constructor(kernel: ResizableKernel) {
    this.#kernel = kernel
    this.#end = kernel.pageSize
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      hugePageSize: 0,
      granularity: kernel.pageSize,
      freesParts: true,
      // Memory is had where it ends, and nowhere else.
      hints: false,
      // Below the end, memory is memory.
      reservedTraps: false,
      unusedTraps: false,
      faultTraps: false,
      // Another thread would have another buffer.
      threadsShare: false,
      unusedReturnsMemory: false,
      unusedDropsContents: false,
    })
  }

  sysAllocOS(n: number): Address | null {
    return this.sysReserveOS(null, n)
  }

  sysUnusedOS(_v: Address, _n: number): void {
    // Nothing to do: an ArrayBuffer gives pages back at its end alone.
  }

  sysUsedOS(_v: Address, _n: number): void {
    // Nothing to do: sysUnused took nothing.
  }

  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: the engine decides.
  }

  sysFreeOS(v: Address, n: number): void {
    this.#enter(v, n)
    const last = this.#free.at(-1)
    if (last === undefined || last.address + last.size !== this.#end) return
    const answer = this.#kernel.resize(last.address)
    // An engine that keeps the pages has them cleared when they are handed out again.
    if (answer < 0) return
    this.#free.pop()
    this.#end = last.address
  }

  sysFaultOS(_v: Address, _n: number): void {
    // Nothing to do: no page can be made to fault.
  }

  sysReserveOS(v: Address | null, n: number): Address | null {
    if (v !== null && v !== this.#end) {
      this.refusal = { hint: 'Memory begins where it ends and nowhere else: leave the address out.' }
      return null
    }
    return (v === null ? this.#takeFree(n) : null) ?? this.#grow(n)
  }

  sysMapOS(_v: Address, _n: number): void {
    // Nothing to do: all of it is memory.
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  detach(_buffer: ArrayBuffer): void {
    // One buffer serves all ranges, so all views of them go together, and are made anew.
    this.#kernel.detach()
  }

  #grow(n: number): Address | null {
    const p = this.#end
    const answer = this.#kernel.resize(p + n)
    if (answer < 0) {
      this.refusal = {
        syscall: 'resize',
        errno: -answer,
        errnoName: 'ENOMEM',
        hint: 'Free memory, or make the buffer with a larger maximum.',
      }
      return null
    }
    this.#end = p + n
    return p
  }

  /** The first block that is large enough; null: there is none. It was written, so it is cleared. */
  #takeFree(n: number): Address | null {
    const at = this.#free.findIndex(({ size }) => size >= n)
    const block = this.#free[at]
    if (block === undefined) return null
    const left = { address: block.address + n, size: block.size - n }
    this.#free.splice(at, 1, ...(left.size === 0 ? [] : [left]))
    this.#kernel.clear(block.address, n)
    return block.address
  }

  /** Puts a range on the list, one with its neighbours. */
  #enter(v: Address, n: number): void {
    let next = this.#free.findIndex(({ address }) => address > v)
    if (next === -1) next = this.#free.length
    const [before, after] = [this.#free[next - 1], this.#free[next]]
    const joinsBefore = before !== undefined && before.address + before.size === v
    const joinsAfter = after !== undefined && v + n === after.address
    const address = joinsBefore ? before.address : v
    const end = joinsAfter ? after.address + after.size : v + n
    this.#free.splice(next - Number(joinsBefore), Number(joinsBefore) + Number(joinsAfter), {
      address,
      size: end - address,
    })
  }
}
