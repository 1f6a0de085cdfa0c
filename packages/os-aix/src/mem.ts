// AIX, as a backend. It answers to Go's runtime/mem_aix.go, function by function in mem.go's order. core's wrappers
// call it. `kernel` is all that it sees of the host.
import { checkOptions, FatalError, type OS, type Refusal, type Traits } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { errnoName, type Address, type HostServices, type PosixKernel } from '@memlayer/kernel'
import {
  EACCES,
  EAGAIN,
  ENOMEM,
  MADV_DONTNEED,
  MAP_ANON,
  MAP_PRIVATE,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from './defs.js'
import { refusalHint } from './hint.js'

/** How the backend is made. */
export interface AixOptions {
  /** The kernel below. Default: the host's own. */
  readonly kernel?: PosixKernel | undefined
}

/** AIX's memory over a kernel. */
export function createOS(options: AixOptions = {}): OS {
  const { kernel } = checkOptions('createOS', options, ['kernel'])
  return new Aix(kernel ?? posixKernel())
}

class Aix implements OS {
  readonly name = 'aix'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly host: HostServices
  readonly #kernel: PosixKernel

  constructor(kernel: PosixKernel) {
    this.host = kernel
    this.#kernel = kernel
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      // AIX chooses larger pages by itself. Go does not ask for them.
      hugePageSize: 0,
      granularity: kernel.pageSize,
      freesParts: true,
      hints: true,
      reservedTraps: true,
      unusedTraps: false,
      faultTraps: true,
      // madvise exists for compatibility and does nothing, as IBM's own page on it says (AIX 7.3).
      threadsShare: true,
      unusedReturnsMemory: false,
      unusedDropsContents: false,
    })
  }

  sysAllocOS(n: number): Address | null {
    const p = this.#kernel.mmap(0, n, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0)
    if (p < 0) {
      if (-p === EACCES) throw this.#fatal('mmap: access denied', { op: 'sysAlloc', syscall: 'mmap', size: n }, -p)
      if (-p === EAGAIN) {
        const words = "mmap: too much locked memory (check 'ulimit -l')."
        throw this.#fatal(words, { op: 'sysAlloc', syscall: 'mmap', size: n }, -p)
      }
      return this.#refuse('mmap', -p, true)
    }
    return p
  }

  sysUnusedOS(v: Address, n: number): void {
    // A hint, for an AIX that accepts it. If AIX refuses, nothing changes.
    void this.#kernel.madvise(v, n, MADV_DONTNEED)
  }

  sysUsedOS(_v: Address, _n: number): void {
    // Nothing to do: a page returns on first touch.
  }

  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: AIX chooses the size of a page by itself.
  }

  sysFreeOS(v: Address, n: number): void {
    const answer = this.#kernel.munmap(v, n)
    // mem_aix.go ignores the answer. Core has to know that the range is still there.
    if (answer < 0) this.#refuse('munmap', -answer)
  }

  sysFaultOS(v: Address, n: number): void {
    // Go maps over the range, which AIX refuses, so Go does nothing. Here mprotect undoes what sysMap did by
    // mprotect. The advice is for the memory behind the range and may fail.
    const answer = this.#kernel.mprotect(v, n, PROT_NONE)
    // Core has to know that the range is as it was.
    if (answer < 0) this.#refuse('mprotect', -answer)
    else void this.#kernel.madvise(v, n, MADV_DONTNEED)
  }

  sysReserveOS(v: Address | null, n: number): Address | null {
    const p = this.#kernel.mmap(v ?? 0, n, PROT_NONE, MAP_ANON | MAP_PRIVATE, -1, 0)
    if (p < 0) return this.#refuse('mmap', -p, true)
    return p
  }

  sysMapOS(v: Address, n: number): void {
    // AIX never maps over a mapping, not even with MAP_FIXED. So the reservation changes its protection.
    const answer = this.#kernel.mprotect(v, n, PROT_READ | PROT_WRITE)
    const call = { op: 'sysMap', syscall: 'mprotect', address: v, size: n }
    if (-answer === ENOMEM) throw this.#fatal('out of memory', call, ENOMEM)
    if (answer < 0) throw this.#fatal('cannot map pages in arena address space', call, -answer)
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  #refuse(syscall: string, errno: number, isNew = false): null {
    this.refusal = { syscall, errno, errnoName: errnoName('aix', errno), hint: refusalHint(errno, isNew) }
    return null
  }

  #fatal(words: string, call: Call, errno: number): FatalError {
    const hint = refusalHint(errno, false)
    return new FatalError(words, { ...call, errno, errnoName: errnoName('aix', errno), hint })
  }
}

/** A kernel call, for the text of an error. */
interface Call {
  readonly op: string
  readonly syscall: string
  readonly address?: Address
  readonly size: number
}
