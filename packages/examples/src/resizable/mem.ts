// The worked example of packages/docs/porting.md: a backend over one big resizable ArrayBuffer. It runs wherever
// JavaScript runs. It grows at the end, and memory that is freed at the end goes back. Memory that is freed elsewhere
// is handed out again before the end moves.
import { checkOptions, type OS, type Refusal, type Traits } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'
import { resizableKernel, type ResizableKernel } from './kernel.js'

/** Options of the backend. */
export interface ResizableOptions {
  /** The kernel below. Default: one over a buffer of up to 1 GiB. */
  readonly kernel?: ResizableKernel | undefined
}

/** Makes the memory of a resizable ArrayBuffer. */
export function createOS(options: ResizableOptions = {}): OS {
  const { kernel } = checkOptions('createOS', options, ['kernel'])
  return new Resizable(kernel ?? resizableKernel())
}

/** Freed pages below the end. */
interface Block {
  readonly address: Address
  readonly size: number
}

class Resizable implements OS {
  readonly name = 'resizable'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly #kernel: ResizableKernel
  // Address 0 means that there is no address, so the first page is never handed out.
  #end: Address
  // In order of address. No two blocks touch, and no block touches the end.
  readonly #free: Block[] = []

  constructor(kernel: ResizableKernel) {
    this.#kernel = kernel
    this.#end = kernel.pageSize
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      hugePageSize: 0,
      granularity: kernel.pageSize,
      freesParts: true,
      // New memory begins at the end of the buffer, and nowhere else.
      hints: false,
      // All memory below the end is usable.
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
    // Nothing to do: an ArrayBuffer gives pages back only at its end.
  }

  sysUsedOS(_v: Address, _n: number): void {
    // Nothing to do: sysUnused took no page.
  }

  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: the engine decides.
  }

  sysFreeOS(v: Address, n: number): void {
    this.#enter(v, n)
    const last = this.#free.at(-1)
    if (last === undefined || last.address + last.size !== this.#end) return
    const answer = this.#kernel.resize(last.address)
    // If the engine keeps the pages, they are cleared when they are handed out again.
    if (answer < 0) return
    this.#free.pop()
    this.#end = last.address
  }

  sysFaultOS(_v: Address, _n: number): void {
    // Nothing to do: no page can be made to fault.
  }

  sysReserveOS(v: Address | null, n: number): Address | null {
    if (v !== null && v !== this.#end) {
      this.refusal = { hint: 'Leave the address out: new memory begins only at the end of the buffer.' }
      return null
    }
    return (v === null ? this.#takeFree(n) : null) ?? this.#grow(n)
  }

  sysMapOS(_v: Address, _n: number): void {
    // Nothing to do: all memory below the end is usable.
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  detach(_buffer: ArrayBuffer): void {
    // All ranges share one buffer, so all its views are detached. Callers make new views.
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

  /** Takes the first block that is large enough, and clears its old bytes. Null: no block is large enough. */
  #takeFree(n: number): Address | null {
    const at = this.#free.findIndex(({ size }) => size >= n)
    const block = this.#free[at]
    if (block === undefined) return null
    const left = { address: block.address + n, size: block.size - n }
    this.#free.splice(at, 1, ...(left.size === 0 ? [] : [left]))
    this.#kernel.clear(block.address, n)
    return block.address
  }

  /** Adds a range to the list, and joins it with its neighbours. */
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
