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
import type { Address, ForeignCalls, PosixLimits, ProcessMemory, WindowsLimits } from '@memlayer/kernel'

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
  /** Whether touching a page after sysUnused faults until sysUsed takes it back. Windows: yes. */
  readonly unusedTraps: boolean
  /** Whether touching a page after sysFault faults. */
  readonly faultTraps: boolean
  /** Whether another thread's backend finds the same bytes at the same addresses. js: no. */
  readonly threadsShare: boolean
  /** Whether sysUnused gives memory back to the operating system. */
  readonly unusedReturnsMemory: boolean
  /** Whether a page reads zero when sysUsed takes it back after sysUnused. False: its old bytes may come back. */
  readonly unusedDropsContents: boolean
}

/**
 * What the kernel said when it refused, kept by a backend for the text of the error. Without the call
 * and its answer: the backend refused by itself and asked no kernel.
 */
export interface Refusal {
  /** The kernel call that was refused: `'mmap'`. */
  readonly syscall?: string
  /** The error number. */
  readonly errno?: number
  /** The error number's name: `'ENOMEM'`. */
  readonly errnoName?: string
  /** What a person can do about it. */
  readonly hint: string
}

/** Kernel mappings: each run of pages of one kind costs one. */
export interface MappingCount {
  /** What the process has, the engine's own included. */
  readonly used: number
  /** What it may have. Linux: vm.max_map_count. */
  readonly limit: number
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
  /**
   * The bytes of a range, without a copy. Touching them is as safe as the range's state. The buffer is
   * the range, or all of a WebAssembly memory: `viewOffset` tells where in it the range begins. It is
   * not tracked, and nothing detaches it when the pages leave Ready: a touch after that may end the
   * process. Programs want `memory.view`.
   */
  view(v: Address, n: number): ArrayBuffer
  /** Makes a buffer that `view` returned useless to whoever keeps it, at the cost of others if need be. Absent: `buffer.transfer(0)` does. */
  detach?(buffer: ArrayBuffer): void
  /**
   * sysUnusedOS over many ranges, given as pairs of address and size, in as few kernel calls as the
   * kernel allows. False: the kernel does not take them together, and core goes from range to range.
   */
  sysUnusedAllOS?(ranges: ArrayLike<number>): boolean
  /** No transition: gives Ready pages their memory now. False: this kernel can't, and nothing has changed. `null`: refused. */
  sysPopulateOS?(v: Address, n: number): boolean | null
  /** No transition: larger pages would not serve the range. Source: sysNoHugePageOS in Go 1.21. */
  sysNoHugePageOS?(v: Address, n: number): void
  /** The bytes of [v, v+n) that have huge pages behind them now, as the kernel tells; not quick. */
  hugePagesIn?(v: Address, n: number): number
  /** Copies bytes out, where an engine forbids views of memory that is not its own. */
  read?(v: Address, target: Uint8Array): void
  /** Copies bytes in, likewise. */
  write?(v: Address, source: Uint8Array): void
  /** How many kernel mappings the process has and may have; counted anew, so not quick. Absent: nothing bounds them. */
  mappings?(): MappingCount
  /** What of a range has memory behind it: address, length and bits of each run, as the port's `residency`. Absent, or null: not to be known. */
  residency?(v: Address, n: number): number[] | null
  /** Where the process's memory is. Absent, or null: not to be known. Slow. */
  processMemory?(): ProcessMemory | null
  /** The process's resident memory in bytes, where `processMemory` does not tell it. */
  residentMemory?(): number
  /** The limits on the process's memory in force now. Absent, or null: not to be known. Slow. */
  limits?(): PosixLimits | WindowsLimits | null
  /** What makes its foreign calls. Absent, or null: it makes none, or that is not to be known. */
  foreignCalls?(): ForeignCalls | null
  /** Asks the host's allocator to give back what it holds free; false: it has no such call. Absent: likewise. */
  trimHost?(): boolean
  /**
   * Tells `listener` each time the kernel itself has detached every buffer that `view` returned: a
   * WebAssembly memory has grown, the ranges are where they were, and views have to be made anew. The
   * function returned ends it. Absent: a buffer lasts as long as its range is mapped.
   */
  onDetach?(listener: () => void): () => void
}
