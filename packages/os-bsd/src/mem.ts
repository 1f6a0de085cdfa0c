// The BSDs, Solaris and illumos, as a backend. It answers to Go's runtime/mem_bsd.go, function by function in
// mem.go's order. core's wrappers call it. `kernel` is all that it sees of the host.
import {
  checkOptions,
  FatalError,
  formatAddress,
  UsageError,
  type OS,
  type Quarantine,
  type Refusal,
  type Traits,
} from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { errnoName, type Address, type HostServices, type PosixKernel } from '@memlayer/kernel'
import {
  EAGAIN,
  ENOMEM,
  flavors,
  MADV_FREE,
  MAP_ANON,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  type Flavor,
} from './defs.js'
import { refusalHint } from './hint.js'
import { hostFlavor } from './host.js'

/** How the backend is made. */
export interface BsdOptions {
  /** The kernel below. Default: the host's own. */
  readonly kernel?: PosixKernel | undefined
  /** Which of the six it is. Default: the host's, or `'freebsd'` over a kernel that is handed in. */
  readonly flavor?: Flavor | undefined
}

/**
 * The memory of a BSD, of Solaris or of illumos over a kernel.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION when the flavor, given or the host's, is not one of the six.
 */
export function createOS(options: BsdOptions = {}): OS {
  const read = checkOptions('createOS', options, ['kernel', 'flavor'])
  const flavor = read.flavor ?? (read.kernel === undefined ? hostFlavor() : 'freebsd')
  if (flavor === null || !flavors.includes(flavor)) throw unknownFlavor(read.flavor)
  return new Bsd(read.kernel ?? posixKernel(), flavor)
}

function unknownFlavor(given: unknown): UsageError {
  const shown = typeof given === 'string' ? JSON.stringify(given) : typeof given
  const what = given === undefined ? 'this host is not one of the six systems' : `the flavor is ${shown}`
  return new UsageError('ERR_MEMLAYER_OPTION', `os-bsd: ${what}`, {
    hint: `Pass the option flavor, with a kernel of that system: ${flavors.join(', ')}.`,
  })
}

class Bsd implements OS {
  readonly name: Flavor
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly host: HostServices
  readonly #kernel: PosixKernel
  readonly quarantine: Quarantine
  readonly #anonymous: number
  readonly #noReserve: number
  readonly #free: number
  // Whether the kernel has refused to take pages back. It then keeps what sysUnused gives it.
  #keepsMemory = false

  constructor(kernel: PosixKernel, flavor: Flavor) {
    this.name = flavor
    this.host = kernel
    this.#kernel = kernel
    // OpenBSD counts writable memory to `ulimit -d`, touched or not.
    this.quarantine = Object.freeze({ space: 2 ** 44, writable: flavor === 'openbsd' ? 2 ** 24 : Infinity })
    this.#anonymous = MAP_ANON[flavor]
    this.#noReserve = MAP_NORESERVE[flavor]
    this.#free = MADV_FREE[flavor]
    const returnsMemory = (): boolean => !this.#keepsMemory
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      // Where larger pages exist, these kernels make them by themselves. Go does not ask for them.
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
    const p = this.#kernel.mmap(0, n, PROT_READ | PROT_WRITE, this.#anonymous | MAP_PRIVATE, -1, 0)
    if (p < 0) return this.#refuse('mmap', -p, true)
    return p
  }

  sysUnusedOS(v: Address, n: number): void {
    // A hint: the kernel takes the pages when it needs memory. If it refuses, the pages stay, and core is told.
    const answer = this.#kernel.madvise(v, n, this.#free)
    if (answer < 0) {
      this.#keepsMemory = true
      this.#refuse('madvise', -answer)
    }
  }

  sysUsedOS(_v: Address, _n: number): void {
    // Nothing to do: a page returns on first touch.
  }

  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: the kernel promotes pages by itself, or not at all.
  }

  sysFreeOS(v: Address, n: number): void {
    const answer = this.#kernel.munmap(v, n)
    // mem_bsd.go ignores the answer. Core has to know that the range is still there.
    if (answer < 0) this.#refuse('munmap', -answer)
  }

  sysFaultOS(v: Address, n: number): void {
    // A reservation again, so it takes no swap space either. Where none is left, the kernel would refuse Go's flags,
    // and core could not put back what sysMap was refused.
    const flags = this.#anonymous | MAP_PRIVATE | MAP_FIXED | this.#noReserve
    const p = this.#kernel.mmap(v, n, PROT_NONE, flags, -1, 0)
    // mem_bsd.go ignores the answer. Core has to know that the range is as it was.
    if (p < 0) this.#refuse('mmap', -p)
    else if (p !== v) this.refusal = { syscall: 'mmap', hint: elsewhere(p) }
  }

  sysReserveOS(v: Address | null, n: number): Address | null {
    // Solaris and illumos set swap space aside for private mappings with any protection. A large reservation would
    // take all of it. Then fork, which doubles it, would fail.
    const p = this.#kernel.mmap(v ?? 0, n, PROT_NONE, this.#anonymous | MAP_PRIVATE | this.#noReserve, -1, 0)
    if (p < 0) return this.#refuse('mmap', -p, true)
    return p
  }

  sysMapOS(v: Address, n: number): void {
    const p = this.#kernel.mmap(v, n, PROT_READ | PROT_WRITE, this.#anonymous | MAP_FIXED | MAP_PRIVATE, -1, 0)
    if (-p === ENOMEM) throw this.#fatal('out of memory', v, n, p)
    // The swap space is set aside here. EAGAIN means that no swap space is left.
    const isSunOS = this.name === 'solaris' || this.name === 'illumos'
    if (isSunOS && -p === EAGAIN[this.name]) throw this.#fatal('out of memory', v, n, p)
    if (p !== v) throw this.#fatal('cannot map pages in arena address space', v, n, p)
  }

  sysRetireOS(v: Address, n: number): boolean {
    // MADV_FREE may bring old bytes back. A new mapping reads zero.
    const flags = this.#anonymous | this.#noReserve | MAP_FIXED | MAP_PRIVATE
    return this.#kernel.mmap(v, n, PROT_READ | PROT_WRITE, flags, -1, 0) === v
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  #refuse(syscall: string, errno: number, isNew = false): null {
    const hint = refusalHint(this.name, errno, isNew)
    this.refusal = { syscall, errno, errnoName: errnoName(this.name, errno), hint }
    return null
  }

  /** The error of sysMap. `p` is mmap's answer. */
  #fatal(words: string, v: Address, n: number, p: number): FatalError {
    const call = { op: 'sysMap', syscall: 'mmap', address: v, size: n }
    if (p >= 0) return new FatalError(words, { ...call, hint: elsewhere(p) })
    const hint = refusalHint(this.name, -p, false)
    return new FatalError(words, { ...call, errno: -p, errnoName: errnoName(this.name, -p), hint })
  }
}

function elsewhere(p: Address): string {
  const did = `It mapped ${formatAddress(p)} instead, although MAP_FIXED forbids that.`
  return `Check the kernel or sandbox below this layer. ${did}`
}
