// The differences between POSIX kernels: flag numbers, the effect of an advice, and the answer of each call to an
// odd range. A personality is data. posix-kernel.ts and posix-calls.ts are the one kernel that reads it.
import type { Address, ErrnoFamily } from '@memlayer/kernel'

/** The bits of mmap's `flags`. 0 means that the system has no such flag. */
export interface MapFlags {
  readonly anonymous: number
  readonly fixed: number
  /**
   * Like MAP_FIXED, but refused on a mapped range. Linux: MAP_FIXED_NOREPLACE. FreeBSD: MAP_EXCL beside MAP_FIXED.
   */
  readonly noReplace: number
  readonly noReserve: number
  readonly populate: number
  readonly locked: number
  readonly stack: number
  /** Flags for features that no simulated kernel has. A call with one throws. */
  readonly unsupported: number
  /** Bits that the kernel knows. Any other bit is EINVAL. `null` means that it ignores other bits. */
  readonly known: number | null
}

/** What an advice does to the pages of a range. */
export type Advice =
  /** No effect that the simulator shows. */
  | { readonly does: 'nothing' }
  /**
   * Changes attributes of the mapping and splits it for that. On shared memory `'private'` is EINVAL, and
   * `'unshared'` has no effect.
   */
  | { readonly does: 'mark'; readonly sets: number; readonly clears: number; readonly on?: 'private' | 'unshared' }
  /** The kernel takes the pages now, and they read zero. */
  | { readonly does: 'discard'; readonly locked: 'EINVAL' | 'discard' }
  /** The kernel may take the pages at any time until they are written. `counted`: they stay resident until then. */
  | { readonly does: 'forfeit'; readonly counted: boolean }
  /** Forfeit pages are needed again, with their contents. */
  | { readonly does: 'reuse' }
  /** Touches the pages, as an access does. */
  | { readonly does: 'populate'; readonly access: 'read' | 'write' }
  /** Small pages become huge ones. */
  | { readonly does: 'collapse' }
  /**
   * No effect without swap, but with `reclaims` the kernel takes forfeit and shared pages now. EINVAL on locked
   * memory.
   */
  | { readonly does: 'age'; readonly reclaims: boolean }
  /** Makes a hole in a shared object. */
  | { readonly does: 'remove' }

/** How a call answers an odd range. Names are errnos. */
export interface RangeRules {
  /** The address is inside a page. `'rounded'` rounds it down, and the end up. */
  readonly unaligned: 'EINVAL' | 'rounded'
  /** The range has no bytes. */
  readonly empty: 'done' | 'EINVAL'
  /** The range ends beyond the end of user space. `'a hole'` treats that part like any unmapped range. */
  readonly outside: 'EINVAL' | 'ENOMEM' | 'a hole'
  /**
   * A part of the range is not mapped. The call skips it, or fails: with no effect, with an effect before the hole,
   * or around it.
   */
  readonly hole: 'skipped' | { readonly errno: string; readonly effect: 'none' | 'before it' | 'around it' }
}

/** How a kernel chooses an address. */
export interface Placement {
  /** From the top down, from the bottom up, or anywhere. */
  readonly order: 'down' | 'up' | 'anywhere'
  /**
   * Where the search begins: from `bottom` up, from `top` down, or between them. The seed moves it by up to `slide`
   * bytes.
   */
  readonly bottom: Address
  readonly top: Address
  readonly slide: number
  /** The kernel takes a free hint. A busy hint is `'ignored'`, or the search goes `'upward'` from it. */
  readonly busyHint: 'ignored' | 'upward'
  /** Whether ranges of whole huge pages begin at a huge page. */
  readonly alignsHuge: boolean
}

/** How a kernel promises memory. */
export interface CommitPolicy {
  /** What counts: Linux's rules, every mapping without NORESERVE, or nothing. */
  readonly counts: 'writable' | 'unless NORESERVE' | 'nothing'
  /** The error of mmap when no more can be promised. */
  readonly errno: string
}

/** One POSIX kernel. */
export interface Personality {
  readonly os: string
  readonly family: ErrnoFamily
  readonly arch: string
  readonly pageSize: number
  /** 0 means no huge pages. */
  readonly hugePageSize: number
  /** User space: the range that can be mapped at all. */
  readonly lowest: Address
  readonly highest: Address
  readonly flags: MapFlags
  /** The bits of `prot` that each call knows. Any other bit is EINVAL. `null` means that it ignores other bits. */
  readonly knownProt: { readonly mmap: number | null; readonly mprotect: number | null }
  readonly placement: Placement
  /** The error of MAP_FIXED on a mapped range. `null` means that it replaces the mapping. */
  readonly mapOver: string | null
  /** The error of MAP_FIXED outside of user space. */
  readonly fixedOutside: string
  readonly commit: CommitPolicy
  readonly advice: ReadonlyMap<number, Advice>
  readonly munmap: RangeRules
  readonly mprotect: RangeRules
  readonly madvise: RangeRules
  /** Whether RLIMIT_DATA counts private writable memory, as Linux does since 4.7. */
  readonly countsData: boolean
  /** Whether one call can advise many ranges. */
  readonly batches: boolean
  /** Whether the port tells which pages have memory, and which of it is in huge pages. */
  readonly tellsPages: boolean
  /** How many existing pages of a shared object a read maps at once. */
  readonly faultAround: number
  /** The most mappings that there may be. */
  readonly maxMappings: number
}
