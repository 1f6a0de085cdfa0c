// The kernel ports: the few calls that a backend makes, one interface for each kind of kernel. A backend sees
// nothing else of its host. So a real, a recording, a failing and a simulated kernel are interchangeable.

/**
 * An address, exact as a double.
 *
 * Every address that a kernel hands out here is page-aligned. At most 52 significant bits stand above the page, so
 * a number holds it up to 2^64. That includes AIX's 0x0700… and illumos's 0xfffffd7f…. A bigint would cost an
 * allocation per step.
 */
export type Address = number

/** The engine that makes a real kernel's foreign calls, and the engines that were tried before it. */
export interface ForeignCalls {
  /** `'koffi'`, `'node:ffi'`, `'bun:ffi'`, `'deno'`. */
  readonly engine: string
  /** The engines that were tried before it. */
  readonly passedOver: readonly PassedOver[]
}

/** An engine or a backend that was tried and not taken. */
export interface PassedOver {
  /** Its name. */
  readonly name: string
  /** Why it was not taken. */
  readonly reason: string
  /** What a person can do about it. Empty when nothing helps. */
  readonly hint: string
}

/**
 * What the threads of a process know of each other: words in memory that all of them find, and the kernel's word about
 * threads. Their layout is core's.
 */
export interface ProcessTable {
  /** The words: the same for every thread, zero until one writes. They are for `Atomics`. */
  readonly words: Int32Array
  /** The number that the kernel has for this thread. Never 0. */
  readonly thread: number
  /** The number that the engine has for it: a `Worker`'s `threadId`. 0: the main thread. */
  readonly engineThread: number
  /** Whether a thread of this process has this number now. */
  isThread(thread: number): boolean
  /** Maps zeroed memory that all threads may use. Returns its address, or 0. */
  map(bytes: number): Address
  /** The memory at an address, as numbers. */
  numbers(addr: Address, bytes: number): Float64Array
  /** Unmaps a range, whoever mapped it. False: the kernel kept it. */
  unmap(addr: Address, bytes: number): boolean
  /** Calls `listener` when a thread may have ended, where the engine tells. */
  onThreadEnd(listener: () => void): void
}

/** A limit on the process's memory, and what it has of it. Bytes. `Infinity`: there is no limit. */
export interface Use {
  /** What the process has. `NaN`: not known. */
  readonly used: number
  /** What it may have. */
  readonly limit: number
}

/** The limits on the process's memory that it meets without a word from the kernel. NaN: the host does not tell now. */
export interface ProcessLimits {
  /** RLIMIT_AS: address space. */
  readonly space: Use
  /** RLIMIT_DATA: private writable memory. */
  readonly data: Use
}

/** How short of memory the process is, as its host tells. The counters only grow: two looks tell what lies between. */
export interface HostPressure {
  /** What tells it, in people's words: `"the control group's PSI"`. */
  readonly source: string
  /** Milliseconds in which a thread or more waited for memory. NaN: not known. */
  readonly some: number
  /** Milliseconds in which all threads that had work waited for memory. NaN: not known. */
  readonly full: number
  /** How often the control group met a limit of its memory. NaN: not known. */
  readonly reached: number
  /** Whether the host calls its memory low at this moment. Absent: it has no word for that. */
  readonly isLow?: boolean
}

/**
 * What a host may offer besides the calls that move memory: copies of bytes, and reports. A port has those that its
 * host has, and a backend hands the port to core as its `host`.
 */
export interface HostServices {
  /** What makes the foreign calls; absent: the port makes none. */
  readonly foreignCalls?: ForeignCalls
  /** Copies bytes out of memory, as many as `target` has. Engines that forbid views need it. */
  read?(addr: Address, target: Uint8Array): void
  /** Copies all bytes of `source` into memory. Engines that forbid views need it. */
  write?(addr: Address, source: Uint8Array): void
  /** The bytes of [addr, addr+length) that huge pages back. Slow: it reads a file. */
  hugePages?(addr: Address, length: number): number
  /** How many mappings the process has and may have. Slow: it counts them in a file. Absent: nothing bounds them. */
  mappings?(): { readonly used: number; readonly limit: number }
  /** What bounds the process's memory from within. Slow: it reads files. Absent: nothing does. */
  processLimits?(): ProcessLimits
  /** The JavaScript heap of this thread: its bytes now, and the most that the engine lets it have. */
  heap?(): Use
  /** What the threads of the process have in common. The first call makes it. Null: this host has none. */
  processTable?(): ProcessTable | null
  /** The limits in force now, for the text of an error. Slow: it reads files. */
  limits?(): PosixLimits | WindowsLimits
  /** The control group's part of `limits`. A process under a limit asks up to a hundred times a second. */
  groupLimits?(): GroupLimits
  /** How short of memory the process is now. Null: the host can't tell. It reads a few small files. */
  pressure?(): HostPressure | null
  /**
   * What of a range has memory behind it: three numbers a run, its address, its length and {@link residencyBits}.
   * Null: the host can't tell.
   */
  residency?(addr: Address, length: number): number[] | null
  /** Where the process's memory is, as the kernel, the C library and the engine tell; null: they can't. Slow. */
  processMemory?(): ProcessMemory | null
  /** The process's resident memory in bytes, where `processMemory` does not tell it. */
  residentMemory?(): number
  /**
   * Asks the host's allocator to give back what it holds free. Positive: it gave some, or may have. 0: it had none.
   * Negative: there is no such call, or it failed.
   */
  trim?(): number
}

/**
 * The calls of a POSIX kernel. Each returns its value, or minus the error number. A call never throws. Lengths are
 * bytes. Flag words are the host's own: see a backend's `defs.ts`.
 */
export interface PosixKernel extends HostServices {
  /** Bytes in a page. A power of two. */
  readonly pageSize: number
  /**
   * Bytes in a transparent huge page, a power of two. 0 where the host has no huge pages or the size is unknown.
   */
  readonly hugePageSize: number
  /** The processor, in Node's words (`x64`, `arm64`, `mipsel`). Absent when it is not known. */
  readonly arch?: string
  /** Maps memory. Returns the address, or minus the error number. */
  mmap(addr: Address, length: number, prot: number, flags: number, fd: number, offset: number): number
  /** Unmaps memory. Returns 0, or minus the error number. */
  munmap(addr: Address, length: number): number
  /** Changes protection. Returns 0, or minus the error number. */
  mprotect(addr: Address, length: number, prot: number): number
  /** Tells the kernel how a range will be used. Returns 0, or minus the error number. */
  madvise(addr: Address, length: number, advice: number): number
  /** The bytes at an address, without a copy. */
  view(addr: Address, length: number): ArrayBuffer
  /** The address of the first byte of a buffer that the engine owns, or minus the error number. */
  addressOf?(buffer: ArrayBufferLike): Address
  /**
   * madvise over many ranges, pairs of address and length, in as few system calls as possible. Returns 0, or minus
   * the error number. When the kernel can't do it at all (ENOSYS, EPERM, EINVAL), nothing has changed.
   */
  madviseAll?(ranges: ArrayLike<number>, advice: number): number
  /** The limits in force now, for the text of an error. Slow, because it reads files. */
  limits?(): PosixLimits
}

/** What `residency` says of a run: the sum of these bits. */
export const residencyBits: {
  /** The run has memory behind it. */
  readonly resident: 1
  /** That memory consists of huge pages. */
  readonly huge: 2
  /** The run is in swap space. */
  readonly swapped: 4
  /** The kernel told only whether there is memory. It did not tell huge pages and swap space. */
  readonly partial: 8
} = { resident: 1, huge: 2, swapped: 4, partial: 8 }

/** One mapping of the process. */
export interface ProcessMapping {
  /** Its first byte. */
  readonly address: Address
  /** Its bytes. */
  readonly size: number
  /** Its bytes with memory behind them. */
  readonly resident: number
  /**
   * What it holds: a file, a stack, the C library's memory, the engine's pages, the kernel's own, or memory without
   * a name.
   */
  readonly kind: 'file' | 'stack' | 'malloc' | 'engine' | 'kernel' | 'anonymous'
}

/** The allocator that serves `malloc` in a process. */
export type Allocator = 'glibc' | 'musl' | 'jemalloc' | 'mimalloc' | 'tcmalloc' | 'unknown'

/** Where the process's memory is. Bytes. `NaN` means not known. */
export interface ProcessMemory {
  /**
   * Who serves `malloc`: the C library, or what LD_PRELOAD or a linker put in its place. Absent: the port does not
   * look.
   */
  readonly allocator?: Allocator
  /** Resident memory of the process, as the kernel sums it up. */
  readonly resident: number
  /** Every mapping. */
  readonly mappings: readonly ProcessMapping[]
  /**
   * What an allocator has that may be resident, by its own word. It is among the mappings of kind `malloc` and
   * `anonymous`, and no mapping tells it apart. Absent: the mappings of kind `malloc`, and `mallocMapped`, are what
   * the allocator has.
   */
  readonly mallocResident?: number
  /** Free memory that the allocator holds. */
  readonly mallocFree: number
  /** Blocks that the C library mapped one by one. `mappings` does not list them as the C library's. */
  readonly mallocMapped: number
  /** What the engine has committed for this thread's JavaScript heap. */
  readonly heapCommitted: number
  /** The part of it that the engine believes to be touched. */
  readonly heapTouched: number
  /** The memory of ArrayBuffers that the engine itself allocated. */
  readonly arrayBuffers: number
  /**
   * The engine's figure for its objects' memory outside of its heap. It includes ArrayBuffers over foreign memory.
   */
  readonly external: number
}

/** What bounds the memory of a process's control group. NaN: not known. Infinity: there is no limit. */
export interface GroupLimits {
  /**
   * The control group's memory limit, beyond which the kernel ends a process (`memory.max`). Of the limits of the
   * group and of those that it is in, it is the one that leaves least room.
   */
  readonly groupLimit: number
  /**
   * What the group of `groupLimit` has in use. If only `groupHigh` is a limit, what the group of that has in use.
   * File pages that the kernel takes back before it kills a process do not count.
   */
  readonly groupUsed: number
  /**
   * The limit beyond which the kernel stalls the control group and takes pages back (`memory.high`, which systemd
   * calls MemoryHigh). It is the one that leaves least room, as for `groupLimit`. Absent: not known, or version 1,
   * which has no such limit.
   */
  readonly groupHigh?: number
  /** What the group of `groupHigh` has in use, counted like `groupUsed`. */
  readonly groupHighUsed?: number
}

/**
 * What bounds a process's memory on a POSIX host, as read a moment ago.
 * Bytes, unless the name says otherwise. `NaN`: not known. `Infinity`: no limit.
 */
export interface PosixLimits extends GroupLimits {
  /** RLIMIT_AS, `ulimit -v`: the address space that the process may map. */
  readonly addressSpace: number
  /** Address space that the process has mapped. */
  readonly addressSpaceUsed: number
  /** RLIMIT_DATA, `ulimit -d`: private writable memory. Absent: not known. */
  readonly dataSize?: number
  /** Private writable memory that the process has mapped. Absent: not known. */
  readonly dataSizeUsed?: number
  /** RLIMIT_MEMLOCK, `ulimit -l`: memory that may be locked. */
  readonly lockedMemory: number
  /** Memory that the process has locked. Absent: not known. */
  readonly lockedMemoryUsed?: number
  /** Linux `vm.max_map_count`: the number of mappings that a process may have. */
  readonly maxMappings: number
  /** The number of mappings that the process has. */
  readonly mappings: number
  /** Linux `vm.overcommit_memory`: 0 guesses, 1 never refuses, 2 counts strictly. */
  readonly overcommit: number
  /** What may be committed on the whole host when overcommit is strict. */
  readonly commitLimit: number
  /** What is committed on the whole host. */
  readonly committed: number
  /** The memory of the host. Absent: not known. */
  readonly hostMemory?: number
  /** The swap space of the host. Absent: not known. */
  readonly hostSwap?: number
  /**
   * Which memory gets transparent huge pages: all (`always`), memory advised with madvise (`madvise`), or `never`.
   * Absent when not known.
   */
  readonly hugePages?: 'always' | 'madvise' | 'never'
  /**
   * True: `prctl(PR_SET_THP_DISABLE)` switched huge pages off for this process, so `hugePages` is `never` whatever
   * the host's policy is. Children inherit that. Absent: it did not, or it is not known.
   */
  readonly hugePagesDisabled?: boolean
  /** RLIMIT_NOFILE, `ulimit -n`: the descriptors that the process may have. Absent: not known. */
  readonly descriptors?: number
  /**
   * True: a filter of system calls (seccomp) is set, which may refuse a call or end the process for it. Absent: there
   * is none, or it is not known.
   */
  readonly filtersCalls?: boolean
}

/** The calls of a Windows kernel. Each returns its value, or minus `GetLastError()`. A call never throws. */
export interface WindowsKernel extends HostServices {
  /** Bytes in a page. A power of two. */
  readonly pageSize: number
  /** Reservations begin at multiples of this: 65536. */
  readonly allocationGranularity: number
  /** Reserves or commits memory. Returns the address, or minus `GetLastError()`. */
  virtualAlloc(addr: Address, size: number, type: number, protect: number): number
  /** Decommits or releases memory. Returns 0, or minus `GetLastError()`. */
  virtualFree(addr: Address, size: number, type: number): number
  /** The bytes at an address, without a copy. */
  view(addr: Address, length: number): ArrayBuffer
  /** The address of the first byte of a buffer that the engine owns, or minus the error number. */
  addressOf?(buffer: ArrayBufferLike): Address
  /**
   * DiscardVirtualMemory: gives the memory of committed pages back, which stay committed. Returns 0, or minus the error
   * number. Absent: the kernel is older than Windows 8.1.
   */
  discard?(addr: Address, size: number): number
  /** The limits in force now, for the text of an error. */
  limits?(): WindowsLimits
}

/** What bounds a process's memory on Windows, in bytes, as read a moment ago. `NaN` means not known. */
export interface WindowsLimits {
  /** What may be committed in all: memory and page files together, or the job's limit where that is less. */
  readonly commitLimit: number
  /** The part of it that the process may still commit. */
  readonly commitAvailable: number
  /** The address space that a process has. */
  readonly addressSpace: number
  /** The part of it that is neither reserved nor committed. */
  readonly addressSpaceAvailable: number
}

/** The calls of a Plan 9 kernel: one segment of data, whose end moves. */
export interface Plan9Kernel {
  /** Bytes in a page. A power of two. */
  readonly pageSize: number
  /** The end of the program's data: the first break. */
  readonly end: Address
  /** Moves the break. Returns 0, or a negative number. */
  brk(addr: Address): number
  /** Zeroes bytes. */
  clear(addr: Address, length: number): void
  /** The bytes at an address, without a copy. */
  view(addr: Address, length: number): ArrayBuffer
}

/** The calls on a WebAssembly.Memory: one segment, which only grows. */
export interface WasmKernel {
  /** Bytes in a page: 65536. */
  readonly pageSize: number
  /** The end of the module's data: the first address that may be handed out. */
  readonly end: Address
  /** The most pages that the memory may have. Absent when not known. */
  readonly maximum?: number
  /** How wide the memory's addresses are. Absent when not known. */
  readonly address?: 'i32' | 'i64'
  /** The memory's size in pages. */
  currentMemory(): number
  /** Grows the memory. Returns the pages that it had before, or -1. */
  growMemory(pages: number): number
  /** Called after growth. Growth detaches the old ArrayBuffer, so the port must make new views. */
  resetMemoryDataView(): void
  /**
   * The bytes at an address, without a copy. On this port, the memory's own buffer serves every range. `viewOffset`
   * tells where in it the range begins.
   */
  view(addr: Address, length: number): ArrayBuffer
  /**
   * Zeroes whole pages and gives the memory behind them back to the host. Returns 0, or -1 when nothing has
   * changed.
   */
  discard?(addr: Address, length: number): number
}

/** Any of the four ports. */
export type Kernel = PosixKernel | WindowsKernel | Plan9Kernel | WasmKernel
