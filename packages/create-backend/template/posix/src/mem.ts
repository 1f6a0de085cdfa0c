// The memlayer backend for my-os: eight functions in the order of Go's runtime/mem.go. Core's wrappers call them, and
// have checked ranges and states before. `kernel` is this file's only access to the host.
//
// A function has three outcomes. Done: it returns. Refused: it returns null and sets `refusal`. Broken: it throws a
// FatalError. It never throws a UsageError, calls no wrapper of core, and keeps its state in the instance.
import { checkOptions, FatalError, type OS, type Refusal, type Traits } from '@memlayer/core'
import { errnoName, type Address, type HostServices, type PosixKernel } from '@memlayer/kernel'
import { ENOMEM, MADV_DONTNEED, MAP_ANON, MAP_FIXED, MAP_PRIVATE, PROT_NONE, PROT_READ, PROT_WRITE } from './defs.js'
import { hostKernel } from './host.js'

/** Options of the backend. */
export interface BackendOptions {
  /** The kernel below. Default: the host's own. */
  readonly kernel?: PosixKernel | undefined
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
  readonly host: HostServices
  readonly #kernel: PosixKernel
  // Whether the kernel has refused to take pages back. It then keeps what sysUnused gives it.
  #keepsMemory = false

  constructor(kernel: PosixKernel) {
    this.host = kernel
    this.#kernel = kernel
    const returnsMemory = (): boolean => !this.#keepsMemory
    // Each trait is a promise. The suite checks that the backend keeps it.
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
      get unusedReturnsMemory() {
        return returnsMemory()
      },
      // False for advice that lets the kernel take pages later (MADV_FREE), because old bytes may come back.
      unusedDropsContents: true,
    })
  }

  /** None to Ready: zeroed memory at an address that the system chooses. Null: the kernel refused. */
  sysAllocOS(n: number): Address | null {
    const p = this.#kernel.mmap(0, n, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0)
    return p < 0 ? this.#refuse('mmap', -p) : p
  }

  /** Ready to Prepared: the contents may be lost. A no-op means that the system can't take pages back. */
  sysUnusedOS(v: Address, n: number): void {
    // A kernel that refuses keeps the pages, for example those that are locked. Core is told, because old bytes stay.
    const answer = this.#kernel.madvise(v, n, MADV_DONTNEED)
    if (answer < 0) {
      this.#keepsMemory = true
      this.#refuse('madvise', -answer)
    }
  }

  /** Prepared, or a mix of Prepared and Ready, to Ready. The Ready part keeps its bytes. */
  sysUsedOS(_v: Address, _n: number): void {
    // Nothing to do: a page returns on first touch.
  }

  /** Keeps the state, and asks for larger pages. A no-op means that the system has one page size. */
  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: this backend does not ask for huge pages.
  }

  /** Any state to None. If the kernel keeps the range, `refusal` says so, and the range stays owned. */
  sysFreeOS(v: Address, n: number): void {
    const answer = this.#kernel.munmap(v, n)
    if (answer < 0) this.#refuse('munmap', -answer)
  }

  /** Ready or Prepared to Reserved. From now on an access to the range faults, and the range costs no memory. */
  sysFaultOS(v: Address, n: number): void {
    const p = this.#kernel.mmap(v, n, PROT_NONE, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0)
    if (p < 0) this.#refuse('mmap', -p)
    else if (p !== v) throw this.#broken('cannot reserve pages again', 'sysFault', 'mmap', v, n, -p)
  }

  /** None to Reserved: at `v` if given and free, else anywhere, never over a mapping. Null: the kernel refused. */
  sysReserveOS(v: Address | null, n: number): Address | null {
    const p = this.#kernel.mmap(v ?? 0, n, PROT_NONE, MAP_ANON | MAP_PRIVATE, -1, 0)
    return p < 0 ? this.#refuse('mmap', -p) : p
  }

  /** Reserved to Prepared. A no-op means that the system does not tell the two apart. */
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
    // Below zero, `errno` is an address: the kernel mapped another place than the requested one.
    return new FatalError(words, errno < 0 ? range : { ...range, errno, errnoName: errnoName('linux', errno) })
  }
}
