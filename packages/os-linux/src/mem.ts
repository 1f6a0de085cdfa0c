// Linux, as a backend. It answers to Go's runtime/mem_linux.go, function by function in mem.go's order. core's
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
import {
  alignDown,
  alignUp,
  errnoName,
  isAligned,
  writeZeroes,
  type Address,
  type HostServices,
  type PosixKernel,
} from '@memlayer/kernel'
import {
  EACCES,
  EAGAIN,
  EINVAL,
  ENOMEM,
  ENOSYS,
  EPERM,
  MADV_DONTNEED,
  MADV_FREE,
  MADV_HUGEPAGE,
  MADV_NOHUGEPAGE,
  MADV_NORMAL,
  MADV_POPULATE_WRITE,
  MAP_ANON as MAP_ANON_BY_ARCH,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from './defs.js'
import { keptHint, refusalHint, type Asked } from './hint.js'
import { quarantineOf } from './quarantine.js'

/** How the backend is made. */
export interface LinuxOptions {
  /** The kernel below. Default: the host's own. */
  readonly kernel?: PosixKernel | undefined
  /**
   * How sysUnused gives pages back. True: MADV_DONTNEED, so resident memory falls at once and the pages read zero
   * afterwards. False: MADV_FREE, which is cheaper, but resident memory stays until the kernel needs it. Default
   * true. Go: GODEBUG=madvdontneed.
   */
  readonly madvDontNeed?: boolean | undefined
  /**
   * Whether Prepared memory loses its permissions, so that touching it faults. For debugging. Default false. Go:
   * harddecommit.
   */
  readonly hardDecommit?: boolean | undefined
  /**
   * Whether sysUnusedAll gives many ranges back in one call, process_madvise. Default true. False is for a process that
   * a filter of system calls ends for that call. One that only refuses it needs nothing.
   */
  readonly batch?: boolean | undefined
  /** The processor, in Node's words. Default: the kernel's. Only mips and mipsel differ. */
  readonly arch?: string | undefined
}

/** Linux's memory over a kernel. */
export function createOS(options: LinuxOptions = {}): OS {
  const read = checkOptions('createOS', options, ['kernel', 'madvDontNeed', 'hardDecommit', 'batch', 'arch'])
  return new Linux(read.kernel ?? posixKernel(), read)
}

/** So much memory may be taken by mistake where a process locks all that it maps. It is not worth a look. */
const populatedMax = 2 ** 20

class Linux implements OS {
  readonly name = 'linux'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly host: HostServices
  readonly #kernel: PosixKernel
  readonly #pageSize: number
  readonly #hugePageSize: number
  readonly #anonymous: number
  readonly #noReserve: number
  readonly #enosys: number
  readonly #family: 'linux' | 'linux-mips'
  readonly #madvDontNeed: boolean
  readonly #hardDecommit: boolean
  // The advice of sysUnused when it has the choice. It changes once, when a kernel refuses MADV_FREE.
  #adviseUnused = MADV_FREE
  // Whether the kernel has refused to take pages back, and those that took their place had memory at once.
  #keepsMemory = false
  // Whether the kernel can populate pages ahead of a touch. False once a kernel does not know how.
  #populates = true
  // Read at the first free that needs it.
  #quarantine: Quarantine | null = null
  // Whether one call can advise many ranges. False once a kernel refuses.
  #advisesMany: boolean

  constructor(kernel: PosixKernel, options: LinuxOptions) {
    const { madvDontNeed = true, hardDecommit = false, batch = true, arch = kernel.arch ?? '' } = options
    this.host = kernel
    this.#kernel = kernel
    this.#pageSize = kernel.pageSize
    this.#hugePageSize = kernel.hugePageSize
    const numbers = arch.startsWith('mips') ? 'mips' : 'generic'
    this.#family = numbers === 'mips' ? 'linux-mips' : 'linux'
    this.#anonymous = MAP_ANON_BY_ARCH[numbers]
    this.#noReserve = MAP_NORESERVE[numbers]
    this.#enosys = ENOSYS[numbers]
    this.#madvDontNeed = madvDontNeed
    this.#hardDecommit = hardDecommit
    this.#advisesMany = batch && kernel.madviseAll !== undefined && !hardDecommit
    const returnsMemory = (): boolean => !this.#keepsMemory
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      hugePageSize: kernel.hugePageSize,
      granularity: kernel.pageSize,
      freesParts: true,
      hints: true,
      reservedTraps: true,
      unusedTraps: hardDecommit,
      faultTraps: true,
      threadsShare: true,
      get unusedReturnsMemory() {
        return returnsMemory()
      },
      // Hard decommit maps the pages again, which gives zeroes as well.
      unusedDropsContents: madvDontNeed || hardDecommit,
    })
  }

  sysAllocOS(n: number): Address | null {
    const p = this.#kernel.mmap(0, n, PROT_READ | PROT_WRITE, this.#anonymous | MAP_PRIVATE, -1, 0)
    if (p < 0) {
      if (-p === EACCES) throw this.#fatal('mmap: access denied', 'sysAlloc', 'mmap', null, n, -p)
      if (-p === EAGAIN) {
        throw this.#fatal("mmap: too much locked memory (check 'ulimit -l').", 'sysAlloc', 'mmap', null, n, -p)
      }
      return this.#refuse('mmap', -p, { space: n, writable: n })
    }
    return p
  }

  sysUnusedOS(v: Address, n: number): void {
    // Go advises before it looks at the alignment. Here a wrong range has no effect at all.
    if (!isAligned(v, this.#pageSize) || !isAligned(n, this.#pageSize)) {
      throw new FatalError('unaligned sysUnused', { op: 'sysUnused', address: v, size: n })
    }

    this.#cutHugePages(v, n)
    const advice = this.#advice
    let answer = this.#kernel.madvise(v, n, advice)
    if (advice === MADV_FREE && answer < 0) {
      // MADV_FREE came with Linux 4.5. An older kernel refuses it, so fall back once and remember.
      this.#adviseUnused = MADV_DONTNEED
      answer = this.#kernel.madvise(v, n, MADV_DONTNEED)
    }

    if (this.#hardDecommit) {
      const p = this.#kernel.mmap(v, n, PROT_NONE, this.#anonymous | MAP_FIXED | MAP_PRIVATE, -1, 0)
      if (p !== v) throw this.#fatal('cannot disable permissions in address space', 'sysUnused', 'mmap', v, n, -p)
    } else if (answer < 0) this.refusal = this.#said('madvise', -answer, keptHint(-answer))
  }

  sysUnusedAllOS(ranges: ArrayLike<number>): boolean {
    if (!this.#advisesMany) return false
    const huge = this.#hugePageSize
    const cut: number[] = []
    for (let i = 0; i < ranges.length; i += 2) {
      const v = ranges[i] as Address
      const n = ranges[i + 1] as number
      // sysUnusedOS then throws, with Go's words and the wrong range.
      if (!isAligned(v, this.#pageSize) || !isAligned(n, this.#pageSize)) return false
      if (huge === 0) continue
      for (const edge of [v, v + n]) {
        // Neighbours cut the same huge page, and one entry is enough.
        if (!isAligned(edge, huge) && cut.at(-2) !== alignDown(edge, huge)) cut.push(alignDown(edge, huge), huge)
      }
    }
    if (cut.length > 0 && this.#kernel.madviseAll?.(cut, MADV_NOHUGEPAGE) === -ENOMEM) {
      // A part of a huge page is not mapped. Where that is the first one, the call ends there. One by one, each of them
      // loses its flag in the parts that are mapped.
      for (let i = 0; i < cut.length; i += 2) void this.#kernel.madvise(cut[i] as Address, huge, MADV_NOHUGEPAGE)
    }
    const answer = this.#kernel.madviseAll?.(ranges, this.#advice) ?? -this.#enosys
    // Any advice on the own process came with Linux 6.13. An older kernel is asked only once. It answers as a newer one
    // does for locked pages, which refuse the advice by itself too.
    if (answer === -this.#enosys || answer === -EPERM) this.#advisesMany = false
    if (answer === -EINVAL && ranges.length > 0) {
      const [v, n] = [ranges[0] as Address, ranges[1] as number]
      if (this.#kernel.madvise(v, n, this.#advice) === 0) this.#advisesMany = false
    }
    return answer === 0
  }

  sysUsedOS(v: Address, n: number): void {
    if (this.#hardDecommit) {
      const p = this.#kernel.mmap(v, n, PROT_READ | PROT_WRITE, this.#anonymous | MAP_FIXED | MAP_PRIVATE, -1, 0)
      if (-p === ENOMEM) throw this.#fatal('out of memory', 'sysUsed', 'mmap', v, n, -p, { writable: n })
      if (p !== v) throw this.#fatal('cannot remap pages in address space', 'sysUsed', 'mmap', v, n, -p)
      return
    }

    // sysUnused may have taken the huge page flag from pages at the ends. They stay without it, because the next
    // neighbours that are given back would only switch it again.
    this.sysHugePageOS(v, n)
  }

  sysHugePageOS(v: Address, n: number): void {
    const huge = this.#hugePageSize
    if (huge === 0) return
    const beg = alignUp(v, huge)
    const end = alignDown(v + n, huge)
    if (beg >= end) return
    // A hint: a kernel that refuses it changes nothing. If `v` itself is right, it is passed unchanged, because the
    // engine makes an object for a new number.
    if (beg === v) void this.#kernel.madvise(v, end - beg, MADV_HUGEPAGE)
    else void this.#kernel.madvise(beg, end - beg, MADV_HUGEPAGE)
  }

  sysPopulateOS(v: Address, n: number): boolean | null {
    if (!this.#populates) return false
    const answer = this.#kernel.madvise(v, n, MADV_POPULATE_WRITE)
    if (answer === 0) return true
    // It came with Linux 5.14. An older kernel answers EINVAL. A sandbox that does not know it answers EPERM or ENOSYS.
    // None of them changes while the process lives, so it is asked only once.
    if (answer === -EINVAL || answer === -EPERM || answer === -this.#enosys) return (this.#populates = false)
    return this.#refuse('madvise', -answer, { populated: n })
  }

  sysZeroOS(v: Address, n: number): boolean {
    // The next touch finds zeroes, whatever sysUnused advises.
    this.#cutHugePages(v, n)
    const answer = this.#kernel.madvise(v, n, MADV_DONTNEED)
    if (answer === 0) return true
    // Locked pages (EINVAL), or a filter. Core writes the zeroes.
    this.refusal = this.#said('madvise', -answer, keptHint(-answer))
    return false
  }

  sysNoHugePageOS(v: Address, n: number): void {
    // A hint, whose answer is ignored. A kernel without huge pages answers EINVAL.
    if (this.#hugePageSize !== 0) void this.#kernel.madvise(v, n, MADV_NOHUGEPAGE)
  }

  sysRenewOS(v: Address, n: number): boolean {
    // The kernel has refused MADV_DONTNEED as well, so its refusal of MADV_FREE told nothing of its age.
    this.#adviseUnused = MADV_FREE
    const p = this.#kernel.mmap(v, n, PROT_READ | PROT_WRITE, this.#anonymous | MAP_FIXED | MAP_PRIVATE, -1, 0)
    if (p === v) {
      // Where the process locks all that it maps, new pages have memory at once. The first one tells of the others.
      if (this.#kernel.residency?.(v, this.#pageSize)?.length === 0) return true
    } else {
      // Only a kernel that has kept the pages takes this advice.
      if (this.#kernel.madvise(v, n, MADV_NORMAL) < 0)
        throw this.#fatal('cannot remap pages in address space', 'sysUnused', 'mmap', v, n, -p, { writable: n })
      if (this.#madvDontNeed) writeZeroes(this.#kernel, v, n)
    }
    this.#keepsMemory = true
    return false
  }

  sysFreeOS(v: Address, n: number): void {
    const answer = this.#kernel.munmap(v, n)
    // mem_linux.go ignores the answer, because its stub of munmap ends the process. Core has to know that the range
    // is still there.
    if (answer < 0) this.#refuse('munmap', -answer)
  }

  sysFaultOS(v: Address, n: number): void {
    const p = this.#kernel.mmap(v, n, PROT_NONE, this.#anonymous | MAP_PRIVATE | MAP_FIXED, -1, 0)
    // mem_linux.go ignores the answer. Core has to know that the range is as it was.
    if (p < 0) this.#refuse('mmap', -p)
    else if (p !== v) this.refusal = { syscall: 'mmap', hint: elsewhere(p) }
  }

  sysReserveOS(v: Address | null, n: number): Address | null {
    const p = this.#kernel.mmap(v ?? 0, n, PROT_NONE, this.#anonymous | MAP_PRIVATE, -1, 0)
    if (p < 0) return this.#refuse('mmap', -p, { space: n })
    return p
  }

  sysMapOS(v: Address, n: number): void {
    const p = this.#kernel.mmap(v, n, PROT_READ | PROT_WRITE, this.#anonymous | MAP_FIXED | MAP_PRIVATE, -1, 0)
    if (-p === ENOMEM) throw this.#fatal('out of memory', 'sysMap', 'mmap', v, n, -p, { writable: n })
    if (p !== v) throw this.#fatal('cannot map pages in arena address space', 'sysMap', 'mmap', v, n, -p)
  }

  get quarantine(): Quarantine {
    return (this.#quarantine ??= quarantineOf(this.#kernel.limits?.()))
  }

  sysRetireOS(v: Address, n: number, isMapped: boolean): boolean {
    const answer = this.#kernel.madvise(v, n, MADV_DONTNEED)
    // Locked memory is not given back. The kernel answers EINVAL, and core unmaps. A filter has another answer.
    if (answer === -EINVAL) return false
    if (answer === 0 && isMapped) return true
    if (n > populatedMax && this.#locksMappings()) return false
    const flags = this.#anonymous | this.#noReserve | MAP_FIXED | MAP_PRIVATE
    return this.#kernel.mmap(v, n, PROT_READ | PROT_WRITE, flags, -1, 0) === v
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  /** Takes the huge page flag from the huge pages at the ends of [v, v+n), which is about to lose its memory. */
  #cutHugePages(v: Address, n: number): void {
    // khugepaged collapses a huge page with a single page left into a whole one. Then memory that was given back
    // here is resident again (kernel bug 93111). So the huge pages that the range cuts in two, and only those, lose
    // their huge page flag. The kernel keeps the flag per mapping. Switching it splits mappings, and a process may
    // have 65,530 of them (golang.org/issue/12233).
    const huge = this.#hugePageSize
    if (huge !== 0) {
      const end = v + n
      const head = alignDown(v, huge)
      const tail = alignDown(end, huge)
      // Errors are ignored, because a kernel without huge pages answers EINVAL.
      if (head !== v && tail !== end && head + huge === tail) {
        void this.#kernel.madvise(head, 2 * huge, MADV_NOHUGEPAGE)
      } else {
        if (head !== v) void this.#kernel.madvise(head, huge, MADV_NOHUGEPAGE)
        if (tail !== end && (tail !== head || head === v)) void this.#kernel.madvise(tail, huge, MADV_NOHUGEPAGE)
      }
    }
  }

  /** How pages are given back. */
  get #advice(): number {
    return this.#madvDontNeed ? MADV_DONTNEED : this.#adviseUnused
  }

  /** Whether the process locks all that it maps (mlockall), which gives it memory at once. A mapping tells. */
  #locksMappings(): boolean {
    const p = this.#kernel.mmap(0, this.#pageSize, PROT_NONE, this.#anonymous | MAP_PRIVATE, -1, 0)
    if (p < 0) return true
    const isLocked = this.#kernel.madvise(p, this.#pageSize, MADV_DONTNEED) < 0
    void this.#kernel.munmap(p, this.#pageSize)
    return isLocked
  }

  #refuse(syscall: string, errno: number, asked: Asked = {}): null {
    this.refusal = this.#said(syscall, errno, refusalHint(errno, asked, this.#kernel))
    return null
  }

  #said(syscall: string, errno: number, hint: string): Refusal {
    return { syscall, errno, errnoName: errnoName(this.#family, errno), hint }
  }

  /** Makes the error. A negative `errno` means that the kernel answered with another address. */
  #fatal(
    words: string,
    op: string,
    syscall: string,
    v: Address | null,
    n: number,
    errno: number,
    asked: Asked = {},
  ): FatalError {
    const address = v === null ? {} : { address: v }
    if (errno < 0) {
      return new FatalError(words, { op, syscall, size: n, hint: elsewhere(-errno), ...address })
    }
    const hint = refusalHint(errno, asked, this.#kernel)
    return new FatalError(words, {
      op,
      syscall,
      errno,
      errnoName: errnoName(this.#family, errno),
      size: n,
      hint,
      ...address,
    })
  }
}

function elsewhere(p: Address): string {
  const did = `It mapped ${formatAddress(p)} instead, although MAP_FIXED forbids that.`
  return `Check the kernel or sandbox below this layer. ${did}`
}
