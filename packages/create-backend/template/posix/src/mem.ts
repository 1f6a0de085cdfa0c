// my-os, as a memlayer backend: eight functions in the order of Go's runtime/mem.go. core's wrappers are
// their callers and have checked ranges and states; `kernel` is all this file sees of the host.
//
// Three outcomes, no fourth. Done: return. Refused: null, with `refusal` set. Broken: a FatalError. It
// never throws a UsageError, calls no wrapper of core, and keeps its state in the instance.
import { FatalError, type OS, type Refusal, type Traits } from '@memlayer/core'
import { errnoName, type Address, type PosixKernel } from '@memlayer/kernel'
import { ENOMEM, MADV_DONTNEED, MAP_ANON, MAP_FIXED, MAP_PRIVATE, PROT_NONE, PROT_READ, PROT_WRITE } from './defs.js'
import { hostKernel } from './host.js'

/** How the backend is made. */
export interface BackendOptions {
  /** The kernel below; none given: the host's own. */
  readonly kernel?: PosixKernel
}

/** The memory of my-os over a kernel. */
export function createOS(options: BackendOptions = {}): OS {
  return new MyOs(options.kernel ?? hostKernel())
}

class MyOs implements OS {
  readonly name = 'my-os'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly #kernel: PosixKernel

  constructor(kernel: PosixKernel) {
    this.#kernel = kernel
    // Each is a promise that the suite holds the backend to.
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      hugePageSize: 0,
      granularity: kernel.pageSize,
      freesParts: true,
      hints: true,
      reservedTraps: true,
      unusedTraps: false,
      faultTraps: true,
      threadsShare: true,
      unusedReturnsMemory: true,
      // With an advice that lets the kernel take pages later (MADV_FREE), false: old bytes may come back.
      unusedDropsContents: true,
    })
  }

  /** None to Ready: zeroed memory at an address that the system chooses. null: refused. */
  sysAllocOS(n: number): Address | null {
    const p = this.#kernel.mmap(0, n, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0)
    return p < 0 ? this.#refuse('mmap', -p) : p
  }

  /** Ready to Prepared: the contents are forfeit. A no-op means that the system can't take pages back. */
  sysUnusedOS(v: Address, n: number): void {
    // A hint: a kernel that refuses it keeps the pages.
    void this.#kernel.madvise(v, n, MADV_DONTNEED)
  }

  /** Prepared, or a mix of Prepared and Ready, to Ready: what is Ready keeps its bytes. */
  sysUsedOS(_v: Address, _n: number): void {
    // Nothing to do: a page returns on first touch.
  }

  /** No transition: larger pages would serve the range. A no-op means that there are none to ask for. */
  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: none is asked for.
  }

  /** Any state to None. What the kernel keeps is told by `refusal`, and stays owned. */
  sysFreeOS(v: Address, n: number): void {
    const answer = this.#kernel.munmap(v, n)
    if (answer < 0) this.#refuse('munmap', -answer)
  }

  /** Ready or Prepared to Reserved: touching the range faults from now on, and it costs no memory. */
  sysFaultOS(v: Address, n: number): void {
    const p = this.#kernel.mmap(v, n, PROT_NONE, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0)
    if (p < 0) this.#refuse('mmap', -p)
  }

  /** None to Reserved, at `v` if it is given and free, else anywhere; never over what is there. null: refused. */
  sysReserveOS(v: Address | null, n: number): Address | null {
    const p = this.#kernel.mmap(v ?? 0, n, PROT_NONE, MAP_ANON | MAP_PRIVATE, -1, 0)
    return p < 0 ? this.#refuse('mmap', -p) : p
  }

  /** Reserved to Prepared. A no-op means that the two are one to this system. */
  sysMapOS(v: Address, n: number): void {
    const p = this.#kernel.mmap(v, n, PROT_READ | PROT_WRITE, MAP_ANON | MAP_FIXED | MAP_PRIVATE, -1, 0)
    if (-p === ENOMEM) throw this.#broken('out of memory', 'sysMap', 'mmap', v, n, -p)
    if (p !== v) throw this.#broken('cannot map pages in arena address space', 'sysMap', 'mmap', v, n, -p)
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  #refuse(syscall: string, errno: number): null {
    this.refusal = { syscall, errno, errnoName: errnoName('linux', errno), hint: 'Free memory, or ask for less.' }
    return null
  }

  #broken(words: string, op: string, syscall: string, address: Address, size: number, errno: number): FatalError {
    const range = { op, syscall, address, size }
    // Below zero: the kernel answered with an address, and not with the one that it was told.
    return new FatalError(words, errno < 0 ? range : { ...range, errno, errnoName: errnoName('linux', errno) })
  }
}
