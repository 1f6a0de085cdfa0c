// my-os, as a memlayer backend: eight functions in the order of Go's runtime/mem.go. core's wrappers are
// their callers and have checked ranges and states; `kernel` is all this file sees of the host.
//
// Three outcomes, no fourth. Done: return. Refused: null, with `refusal` set. Broken: a FatalError. It
// never throws a UsageError, calls no wrapper of core, and keeps its state in the instance.
import { FatalError, type OS, type Refusal, type Traits } from '@memlayer/core'
import { alignDown, errnoName, type Address, type WindowsKernel } from '@memlayer/kernel'
import { MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE, outOfMemoryErrors, PAGE_READWRITE } from './defs.js'
import { hostKernel } from './host.js'

/** How the backend is made. */
export interface BackendOptions {
  /** The kernel below; none given: the host's own. */
  readonly kernel?: WindowsKernel
}

/** The memory of my-os over a kernel. */
export function createOS(options: BackendOptions = {}): OS {
  return new MyOs(options.kernel ?? hostKernel())
}

class MyOs implements OS {
  readonly name = 'my-os'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly #kernel: WindowsKernel
  readonly #pageSize: number

  constructor(kernel: WindowsKernel) {
    this.#kernel = kernel
    this.#pageSize = kernel.pageSize
    // Each is a promise that the suite holds the backend to.
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      hugePageSize: 0,
      granularity: kernel.allocationGranularity,
      // A reservation is released whole: core refuses to free a part of it.
      freesParts: false,
      hints: true,
      reservedTraps: true,
      unusedTraps: true,
      faultTraps: true,
      threadsShare: true,
      unusedReturnsMemory: true,
      unusedDropsContents: true,
    })
  }

  /** None to Ready: zeroed memory at an address that the system chooses. null: refused. */
  sysAllocOS(n: number): Address | null {
    const p = this.#kernel.virtualAlloc(0, n, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE)
    return p < 0 ? this.#refuse('virtualAlloc', -p) : p
  }

  /** Ready to Prepared: the contents are forfeit. A no-op means that the system can't take pages back. */
  sysUnusedOS(v: Address, n: number): void {
    this.#inPieces('sysUnused', 'virtualFree', v, n, (at, size) => this.#kernel.virtualFree(at, size, MEM_DECOMMIT))
  }

  /** Prepared, or a mix of Prepared and Ready, to Ready: what is Ready keeps its bytes. */
  sysUsedOS(v: Address, n: number): void {
    this.#inPieces('sysUsed', 'virtualAlloc', v, n, (at, size) => {
      const p = this.#kernel.virtualAlloc(at, size, MEM_COMMIT, PAGE_READWRITE)
      return p < 0 ? p : 0
    })
  }

  /** No transition: larger pages would serve the range. A no-op means that there are none to ask for. */
  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: none is asked for.
  }

  /** Any state to None: the whole reservation that begins at `v`. */
  sysFreeOS(v: Address, n: number): void {
    const answer = this.#kernel.virtualFree(v, 0, MEM_RELEASE)
    if (answer < 0) throw this.#broken('failed to release pages', 'sysFree', 'virtualFree', v, n, -answer)
  }

  /** Ready or Prepared to Reserved: touching the range faults from now on, and it costs no memory. */
  sysFaultOS(v: Address, n: number): void {
    this.#inPieces('sysFault', 'virtualFree', v, n, (at, size) => this.#kernel.virtualFree(at, size, MEM_DECOMMIT))
  }

  /** None to Reserved, at `v` if it is given and free, else anywhere; never over what is there. null: refused. */
  sysReserveOS(v: Address | null, n: number): Address | null {
    let p = v === null ? -1 : this.#kernel.virtualAlloc(v, n, MEM_RESERVE, PAGE_READWRITE)
    if (p < 0) p = this.#kernel.virtualAlloc(0, n, MEM_RESERVE, PAGE_READWRITE)
    return p < 0 ? this.#refuse('virtualAlloc', -p) : p
  }

  /** Reserved to Prepared. A no-op means that the two are one to this system. */
  sysMapOS(_v: Address, _n: number): void {
    // Nothing to do: sysUsed commits.
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  /** Makes a call over [v, v+n), which may cross reservations where one call may not: what is refused is halved, down to a page. */
  #inPieces(op: string, syscall: string, v: Address, n: number, call: (at: Address, size: number) => number): void {
    for (let at = v, size = n; at < v + n;) {
      const answer = call(at, size)
      if (answer === 0) {
        at += size
        size = v + n - at
        continue
      }
      if (size === this.#pageSize) {
        const words = outOfMemoryErrors.includes(-answer)
          ? 'out of memory'
          : `failed to ${op === 'sysUsed' ? 'commit' : 'decommit'} pages`
        throw this.#broken(words, op, syscall, at, size, -answer)
      }
      size = Math.max(alignDown(size / 2, this.#pageSize), this.#pageSize)
    }
  }

  #refuse(syscall: string, errno: number): null {
    this.refusal = { syscall, errno, errnoName: errnoName('windows', errno), hint: 'Free memory, or ask for less.' }
    return null
  }

  #broken(words: string, op: string, syscall: string, address: Address, size: number, errno: number): FatalError {
    return new FatalError(words, { op, syscall, errno, errnoName: errnoName('windows', errno), address, size })
  }
}
