// What makes one POSIX kernel another: flag numbers, what an advice does, and what each call
// says to a range that is odd. A personality is data; posix.ts is the one kernel that reads it.
import type { Address, ErrnoFamily } from '@memlayer/kernel'

/** The bits of mmap's `flags`. 0: the system has no such flag. */
export interface MapFlags {
  readonly anonymous: number
  readonly fixed: number
  /** MAP_FIXED, but refused where something is mapped. Linux: MAP_FIXED_NOREPLACE; FreeBSD: MAP_EXCL beside MAP_FIXED. */
  readonly noReplace: number
  readonly noReserve: number
  readonly populate: number
  readonly locked: number
  readonly stack: number
  /** Flags that ask for what no simulated kernel has; a call with one throws. */
  readonly unsupported: number
  /** Bits that the kernel knows; any other is EINVAL. `null`: it looks at no other bit. */
  readonly known: number | null
}

/** What an advice does to the pages of a range. */
export type Advice =
  /** No effect that the simulator shows. */
  | { readonly does: 'nothing' }
  /** Attributes of the mapping, which is split for it. On shared memory `'private'` is EINVAL, `'unshared'` without effect. */
  | { readonly does: 'mark'; readonly sets: number; readonly clears: number; readonly on?: 'private' | 'unshared' }
  /** Pages go now, and read zero. */
  | { readonly does: 'discard'; readonly locked: 'EINVAL' | 'discard' }
  /** Pages may go, at any time, until they are written. `counted`: they are resident until then. */
  | { readonly does: 'forfeit'; readonly counted: boolean }
  /** Forfeit pages are wanted again, as they are. */
  | { readonly does: 'reuse' }
  /** Pages are touched, as by an access. */
  | { readonly does: 'populate'; readonly access: 'read' | 'write' }
  /** Small pages become huge ones. */
  | { readonly does: 'collapse' }
  /** No effect without swap, except that forfeit and shared pages go now if `reclaims`; EINVAL on locked memory. */
  | { readonly does: 'age'; readonly reclaims: boolean }
  /** A hole in a shared object. */
  | { readonly does: 'remove' }

/** What a call says to a range that is odd. Names are errnos. */
export interface RangeRules {
  /** The address is inside a page; `'rounded'`: down, and the end up. */
  readonly unaligned: 'EINVAL' | 'rounded'
  /** No bytes. */
  readonly empty: 'done' | 'EINVAL'
  /** It ends beyond the end of user space; `'a hole'`: nothing is mapped there, that is all. */
  readonly outside: 'EINVAL' | 'ENOMEM' | 'a hole'
  /** Some of it is not mapped: no matter; refused with no effect; up to the hole; all but the hole. */
  readonly hole: 'skipped' | { readonly errno: string; readonly effect: 'none' | 'before it' | 'around it' }
}

/** How a kernel chooses an address. */
export interface Placement {
  /** From the top down, from the bottom up, or anywhere. */
  readonly order: 'down' | 'up' | 'anywhere'
  /** Where it begins to look (from `bottom` up, from `top` down, between them); the seed moves it by up to `slide` bytes. */
  readonly bottom: Address
  readonly top: Address
  readonly slide: number
  /** A hint is taken where it is free; where it is not: `'ignored'`, or the first room above it. */
  readonly busyHint: 'ignored' | 'upward'
  /** Whether ranges of whole huge pages begin at one. */
  readonly alignsHuge: boolean
}

/** How memory is promised. */
export interface CommitPolicy {
  /** What is counted: Linux's rules, every mapping without NORESERVE, or nothing. */
  readonly counts: 'writable' | 'unless NORESERVE' | 'nothing'
  /** What mmap says when there is no more. */
  readonly errno: string
}

/** One POSIX kernel. */
export interface Personality {
  readonly os: string
  readonly family: ErrnoFamily
  readonly arch: string
  readonly pageSize: number
  /** 0: none. */
  readonly hugePageSize: number
  /** User space: what can be mapped at all. */
  readonly lowest: Address
  readonly highest: Address
  readonly flags: MapFlags
  /** The bits of `prot` that each call knows; any other is EINVAL. `null`: it looks at no other bit. */
  readonly knownProt: { readonly mmap: number | null; readonly mprotect: number | null }
  readonly placement: Placement
  /** What MAP_FIXED says where something is mapped; `null`: nothing, it takes the place. */
  readonly mapOver: string | null
  /** What MAP_FIXED says outside of user space. */
  readonly fixedOutside: string
  readonly commit: CommitPolicy
  readonly advice: ReadonlyMap<number, Advice>
  readonly munmap: RangeRules
  readonly mprotect: RangeRules
  readonly madvise: RangeRules
  /** Whether many ranges can be advised in one call. */
  readonly batches: boolean
  /** How many pages of a shared object a read maps at once, where they exist. */
  readonly faultAround: number
  /** How many mappings there may be. */
  readonly maxMappings: number
}
