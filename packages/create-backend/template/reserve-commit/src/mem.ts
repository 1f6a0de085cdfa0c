// The memlayer backend for my-os: eight functions in the order of Go's runtime/mem.go. Core's wrappers call them, and
// have checked ranges and states before. `kernel` is this file's only access to the host.
//
// A function has three outcomes. Done: it returns. Refused: it returns null and sets `refusal`. Broken: it throws a
// FatalError. It never throws a UsageError, calls no wrapper of core, and keeps its state in the instance.
import { checkOptions, FatalError, type OS, type Refusal, type Traits } from '@memlayer/core'
import { alignDown, errnoName, type Address, type HostServices, type WindowsKernel } from '@memlayer/kernel'
import { MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE, outOfMemoryErrors, PAGE_READWRITE } from './defs.js'
import { hostKernel } from './host.js'

/** Options of the backend. */
export interface BackendOptions {
  /** The kernel below. Default: the host's own. */
  readonly kernel?: WindowsKernel | undefined
}

/** Makes the memory of my-os over a kernel. */
export function createOS(options: BackendOptions = {}): OS {
  const { kernel } = checkOptions('createOS', options, ['kernel'])
  return new MyOs(kernel ?? hostKernel())
}

class MyOs implements OS {
  readonly name = 'my-os'
  readonly traits: Traits
  refusal: Refusal | null = null
  // What is committed stays as it is when it is committed again, and where sysUsedOS fails half way, core takes back
  // what it has committed.
  readonly usedKeepsReady = true
  readonly host: HostServices
  readonly #kernel: WindowsKernel
  readonly #pageSize: number

  constructor(kernel: WindowsKernel) {
    this.host = kernel
    this.#kernel = kernel
    this.#pageSize = kernel.pageSize
    // Each trait is a promise. The suite checks that the backend keeps it.
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      hugePageSize: 0,
      granularity: kernel.allocationGranularity,
      // The system releases a reservation as a whole, so core refuses to free a part.
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

  /** None to Ready: zeroed memory at an address that the system chooses. Null: the kernel refused. */
  sysAllocOS(n: number): Address | null {
    const p = this.#kernel.virtualAlloc(0, n, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE)
    return p < 0 ? this.#refuse('virtualAlloc', -p) : p
  }

  /** Ready to Prepared: the contents may be lost. A no-op means that the system can't take pages back. */
  sysUnusedOS(v: Address, n: number): void {
    this.#decommit('sysUnused', v, n)
  }

  /** Prepared, or a mix of Prepared and Ready, to Ready. The Ready part keeps its bytes. */
  sysUsedOS(v: Address, n: number): void {
    this.#inPieces('sysUsed', 'virtualAlloc', v, n, (at, size) => {
      const p = this.#kernel.virtualAlloc(at, size, MEM_COMMIT, PAGE_READWRITE)
      return p < 0 ? p : 0
    })
  }

  /** Keeps the state, and asks for larger pages. A no-op means that the system has one page size. */
  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: this backend does not ask for huge pages.
  }

  /** Any state to None, for the whole reservation that begins at `v`. */
  sysFreeOS(v: Address, n: number): void {
    const answer = this.#kernel.virtualFree(v, 0, MEM_RELEASE)
    if (answer < 0) throw this.#broken('failed to release pages', 'sysFree', 'virtualFree', v, n, -answer)
  }

  /** Ready or Prepared to Reserved. From now on an access to the range faults, and the range costs no memory. */
  sysFaultOS(v: Address, n: number): void {
    this.#decommit('sysFault', v, n)
  }

  /** None to Reserved: at `v` if given and free, else anywhere, never over a mapping. Null: the kernel refused. */
  sysReserveOS(v: Address | null, n: number): Address | null {
    let p = v === null ? -1 : this.#kernel.virtualAlloc(v, n, MEM_RESERVE, PAGE_READWRITE)
    if (p < 0) p = this.#kernel.virtualAlloc(0, n, MEM_RESERVE, PAGE_READWRITE)
    return p < 0 ? this.#refuse('virtualAlloc', -p) : p
  }

  /** Reserved to Prepared. A no-op means that the system does not tell the two apart. */
  sysMapOS(_v: Address, _n: number): void {
    // Nothing to do: sysUsed commits.
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  /** Takes the memory from [v, v+n). When a piece is refused, the account keeps the range as it was. */
  #decommit(op: string, v: Address, n: number): void {
    let done = 0
    try {
      this.#inPieces(op, 'virtualFree', v, n, (at, size) => {
        const answer = this.#kernel.virtualFree(at, size, MEM_DECOMMIT)
        if (answer === 0) done = at + size - v
        return answer
      })
    } catch (error) {
      // What is Ready to the account may be touched, so it gets memory again. Its contents are lost.
      if (done > 0) this.#commitAgain(op, v, done, error)
      throw error
    }
  }

  /** Commits what was decommitted. Where that is refused as well, the error tells core to look after the range. */
  #commitAgain(op: string, v: Address, n: number, cause: unknown): void {
    try {
      this.sysUsedOS(v, n)
    } catch {
      const details = { op, syscall: 'virtualFree', address: v, size: n, unsettled: true, cause }
      throw new FatalError('failed to decommit pages', details)
    }
  }

  /**
   * Makes a call for [v, v+n), which may cross reservations although one call may not. When the kernel refuses a piece,
   * the piece is halved, down to a page.
   */
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
