// Plan 9, as a backend. It answers to Go's runtime/mem_plan9.go: an allocator of pages over a break that only
// rises, then its functions in mem.go's order. core's wrappers call it. `kernel` is all that it sees of the host.
import { checkOptions, FatalError, formatAddress, type OS, type Refusal, type Traits } from '@memlayer/core'
import { plan9Kernel } from '@memlayer/ffi'
import { alignUp, isAligned, type Address, type Plan9Kernel } from '@memlayer/kernel'
import { ENOMEM } from './defs.js'
import { hintOfAddress, hintOfBreak, hintOfFree, hintOfList, hintOfReentry } from './hint.js'

/** How the backend is made. */
export interface Plan9Options {
  /** The kernel below. Default: a segment of its own on the host's kernel. */
  readonly kernel?: Plan9Kernel | undefined
  /**
   * Whether every operation first checks the list of free blocks, and that free memory is zero. It reads all free
   * memory each time, so it is for debugging. Default false. Go: memDebug.
   */
  readonly memDebug?: boolean | undefined
}

/** Plan 9's memory over a kernel. */
export function createOS(options: Plan9Options = {}): OS {
  const { kernel, memDebug } = checkOptions('createOS', options, ['kernel', 'memDebug'])
  return new Plan9(kernel ?? plan9Kernel(), memDebug ?? false)
}

/**
 * A free block. Go keeps this in the block's own first words. Here it is kept apart, for two reasons. A free block
 * is zero from end to end, and a stray write can't break the list.
 */
interface MemHdr {
  readonly address: Address
  size: number
  next: MemHdr | null
}

class Plan9 implements OS {
  readonly name = 'plan9'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly #kernel: Plan9Kernel
  readonly #pageSize: number
  readonly #memDebug: boolean
  // The end of the program's data, where the layer's memory begins.
  readonly #start: Address
  // The layer's break, and the system's break, which only rises.
  #bloc: Address
  #blocMax: Address
  // Free blocks in order of address. Two blocks never touch.
  #memFreelist: MemHdr | null = null
  #isLocked = false

  constructor(kernel: Plan9Kernel, memDebug: boolean) {
    this.#kernel = kernel
    this.#pageSize = kernel.pageSize
    this.#memDebug = memDebug
    this.#start = this.#memRound(kernel.end)
    this.#bloc = this.#start
    this.#blocMax = this.#start
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      hugePageSize: 0,
      granularity: kernel.pageSize,
      freesParts: true,
      // Only the end of memory can be reserved by address. Any other address is refused.
      hints: false,
      // Memory below the break never faults, and can't be given back.
      reservedTraps: false,
      unusedTraps: false,
      faultTraps: false,
      threadsShare: true,
      unusedReturnsMemory: false,
      unusedDropsContents: false,
    })
  }

  #memAlloc(n: number): Address | null {
    const size = this.#memRound(n)
    let previous: MemHdr | null = null
    for (let p = this.#memFreelist; p !== null; previous = p, p = p.next) {
      if (p.size < size) continue
      // Takes the block's tail, so that the rest keeps its place in the list.
      p.size -= size
      if (p.size === 0) this.#link(previous, p.next)
      return p.address + p.size
    }
    return this.#sbrk(size)
  }

  #memFree(v: Address, n: number): void {
    const size = this.#memRound(n)
    this.#kernel.clear(v, size)

    let previous: MemHdr | null = null
    let next = this.#memFreelist
    while (next !== null && next.address < v) {
      previous = next
      next = next.next
    }
    const block: MemHdr = { address: v, size, next }
    this.#link(previous, block)
    if (next !== null && v + size === next.address) {
      block.size += next.size
      block.next = next.next
    }
    if (previous !== null && previous.address + previous.size === v) {
      previous.size += block.size
      previous.next = block.next
    }
  }

  #link(previous: MemHdr | null, block: MemHdr | null): void {
    if (previous === null) this.#memFreelist = block
    else previous.next = block
  }

  #memCheck(op: string): void {
    if (!this.#memDebug) return
    // Go stops before the last block. This checks it as well.
    for (let p = this.#memFreelist; p !== null; p = p.next) {
      const { address, size } = p
      const next = p.next?.address ?? Infinity
      if (next === address) throw broken('mem: infinite loop', op, address, size, hintOfList)
      if (next < address) throw broken('mem: unordered list', op, address, size, hintOfList)
      if (Math.min(next, this.#bloc) < address + size)
        throw broken('mem: overlapping blocks', op, address, size, hintOfList)
      this.#checkZero(op, address, size)
    }
    // Memory freed at the end is handed out unchanged when the break rises over it again.
    this.#checkZero(op, this.#bloc, this.#blocMax - this.#bloc)
  }

  #checkZero(op: string, address: Address, size: number): void {
    if (size === 0) return
    const view = this.#kernel.view(address, size)
    const words = new Int32Array(view)
    for (let i = 0; i < words.length; i++) {
      if (words[i] === 0) continue
      const at = 4 * i + new Uint8Array(view, 4 * i, 4).findIndex((byte) => byte !== 0)
      const changed = `the byte at ${formatAddress(address + at)}, ${at} bytes into the block`
      const hint = `Look for code that writes to freed memory. It changed ${changed}.`
      throw broken('mem: uninitialised memory', op, address, size, hint)
    }
  }

  #memRound(n: number): number {
    return alignUp(n, this.#pageSize)
  }

  #sbrk(size: number): Address | null {
    const bl = this.#bloc
    if (bl + size > this.#blocMax) {
      if (this.#kernel.brk(bl + size) < 0) {
        this.refusal = { syscall: 'brk', errno: ENOMEM, errnoName: 'ENOMEM', hint: hintOfBreak }
        return null
      }
      this.#blocMax = bl + size
    }
    this.#bloc += size
    return bl
  }

  /**
   * Takes Go's lock, and runs memCheck. A single thread can't wait for itself. So a call that comes back in during
   * an operation, from inside a watched kernel call, is refused. The operation continues unharmed.
   */
  #locked<T>(op: string, work: () => T): T {
    if (this.#isLocked) throw new FatalError('mem: called again during an operation', { op, hint: hintOfReentry })
    this.#isLocked = true
    try {
      // Go checks after the operation. Here the check comes first, so that no operation builds on a mistake.
      this.#memCheck(op)
      return work()
    } finally {
      this.#isLocked = false
    }
  }

  sysAllocOS(n: number): Address | null {
    return this.#locked('sysAlloc', () => this.#memAlloc(n))
  }

  sysUnusedOS(_v: Address, _n: number): void {
    // Nothing to do: a segment has no pages that could be given back.
  }

  sysUsedOS(_v: Address, _n: number): void {
    // Nothing to do: sysUnused took nothing.
  }

  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: Plan 9 has no larger pages to ask for.
  }

  sysFreeOS(v: Address, n: number): void {
    this.#locked('sysFree', () => {
      this.#checkAllocated(v, n)
      if (v + n !== this.#bloc) return this.#memFree(v, n)
      // At the end of memory, the layer's break falls below the range. The system's break stays. The program's
      // processes share the segment, and it can't shrink under them.
      this.#kernel.clear(v, n)
      this.#bloc = v
    })
  }

  sysFaultOS(_v: Address, _n: number): void {
    // Nothing to do: the range stays memory.
  }

  sysReserveOS(v: Address | null, n: number): Address | null {
    return this.#locked('sysReserve', () => {
      const hint = v ?? 0
      if (hint === this.#bloc) {
        const p = this.#sbrk(this.#memRound(n))
        if (p !== null) return p
      } else if (hint !== 0) {
        this.refusal = { hint: hintOfAddress(this.#bloc) }
      }
      return hint === 0 ? this.#memAlloc(n) : null
    })
  }

  sysMapOS(_v: Address, _n: number): void {
    // Nothing to do: sysReserve has handed out memory already.
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  /**
   * Checks a range before it is freed. Without the check, Go would zero foreign memory, or hand out a block twice.
   */
  #checkAllocated(v: Address, n: number): void {
    const end = v + this.#memRound(n)
    if (!isAligned(v, this.#pageSize) || v < this.#start || end > this.#bloc) {
      throw broken('mem: not a block of this memory', 'sysFree', v, n, hintOfFree)
    }
    for (let p = this.#memFreelist; p !== null && p.address < end; p = p.next) {
      if (p.address + p.size > v) throw broken('mem: overlapping blocks', 'sysFree', v, n, hintOfFree)
    }
  }
}

function broken(words: string, op: string, address: Address, size: number, hint?: string): FatalError {
  return new FatalError(words, { op, address, size, ...(hint === undefined ? {} : { hint }) })
}
