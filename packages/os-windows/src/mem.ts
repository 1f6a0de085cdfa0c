// Windows, as a backend. It answers to Go's runtime/mem_windows.go, function by function in mem.go's order. core's
// wrappers call it. `kernel` is all that it sees of the host.
import {
  checkOptions,
  FatalError,
  formatAddress,
  formatBytes,
  type OS,
  type Quarantine,
  type Refusal,
  type Traits,
} from '@memlayer/core'
import { windowsKernel } from '@memlayer/ffi'
import {
  alignDown,
  errnoName,
  writeZeroes,
  type Address,
  type HostServices,
  type WindowsKernel,
  type WindowsLimits,
} from '@memlayer/kernel'
import {
  ERROR_ACCESS_DENIED,
  ERROR_INVALID_ADDRESS,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  MEM_RESET,
  outOfMemoryErrors,
  PAGE_READWRITE,
} from './defs.js'
import { commitHint, rangeHint, reserveHint } from './hint.js'

/** How the backend is made. */
export interface WindowsOptions {
  /** The kernel below. Default: the host's own. */
  readonly kernel?: WindowsKernel | undefined
}

/** Windows' memory over a kernel. */
export function createOS(options: WindowsOptions = {}): OS {
  const { kernel } = checkOptions('createOS', options, ['kernel'])
  return new Windows(kernel ?? windowsKernel())
}

/**
 * What is retired stays reserved. Committed memory is charged, touched or not: so little of it stays committed, and
 * older ranges are decommitted.
 */
function quarantineOf(limits: WindowsLimits | undefined): Quarantine {
  const [space, commit] = [(limits?.addressSpace ?? NaN) / 8, (limits?.commitLimit ?? NaN) / 64]
  return { space: space < 2 ** 44 ? space : 2 ** 44, writable: commit < 2 ** 28 ? commit : 2 ** 28 }
}

class Windows implements OS {
  readonly name = 'windows'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly usedKeepsReady = true
  readonly host: HostServices
  readonly #kernel: WindowsKernel
  readonly #pageSize: number
  // Read at the first free that needs it.
  #quarantine: Quarantine | null = null
  // Where the memory is that a question about room takes for a moment. 0: nowhere.
  #question: Address = 0

  constructor(kernel: WindowsKernel) {
    this.host = kernel
    this.#kernel = kernel
    this.#pageSize = kernel.pageSize
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      // Large pages have to be committed when they are reserved, and need a privilege. Go does not ask for them.
      hugePageSize: 0,
      granularity: kernel.allocationGranularity,
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

  sysAllocOS(n: number): Address | null {
    const p = this.#kernel.virtualAlloc(0, n, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE)
    if (p < 0) return this.#refuse(-p, commitHint(-p, n, this.#kernel, true))
    return p
  }

  sysUnusedOS(v: Address, n: number): void {
    this.#decommit('sysUnused', v, n)
  }

  sysUsedOS(v: Address, n: number): void {
    let answer = this.#kernel.virtualAlloc(v, n, MEM_COMMIT, PAGE_READWRITE)
    if (answer === v) return
    // Go asks for less, whatever the kernel said. Where memory is short, that takes all that is left.
    if (answer !== -ERROR_INVALID_ADDRESS) throw this.#commitFailed(v, n, v, n, answer)

    // A range that several reservations obtained can't be committed in one call. Like Go, this commits the rest, or
    // half of it, or half of that, down to a page.
    const end = v + n
    for (let at = v; at < end;) {
      let small = end - at
      let failed = small
      while (small >= this.#pageSize) {
        answer = this.#kernel.virtualAlloc(at, small, MEM_COMMIT, PAGE_READWRITE)
        if (answer === at) break
        failed = small
        if (answer !== -ERROR_INVALID_ADDRESS) break
        small = alignDown(small / 2, this.#pageSize)
      }
      // The parts before are committed. Core knows which of them were Ready, and gives the others back.
      if (answer !== at) throw this.#commitFailed(v, n, at, failed, answer)
      at += small
    }
  }

  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: large pages are requested when memory is reserved, and can't be advised later.
  }

  sysFreeOS(v: Address, n: number): void {
    // Size 0, because a release frees exactly the whole reservation that begins at v.
    const answer = this.#kernel.virtualFree(v, 0, MEM_RELEASE)
    if (answer < 0)
      throw this.#fatal('failed to release pages', 'sysFree', 'VirtualFree', v, n, -answer, rangeHint(-answer))
  }

  sysFaultOS(v: Address, n: number): void {
    // Reserved and Prepared are one state of the machine, which faults when touched.
    this.#decommit('sysFault', v, n)
  }

  sysReserveOS(v: Address | null, n: number): Address | null {
    // At the hint, rounded down to the granularity. If that place is taken, anywhere.
    let p = this.#kernel.virtualAlloc(v ?? 0, n, MEM_RESERVE, PAGE_READWRITE)
    if (p < 0) p = this.#kernel.virtualAlloc(0, n, MEM_RESERVE, PAGE_READWRITE)
    if (p < 0) return this.#refuse(-p, reserveHint(-p, n, this.#kernel))
    return p
  }

  sysMapOS(_v: Address, _n: number): void {
    // Nothing to do: sysUsed commits. Until then the range stays as sysReserve left it.
  }

  sysRoomOS(n: number): boolean {
    // Wine has places of its own for what is reserved and committed at once, which no limit of its host counts. Engines
    // reserve first, so this does too.
    this.#endQuestion()
    const p = this.#kernel.virtualAlloc(0, n, MEM_RESERVE, PAGE_READWRITE)
    let answer = p
    if (p >= 0) {
      // A script may end while the kernel answers. Then the next question gives back what this one has.
      this.#question = p
      answer = this.#kernel.virtualAlloc(p, n, MEM_COMMIT, PAGE_READWRITE)
      this.#endQuestion()
    }
    if (answer === p && p >= 0) return true
    // That is no reason. A call that does both has one.
    if (answer === -ERROR_ACCESS_DENIED) {
      const both = this.#kernel.virtualAlloc(0, n, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
      if (both < 0) answer = both
      else void this.#kernel.virtualFree(both, 0, MEM_RELEASE)
    }
    return this.#refuse(-answer, commitHint(-answer, n, this.#kernel, true)) !== null
  }

  /** Gives back what a question took. It is forgotten first, because the addresses may be another's once it is free. */
  #endQuestion(): void {
    const p = this.#question
    if (p === 0) return
    this.#question = 0
    void this.#kernel.virtualFree(p, 0, MEM_RELEASE)
  }

  get quarantine(): Quarantine {
    return (this.#quarantine ??= quarantineOf(this.#kernel.limits?.()))
  }

  sysRetireOS(v: Address, n: number, isMapped: boolean): boolean {
    // Decommitted and committed again they would read zero as well, but an access between the two ends the process. A
    // call in flight makes some in that time. Windows promises no zeroes for pages that are reset, so they are written.
    try {
      if (!isMapped) this.sysUsedOS(v, n)
    } catch (error) {
      // There is no memory to commit. Core has another way.
      if (error instanceof FatalError) return false
      throw error
    }
    writeZeroes(this.#kernel, v, n)
    this.#reset(v, n)
    return true
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  /** The kernel may drop what [v, v+n) holds, which stays committed. In pieces as a decommit, and only an advice. */
  #reset(v: Address, n: number): void {
    for (let at = v; at < v + n;) {
      let small = v + n - at
      while (small >= this.#pageSize && !this.#drops(at, small)) small = alignDown(small / 2, this.#pageSize)
      if (small < this.#pageSize) return
      at += small
    }
  }

  #drops(v: Address, n: number): boolean {
    // DiscardVirtualMemory gives the pages back at once, and came with Windows 8.1. MEM_RESET leaves the moment open.
    if (this.#kernel.discard?.(v, n) === 0) return true
    return this.#kernel.virtualAlloc(v, n, MEM_RESET, PAGE_READWRITE) > 0
  }

  /** Takes the memory from [v, v+n), in pieces when the range crosses reservations. */
  #decommit(op: string, v: Address, n: number): void {
    let answer = this.#kernel.virtualFree(v, n, MEM_DECOMMIT)
    if (answer === 0) return

    // As in sysUsedOS, because VirtualFree can't cross from one reservation to the next.
    const end = v + n
    for (let at = v; at < end;) {
      let small = end - at
      let failed = small
      while (small >= this.#pageSize) {
        answer = this.#kernel.virtualFree(at, small, MEM_DECOMMIT)
        if (answer === 0) break
        failed = small
        small = alignDown(small / 2, this.#pageSize)
      }
      if (small < this.#pageSize) throw this.#decommitFailed(op, v, at, failed, -answer)
      at += small
    }
  }

  /** The error for a commit that ended at `at`, where even `failed` bytes were refused. */
  #commitFailed(v: Address, n: number, at: Address, failed: number, answer: number): FatalError {
    if (answer >= 0) {
      const hint = `Check the kernel below this layer. The kernel committed ${formatAddress(answer)} instead.`
      return new FatalError('failed to commit pages', {
        op: 'sysUsed',
        syscall: 'VirtualAlloc',
        address: at,
        size: failed,
        hint,
      })
    }
    const isShort = outOfMemoryErrors.includes(-answer)
    const hint = commitHint(-answer, n, this.#kernel)
    // As in Go, this is the whole size when memory is short. Otherwise it is the size of the piece. Go has halved
    // that to 0 by then (golang.org/issue/33716).
    return isShort
      ? this.#fatal('out of memory', 'sysUsed', 'VirtualAlloc', v, n, -answer, hint)
      : this.#fatal('failed to commit pages', 'sysUsed', 'VirtualAlloc', at, failed, -answer, hint)
  }

  /**
   * The error for a decommit that ended at `at`. To the account, [v, at) is what it was before the call. Ready
   * memory may be touched, so it gets memory again. Go ends the process.
   */
  #decommitFailed(op: string, v: Address, at: Address, failed: number, errno: number): FatalError {
    let hint = rangeHint(errno)
    let unsettled = false
    if (at > v) {
      try {
        this.sysUsedOS(v, at - v)
        hint += ` The first ${formatBytes(at - v)} have memory again, but their contents are lost.`
      } catch {
        unsettled = true
        hint += ` The first ${formatBytes(at - v)} have lost their memory.`
      }
    }
    const details = { op, syscall: 'VirtualFree', errno, errnoName: errnoName('windows', errno), hint, unsettled }
    return new FatalError('failed to decommit pages', { ...details, address: at, size: failed })
  }

  #refuse(errno: number, hint: string): null {
    this.refusal = { syscall: 'VirtualAlloc', errno, errnoName: errnoName('windows', errno), hint }
    return null
  }

  #fatal(words: string, op: string, syscall: string, v: Address, n: number, errno: number, hint: string): FatalError {
    const name = errnoName('windows', errno)
    return new FatalError(words, { op, syscall, errno, errnoName: name, address: v, size: n, hint })
  }
}
