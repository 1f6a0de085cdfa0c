// The memlayer backend for my-os: eight functions in the order of Go's runtime/mem.go. Core's wrappers call them, and
// have checked ranges and states before. `kernel` is this file's only access to the host.
//
// A function has three outcomes. Done: it returns. Refused: it returns null and sets `refusal`. Broken: it throws a
// FatalError. It never throws a UsageError, calls no wrapper of core, and keeps its state in the instance.
import { checkOptions, FatalError, type OS, type Refusal, type Traits } from '@memlayer/core'
import type { Address, Plan9Kernel } from '@memlayer/kernel'
import { ENOMEM } from './defs.js'
import { hostKernel } from './host.js'

/** Options of the backend. */
export interface BackendOptions {
  /** The kernel below. Default: the host's own. */
  readonly kernel?: Plan9Kernel | undefined
}

/** Makes the memory of my-os over a kernel. */
export function createOS(options: BackendOptions = {}): OS {
  const { kernel } = checkOptions('createOS', options, ['kernel'])
  return new MyOs(kernel ?? hostKernel())
}

/** Freed pages, which are zero. */
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
  // In order of address. Two blocks never touch.
  #free: Block[] = []

  constructor(kernel: Plan9Kernel) {
    this.#kernel = kernel
    this.#break = Math.ceil(kernel.end / kernel.pageSize) * kernel.pageSize
    // Each trait is a promise. The suite checks that the backend keeps it.
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      hugePageSize: 0,
      granularity: kernel.pageSize,
      freesParts: true,
      hints: false,
      // All memory below the break is usable. No page faults, and no page goes back to the system.
      reservedTraps: false,
      unusedTraps: false,
      faultTraps: false,
      threadsShare: true,
      unusedReturnsMemory: false,
      unusedDropsContents: false,
    })
  }

  /** None to Ready: zeroed memory at an address that the system chooses. Null: the kernel refused. */
  sysAllocOS(n: number): Address | null {
    return this.#take(n)
  }

  /** Ready to Prepared: the contents may be lost. A no-op means that the system can't take pages back. */
  sysUnusedOS(_v: Address, _n: number): void {
    // Nothing to do: a segment can't give a single page back.
  }

  /** Prepared, or a mix of Prepared and Ready, to Ready. The Ready part keeps its bytes. */
  sysUsedOS(_v: Address, _n: number): void {
    // Nothing to do: sysUnused took no page.
  }

  /** Keeps the state, and asks for larger pages. A no-op means that the system has one page size. */
  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: the system has one page size.
  }

  /** Any state to None. If the kernel keeps the range, `refusal` says so, and the range stays owned. */
  sysFreeOS(v: Address, n: number): void {
    // A page that is listed twice would be handed out twice. The ledger catches this too, but may be switched off.
    if (this.#free.some(({ address, size }) => address < v + n && v < address + size))
      throw new FatalError('a part of the range is free already', {
        op: 'sysFree',
        address: v,
        size: n,
        hint: 'Free each range once.',
      })
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

  /** Ready or Prepared to Reserved. From now on an access to the range faults, if the trait says so. */
  sysFaultOS(_v: Address, _n: number): void {
    // Nothing to do: no page can be made to fault.
  }

  /** None to Reserved: at `v` if given and free, else anywhere, never over a mapping. Null: the kernel refused. */
  sysReserveOS(v: Address | null, n: number): Address | null {
    if (v === null) return this.#take(n)
    if (v === this.#break) return this.#raise(n)
    this.refusal = { hint: 'Leave the address out: only the end of memory can be requested by address.' }
    return null
  }

  /** Reserved to Prepared. A no-op means that the system does not tell the two apart. */
  sysMapOS(_v: Address, _n: number): void {
    // Nothing to do: all memory below the break is usable.
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  /** Takes zeroed pages from the first free block that is large enough, or raises the break. */
  #take(n: number): Address | null {
    const at = this.#free.findIndex(({ size }) => size >= n)
    const block = this.#free[at]
    if (block !== undefined) {
      const left = block.size - n
      if (left === 0) this.#free.splice(at, 1)
      else this.#free[at] = { address: block.address, size: left }
      return block.address + left
    }
    return this.#raise(n)
  }

  /** Raises the break. The new pages are zero. Null: the kernel refused. */
  #raise(n: number): Address | null {
    const v = this.#break
    if (this.#kernel.brk(v + n) < 0) {
      this.refusal = { syscall: 'brk', errno: ENOMEM, errnoName: 'ENOMEM', hint: 'Free memory, or ask for less.' }
      return null
    }
    this.#break = v + n
    return v
  }
}
