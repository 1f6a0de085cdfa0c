// Darwin, as a backend. It answers to Go's runtime/mem_darwin.go, function by function in mem.go's order. core's
// wrappers call it. `kernel` is all that it sees of the host.
import {
  checkOptions,
  FatalError,
  formatAddress,
  type OS,
  type Quarantine,
  type Refusal,
  type Traits,
} from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { errnoName, type Address, type HostServices, type PosixKernel } from '@memlayer/kernel'
import {
  ENOMEM,
  MADV_FREE_REUSABLE,
  MADV_FREE_REUSE,
  MAP_ANON,
  MAP_FIXED,
  MAP_PRIVATE,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from './defs.js'
import { refusalHint } from './hint.js'

/** How the backend is made. */
export interface DarwinOptions {
  /** The kernel below. Default: the host's own. */
  readonly kernel?: PosixKernel | undefined
}

/** Darwin's memory over a kernel. */
export function createOS(options: DarwinOptions = {}): OS {
  const { kernel } = checkOptions('createOS', options, ['kernel'])
  return new Darwin(kernel ?? posixKernel())
}

class Darwin implements OS {
  readonly name = 'darwin'
  readonly traits: Traits
  refusal: Refusal | null = null
  /** Memory that is not touched costs nothing, so an eighth of the address space is spared. */
  readonly quarantine: Quarantine = Object.freeze({ space: 2 ** 44, writable: Infinity })
  readonly host: HostServices
  readonly #kernel: PosixKernel
  // Whether the kernel has refused to take pages back. It then keeps what sysUnused gives it.
  #keepsMemory = false

  constructor(kernel: PosixKernel) {
    this.host = kernel
    this.#kernel = kernel
    const returnsMemory = (): boolean => !this.#keepsMemory
    this.traits = Object.freeze({
      // 4 KiB on Intel, 16 KiB on Apple's own processors.
      pageSize: kernel.pageSize,
      // Superpages have to be requested when memory is mapped, and exist only on Intel. Go does not ask for them.
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
      // A page that the kernel has not taken by then comes back with its bytes.
      unusedDropsContents: false,
    })
  }

  sysAllocOS(n: number): Address | null {
    const p = this.#kernel.mmap(0, n, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0)
    if (p < 0) return this.#refuse('mmap', -p, true)
    return p
  }

  sysUnusedOS(v: Address, n: number): void {
    // Like MADV_FREE, and more. The pages leave the process's footprint at once, not only when the kernel takes
    // them. Activity Monitor and task_info show that footprint. If the kernel refuses, the pages stay, and
    // core is told.
    const answer = this.#kernel.madvise(v, n, MADV_FREE_REUSABLE)
    if (answer < 0) {
      this.#keepsMemory = true
      this.#refuse('madvise', -answer)
    }
  }

  sysUsedOS(v: Address, n: number): void {
    // Puts the pages back into the footprint. Without it, the process would use memory that the kernel counts as
    // given back. It does nothing for pages that were not given back.
    void this.#kernel.madvise(v, n, MADV_FREE_REUSE)
  }

  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: Darwin can't make larger pages of mapped memory.
  }

  sysFreeOS(v: Address, n: number): void {
    const answer = this.#kernel.munmap(v, n)
    // mem_darwin.go ignores the answer. Core has to know that the range is still there.
    if (answer < 0) this.#refuse('munmap', -answer)
  }

  sysFaultOS(v: Address, n: number): void {
    const p = this.#kernel.mmap(v, n, PROT_NONE, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0)
    // mem_darwin.go ignores the answer. Core has to know that the range is as it was.
    if (p < 0) this.#refuse('mmap', -p)
    else if (p !== v) this.refusal = { syscall: 'mmap', hint: elsewhere(p) }
  }

  sysReserveOS(v: Address | null, n: number): Address | null {
    const p = this.#kernel.mmap(v ?? 0, n, PROT_NONE, MAP_ANON | MAP_PRIVATE, -1, 0)
    if (p < 0) return this.#refuse('mmap', -p, true)
    return p
  }

  sysMapOS(v: Address, n: number): void {
    const p = this.#kernel.mmap(v, n, PROT_READ | PROT_WRITE, MAP_ANON | MAP_FIXED | MAP_PRIVATE, -1, 0)
    if (-p === ENOMEM) throw this.#fatal('out of memory', v, n, p)
    if (p !== v) throw this.#fatal('cannot map pages in arena address space', v, n, p)
  }

  sysRetireOS(v: Address, n: number): boolean {
    // MADV_FREE_REUSABLE may bring old bytes back. A new mapping reads zero.
    return this.#kernel.mmap(v, n, PROT_READ | PROT_WRITE, MAP_ANON | MAP_FIXED | MAP_PRIVATE, -1, 0) === v
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  #refuse(syscall: string, errno: number, isNew = false): null {
    this.refusal = { syscall, errno, errnoName: errnoName('darwin', errno), hint: refusalHint(errno, isNew) }
    return null
  }

  /** The error of sysMap. `p` is mmap's answer. */
  #fatal(words: string, v: Address, n: number, p: number): FatalError {
    const call = { op: 'sysMap', syscall: 'mmap', address: v, size: n }
    if (p >= 0) return new FatalError(words, { ...call, hint: elsewhere(p) })
    const hint = refusalHint(-p, false)
    return new FatalError(words, { ...call, errno: -p, errnoName: errnoName('darwin', -p), hint })
  }
}

function elsewhere(p: Address): string {
  const did = `It mapped ${formatAddress(p)} instead, although MAP_FIXED forbids that.`
  return `Check the kernel or sandbox below this layer. ${did}`
}
