// The OS interface: what a backend implements, one file an operating system. It answers to
// the *OS functions that Go's runtime/mem.go calls; core's wrappers are its only callers.
//
// A region of address space is in one of four states:
//   None      not owned
//   Reserved  owned, faults when touched, costs no memory
//   Prepared  mapped, meant to have no memory behind it; touching it is undefined
//   Ready     safe to touch
//
// Three outcomes, no fourth. Refused: `null`, where a function can answer so; nothing has
// changed. Broken: a FatalError, where Go throws or exits. Otherwise it is done.
import type { Address } from '@memlayer/kernel'

/** Frozen facts about an operating system, as its backend found them. */
export interface Traits {
  /** Bytes in a page: ranges are multiples of it. A power of two. */
  readonly pageSize: number
  /** Bytes in a transparent huge page, a power of two; 0: none, or unknown. */
  readonly hugePageSize: number
  /** Reservations begin at multiples of this many bytes. */
  readonly granularity: number
  /** Whether sysFree may take a part of a reservation, or several at once. Windows: no. */
  readonly freesParts: boolean
  /** Whether sysReserve may answer at a hinted address. A break or a wasm memory only where it ends. */
  readonly hints: boolean
  /** Whether touching a Reserved page faults. Plan 9, js: no, it is ordinary memory. */
  readonly reservedTraps: boolean
  /** Whether touching a Prepared page faults. */
  readonly preparedTraps: boolean
  /** Whether touching a page after sysFault faults. */
  readonly faultTraps: boolean
  /** Whether sysUnused gives memory back to the operating system. */
  readonly unusedReturnsMemory: boolean
  /** Whether a page reads zero when sysUsed takes it back after sysUnused. False: its old bytes may come back. */
  readonly unusedDropsContents: boolean
}

/** What the kernel said when it refused, kept by a backend for the text of the error. */
export interface Refusal {
  /** The kernel call that was refused: `'mmap'`. */
  readonly syscall: string
  /** The error number. */
  readonly errno: number
  /** The error number's name: `'ENOMEM'`. */
  readonly errnoName: string
  /** What a person can do about it. */
  readonly hint: string
}

/**
 * One operating system's memory. The caller of each function owes what core's wrapper has
 * checked: `v` and `n` are multiples of the page size, the range is owned and in a state
 * that the transition starts from. A backend keeps no ledger of its own.
 */
export interface OS {
  /** `'linux'`, `'windows'`, `'darwin'`, `'freebsd'`, …, `'js'`. */
  readonly name: string
  /** Frozen facts. */
  readonly traits: Traits
  /**
   * The kernel's last refusal that a `*OS` function met and did not throw: set before `null` is
   * returned, or where Go ignores a failing call that left the range as it was (a munmap). Core
   * reads it, clears it, and makes the error from it. Absent: errors carry no number.
   */
  refusal?: Refusal | null
  /** None to Ready: zeroed memory at an address that the OS chooses. `null`: refused. */
  sysAllocOS(n: number): Address | null
  /** Ready to Prepared: the contents are forfeit. A no-op means that the OS cannot take pages back. */
  sysUnusedOS(v: Address, n: number): void
  /** Prepared, or a mix of Prepared and Ready, to Ready. A no-op means that pages return on first touch. */
  sysUsedOS(v: Address, n: number): void
  /** No transition: larger pages would serve the range. A no-op means that the OS has none to offer. */
  sysHugePageOS(v: Address, n: number): void
  /** Any state to None. A no-op is permitted only where reservations come aligned as asked. */
  sysFreeOS(v: Address, n: number): void
  /** Ready or Prepared to Reserved: touching the range faults from now on, where the OS can do so. */
  sysFaultOS(v: Address, n: number): void
  /** None to Reserved, at `v` if it is given and free, else anywhere. `null`: refused. */
  sysReserveOS(v: Address | null, n: number): Address | null
  /** Reserved to Prepared. A no-op means that Reserved and Prepared are one to this OS. */
  sysMapOS(v: Address, n: number): void
  /** The bytes of a range, without a copy. Touching them is as safe as the range's state. */
  view(v: Address, n: number): ArrayBuffer
}
