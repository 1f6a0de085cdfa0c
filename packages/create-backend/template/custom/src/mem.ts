// The memlayer backend for my-os: eight functions in the order of Go's runtime/mem.go. Core's wrappers call them, and
// have checked ranges and states before. `kernel` is this file's only access to the host.
//
// A function has three outcomes. Done: it returns. Refused: it returns null and sets `refusal`. Broken: it throws a
// FatalError. It never throws a UsageError, calls no wrapper of core, and keeps its state in the instance.
import { checkOptions, type OS, type Refusal, type Traits } from '@memlayer/core'
import { errnoName, type Address } from '@memlayer/kernel'
import { arrayKernel, type CustomKernel } from './kernel.js'

/** Options of the backend. */
export interface BackendOptions {
  /** The kernel below. Default: one over an ArrayBuffer. */
  readonly kernel?: CustomKernel | undefined
}

/** Makes the memory of my-os over a kernel. */
export function createOS(options: BackendOptions = {}): OS {
  const { kernel } = checkOptions('createOS', options, ['kernel'])
  return new MyOs(kernel ?? arrayKernel())
}

class MyOs implements OS {
  readonly name = 'my-os'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly #kernel: CustomKernel

  constructor(kernel: CustomKernel) {
    this.#kernel = kernel
    // Each trait is a promise. The suite checks that the backend keeps it.
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      hugePageSize: 0,
      granularity: kernel.pageSize,
      freesParts: true,
      hints: false,
      reservedTraps: false,
      unusedTraps: false,
      faultTraps: false,
      threadsShare: false,
      unusedReturnsMemory: false,
      unusedDropsContents: false,
    })
  }

  /** None to Ready: zeroed memory at an address that the system chooses. Null: the kernel refused. */
  sysAllocOS(n: number): Address | null {
    return this.sysReserveOS(null, n)
  }

  /** Ready to Prepared: the contents may be lost. A no-op means that the system can't take pages back. */
  sysUnusedOS(_v: Address, _n: number): void {
    // Nothing to do: a page goes back only with its range.
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
    const answer = this.#kernel.give(v, n)
    if (answer < 0) this.#refuse('give', -answer)
  }

  /** Ready or Prepared to Reserved. From now on an access to the range faults, if the trait says so. */
  sysFaultOS(_v: Address, _n: number): void {
    // Nothing to do: no page can be made to fault.
  }

  /** None to Reserved: at `v` if given and free, else anywhere, never over a mapping. Null: the kernel refused. */
  sysReserveOS(_v: Address | null, n: number): Address | null {
    const p = this.#kernel.take(n)
    return p < 0 ? this.#refuse('take', -p) : p
  }

  /** Reserved to Prepared. A no-op means that the system does not tell the two apart. */
  sysMapOS(_v: Address, _n: number): void {
    // Nothing to do: all memory is usable.
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  /** Detaches all views, because all ranges share one buffer. Callers make new views. */
  detach(_buffer: ArrayBuffer): void {
    this.#kernel.detach()
  }

  #refuse(syscall: string, errno: number): null {
    this.refusal = { syscall, errno, errnoName: errnoName('linux', errno), hint: 'Free memory, or ask for less.' }
    return null
  }
}
