// The OS interface: what a backend implements, one file an operating system. It answers to the *OS functions
// that Go's runtime/mem.go calls. Only core's wrappers call it.
//
// A region of address space is in one of four states:
//   None      not owned
//   Reserved  owned, faults when touched, costs no memory
//   Prepared  mapped, meant to have no memory behind it; touching it is undefined
//   Ready     safe to touch
//
// A function has three outcomes. Done. Refused: it returns `null` where its type allows that, and nothing has
// changed. Broken: it throws a FatalError, where Go throws or exits.
import type { Address, HostServices } from '@memlayer/kernel'

/** Frozen facts about an operating system, as its backend found them. */
export interface Traits {
  /** Bytes in a page: ranges are multiples of it. A power of two. */
  readonly pageSize: number
  /** Bytes in a transparent huge page, a power of two. 0: the OS has none, or does not tell. */
  readonly hugePageSize: number
  /** Reservations begin at multiples of this many bytes. */
  readonly granularity: number
  /** Whether sysFree may take a part of a reservation, or several reservations at once. Windows: no. */
  readonly freesParts: boolean
  /** Whether sysReserve may honour a hint. A break or a wasm memory can grow only where it ends. */
  readonly hints: boolean
  /** Whether touching a Reserved page faults. Plan 9, js: no, because it is ordinary memory. */
  readonly reservedTraps: boolean
  /** Whether touching a page after sysUnused faults until sysUsed takes it back. Windows: yes. */
  readonly unusedTraps: boolean
  /** Whether touching a page after sysFault faults. */
  readonly faultTraps: boolean
  /** Whether another thread's backend finds the same bytes at the same addresses. js: no. */
  readonly threadsShare: boolean
  /** Whether sysUnused gives memory back to the operating system. False once a kernel was seen to refuse. */
  readonly unusedReturnsMemory: boolean
  /** Whether a page reads zero when sysUsed takes it back after sysUnused. False: its old bytes may come back. */
  readonly unusedDropsContents: boolean
  /**
   * What a view that code has kept shows once its pages have left Ready. `'detached'`: its buffer was detached, so it
   * has length 0 and reads `undefined`. `'zeroed'`: it is a window on a buffer that the engine keeps while code can
   * reach it. It reads zero, or what was written there since. Absent: `'detached'`.
   */
  readonly ends?: 'detached' | 'zeroed'
  /** Whether neighbouring ranges in different states are kernel mappings of their own. Absent: true. */
  readonly splitsMappings?: boolean
}

/**
 * What the kernel said when it refused. A backend keeps it for the text of the error. If `syscall` is absent, the
 * backend refused by itself, without a kernel call.
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

/** What an OS can spare for addresses that are kept after a free, in bytes. */
export interface Quarantine {
  /** Address space. */
  readonly space: number
  /** Of that, what can be touched. An OS that charges writable memory to a limit has little to spare. */
  readonly writable: number
}

/** Whole pages of a buffer that the engine allocated for other code. */
export interface AdoptedPages {
  /** Where they begin. */
  readonly address: Address
  /** Their bytes. */
  readonly size: number
  /** Whether the buffer still has them. False: it was detached, has shrunk or has moved. */
  readonly isThere: () => boolean
}

/**
 * One operating system's memory. Core's wrappers check before each call that `v` and `n` are multiples of the page
 * size, and that the range is owned and in a state that the transition starts from. A backend keeps no ledger.
 */
export interface OS {
  /** `'linux'`, `'windows'`, `'darwin'`, `'freebsd'`, …, `'js'`. */
  readonly name: string
  /** Frozen facts. */
  readonly traits: Traits
  /**
   * The kernel's last refusal that a `*OS` function met and did not throw. A backend sets it before it returns `null`,
   * and where Go ignores a failing call that left the range as it was (munmap) or its memory where it was (madvise of
   * sysUnusedOS). Core reads it, clears it, and makes an error or a warning from it. A call that is done leaves none,
   * also where it met one and then found another way. Absent: errors carry no number.
   */
  refusal?: Refusal | null
  /**
   * Whether sysUsedOS leaves the Ready pages of its range as they are, also where it fails half way. Then core undoes a
   * part that was done. Absent: not known.
   */
  readonly usedKeepsReady?: boolean
  /** None to Ready: zeroed memory at an address that the OS chooses. `null`: refused. */
  sysAllocOS(n: number): Address | null
  /** Ready to Prepared: the contents are forfeit. A no-op means that the OS can't take pages back. */
  sysUnusedOS(v: Address, n: number): void
  /**
   * Prepared, or a mix of Prepared and Ready, to Ready. A no-op means that pages return on first touch. Where the
   * kernel has no memory, it throws a FatalError "out of memory", as Go does. Core then gives back by sysUnusedOS what
   * a range that was Prepared has got, and its caller gets an OutOfMemoryError.
   */
  sysUsedOS(v: Address, n: number): void
  /** No transition: larger pages would serve the range. A no-op means that the OS has none to offer. */
  sysHugePageOS(v: Address, n: number): void
  /**
   * Any state to None: what is freed can be had again, whatever other code has taken beside it. A no-op is permitted
   * only where reservations come aligned as asked.
   */
  sysFreeOS(v: Address, n: number): void
  /** Ready or Prepared to Reserved: touching the range faults from now on, where the OS can do so. */
  sysFaultOS(v: Address, n: number): void
  /** None to Reserved: at `v` if it is given and free, else anywhere. `null`: refused. */
  sysReserveOS(v: Address | null, n: number): Address | null
  /**
   * Reserved to Prepared. A no-op means that Reserved and Prepared are one to this OS. Where the kernel has no memory,
   * it throws a FatalError "out of memory", as Go does. Core then makes the range Reserved again by sysFaultOS, and its
   * caller gets an OutOfMemoryError.
   */
  sysMapOS(v: Address, n: number): void
  /**
   * The bytes of a range, without a copy. Touching them is as safe as the range's state. The buffer is the range, or
   * all of a WebAssembly memory; `viewOffset` tells where in it the range begins. Core does not track this buffer and
   * does not detach it when the pages leave Ready. A touch after that may end the process. Programs want `memory.view`.
   */
  view(v: Address, n: number): ArrayBuffer
  /**
   * Makes a buffer that `view` returned useless to code that keeps it. It may make other buffers useless with it.
   * Absent: core calls `detachView` of `@memlayer/kernel`. A backend of its own way calls that too where it needs a
   * transfer, because the buffer's own `transfer` refuses.
   */
  detach?(buffer: ArrayBuffer): void
  /**
   * sysUnusedOS over many ranges, as pairs of address and size, in as few kernel calls as the kernel allows. False:
   * the kernel does not take them together, which is no refusal, and core goes from range to range.
   */
  sysUnusedAllOS?(ranges: ArrayLike<number>): boolean
  /**
   * No transition: gives Ready pages their memory now. False: this kernel can't, and nothing has changed. `null`:
   * refused.
   */
  sysPopulateOS?(v: Address, n: number): boolean | null
  /**
   * No transition: takes the memory of Ready pages, which read zero from then on, while views over them stay. False:
   * the kernel keeps some of it, may leave a refusal, and core writes zeroes. Absent: core writes zeroes.
   */
  sysZeroOS?(v: Address, n: number): boolean
  /**
   * None to Ready: the whole pages of a buffer that other code allocated, with their contents. `bufferNow` tells which
   * buffer has the bytes: a WebAssembly memory has another one after each growth. Every function looks whether the
   * buffer still has the pages, and leaves them alone where it has not. sysFreeOS leaves the bytes as they are. With
   * the kernel package's `placeBuffer` it tells where the buffer is, so that core can name who has its pages. `null`:
   * refused. Absent: the backend's memory is not the engine's.
   */
  sysAdoptOS?(bufferNow: () => ArrayBufferLike): AdoptedPages | null
  /** No transition: larger pages would not serve the range. Source: sysNoHugePageOS in Go 1.21. */
  sysNoHugePageOS?(v: Address, n: number): void
  /**
   * After a sysUnusedOS that left a refusal: puts new pages, which read zero, in the place of [v, v+n). False: they
   * have memory all the same. Absent: what the kernel does not take back stays as it is.
   */
  sysRenewOS?(v: Address, n: number): boolean
  /**
   * In place of sysFreeOS, for addresses that JavaScript has seen: gives back the memory of [v, v+n), which is owned in
   * any state, and keeps the addresses. A touch finds zeroes from then on. `isMapped`: all of the range can be touched
   * now. A second time does what the first did, and gives back what was written meanwhile. False: the OS can't, and
   * the range is still owned. Absent: freed addresses are unmapped, or the OS never unmaps.
   */
  sysRetireOS?(v: Address, n: number, isMapped: boolean): boolean
  /**
   * No transition: whether the kernel would commit `n` bytes more now. False: it leaves a refusal. Core asks for more
   * than it needs, so that some of the limit is left to the engine. Absent: no untouched memory is charged.
   */
  sysRoomOS?(n: number): boolean
  /** What may be retired at once. It is there where sysRetireOS is. */
  readonly quarantine?: Quarantine
  /**
   * What the host offers besides: copies of bytes, and reports on the process. A backend hands over its kernel port
   * whole. Absent: the host offers none of it.
   */
  readonly host?: HostServices
  /**
   * Calls `listener` each time the kernel itself has detached every buffer that `view` returned. That happens when a
   * WebAssembly memory grows: the ranges stay where they are, and views have to be made anew. The function returned
   * ends it. Absent: a buffer lasts as long as its range is mapped.
   */
  onDetach?(listener: () => void): () => void
}
