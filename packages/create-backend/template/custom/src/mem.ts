// my-os, as a memlayer backend: eight functions in the order of Go's runtime/mem.go. core's wrappers are
// their callers and have checked ranges and states; `kernel` is all this file sees of the host.
//
// Three outcomes, no fourth. Done: return. Refused: null, with `refusal` set. Broken: a FatalError. It
// never throws a UsageError, calls no wrapper of core, and keeps its state in the instance.
import { type OS, type Refusal, type Traits } from '@memlayer/core'
import { errnoName, type Address } from '@memlayer/kernel'
import { arrayKernel, type CustomKernel } from './kernel.js'

/** How the backend is made. */
export interface BackendOptions {
  /** The kernel below; none given: one over an ArrayBuffer. */
  readonly kernel?: CustomKernel
}

/** The memory of my-os over a kernel. */
export function createOS(options: BackendOptions = {}): OS {
  return new MyOs(options.kernel ?? arrayKernel())
}

class MyOs implements OS {
  readonly name = 'my-os'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly #kernel: CustomKernel

  constructor(kernel: CustomKernel) {
    this.#kernel = kernel
    // Each is a promise that the suite holds the backend to.
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

  /** None to Ready: zeroed memory at an address that the system chooses. null: refused. */
  sysAllocOS(n: number): Address | null {
    return this.sysReserveOS(null, n)
  }

  /** Ready to Prepared: the contents are forfeit. A no-op means that the system can't take pages back. */
  sysUnusedOS(_v: Address, _n: number): void {
    // Nothing to do: pages go only with their range.
  }

  /** Prepared, or a mix of Prepared and Ready, to Ready: what is Ready keeps its bytes. */
  sysUsedOS(_v: Address, _n: number): void {
    // Nothing to do: sysUnused took nothing.
  }

  /** No transition: larger pages would serve the range. A no-op means that there are none to ask for. */
  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: there is one kind of page.
  }

  /** Any state to None. What the kernel keeps is told by `refusal`, and stays owned. */
  sysFreeOS(v: Address, n: number): void {
    const answer = this.#kernel.give(v, n)
    if (answer < 0) this.#refuse('give', -answer)
  }

  /** Ready or Prepared to Reserved: touching the range faults from now on, where the trait says so. */
  sysFaultOS(_v: Address, _n: number): void {
    // Nothing to do: no page can be made to fault.
  }

  /** None to Reserved, at `v` if it is given and free, else anywhere; never over what is there. null: refused. */
  sysReserveOS(_v: Address | null, n: number): Address | null {
    const p = this.#kernel.take(n)
    return p < 0 ? this.#refuse('take', -p) : p
  }

  /** Reserved to Prepared. A no-op means that the two are one to this system. */
  sysMapOS(_v: Address, _n: number): void {
    // Nothing to do: all of it is memory.
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  /** One buffer serves all ranges, so all views of them go together, and are made anew. */
  detach(_buffer: ArrayBuffer): void {
    this.#kernel.detach()
  }

  #refuse(syscall: string, errno: number): null {
    this.refusal = { syscall, errno, errnoName: errnoName('linux', errno), hint: 'Free memory, or ask for less.' }
    return null
  }
}
