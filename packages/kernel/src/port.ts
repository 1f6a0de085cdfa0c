// The kernel ports: the few calls that a backend makes, one interface a kind of kernel.
// A backend sees nothing else of its host, so a real kernel, a recording one, a failing
// one and a simulated one are interchangeable behind it.

/**
 * An address, exact as a double.
 *
 * Every address that a kernel hands out here is page-aligned: at most 52 significant bits
 * stand above the page, so a number holds it up to 2^64 (AIX's 0x0700…, illumos's
 * 0xfffffd7f… included). A bigint would cost an allocation per step.
 */
export type Address = number

/** What makes the foreign calls below a real kernel, and what would have been taken before it. */
export interface ForeignCalls {
  /** `'koffi'`, `'node:ffi'`, `'bun:ffi'`, `'deno'`. */
  readonly engine: string
  /** What was tried before it. */
  readonly passedOver: readonly PassedOver[]
}

/** What was tried and not taken. */
export interface PassedOver {
  /** What it is called. */
  readonly name: string
  /** Why it was not taken. */
  readonly reason: string
  /** What a person can do about it; empty: nothing. */
  readonly hint: string
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
  /** The limits in force now, for the text of an error. Slow: it reads files. */
  limits?(): PosixLimits | WindowsLimits
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
 * The calls of a POSIX kernel. Each returns its value, or minus the error number; none throws.
 * Lengths are bytes. Flag words are the host's own: see a backend's `defs.ts`.
 */
export interface PosixKernel extends HostServices {
  /** Bytes in a page. A power of two. */
  readonly pageSize: number
  /** Bytes in a transparent huge page, a power of two; 0 where there is none or it is unknown. */
  readonly hugePageSize: number
  /** The processor, in Node's words (`x64`, `arm64`, `mipsel`); absent: not known. */
  readonly arch?: string
  /** Maps memory; the address, or minus the error number. */
  mmap(addr: Address, length: number, prot: number, flags: number, fd: number, offset: number): number
  /** Unmaps memory; 0, or minus the error number. */
  munmap(addr: Address, length: number): number
  /** Changes protection; 0, or minus the error number. */
  mprotect(addr: Address, length: number, prot: number): number
  /** Tells the kernel how a range will be used; 0, or minus the error number. */
  madvise(addr: Address, length: number, advice: number): number
  /** The bytes at an address, without a copy. */
  view(addr: Address, length: number): ArrayBuffer
  /**
   * madvise over many ranges, pairs of address and length, in as few system calls as there may be. 0, or
   * minus the error number; where the kernel can't do it at all (ENOSYS, EPERM, EINVAL) nothing has changed.
   */
  madviseAll?(ranges: ArrayLike<number>, advice: number): number
  /** The limits in force now, for the text of an error. Slow: it reads files. */
  limits?(): PosixLimits
}

/** What `residency` says of a run: their sum. */
export const residencyBits: {
  /** It has memory behind it. */
  readonly resident: 1
  /** That memory is of huge pages. */
  readonly huge: 2
  /** It is in swap space. */
  readonly swapped: 4
  /** Only whether there is memory was to be known: huge pages and swap space were not looked at. */
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
  /** What it is: a file, a stack, the C library's, the engine's pages, the kernel's own, or memory that nobody has put a name to. */
  readonly kind: 'file' | 'stack' | 'malloc' | 'engine' | 'kernel' | 'anonymous'
}

/** Where the process's memory is. Bytes; `NaN`: not known. */
export interface ProcessMemory {
  /** Resident memory of the process, as the kernel sums it up. */
  readonly resident: number
  /** Every mapping. */
  readonly mappings: readonly ProcessMapping[]
  /** What the C library holds free. */
  readonly mallocFree: number
  /** What the C library has mapped by itself, a mapping a block, and is not among the mappings as its own. */
  readonly mallocMapped: number
  /** What the engine has committed for this thread's JavaScript heap. */
  readonly heapCommitted: number
  /** Of that, what the engine believes to be touched. */
  readonly heapTouched: number
  /** What ArrayBuffers hold that the engine itself has allocated. */
  readonly arrayBuffers: number
  /** What the engine takes for its objects' memory outside of its heap: ArrayBuffers over memory of others included. */
  readonly external: number
}

/**
 * What bounds a process's memory on a POSIX host, as read a moment ago.
 * Bytes, unless the name says otherwise. `NaN`: not known. `Infinity`: no limit.
 */
export interface PosixLimits {
  /** RLIMIT_AS, `ulimit -v`: the address space that the process may map. */
  readonly addressSpace: number
  /** Address space that the process has mapped. */
  readonly addressSpaceUsed: number
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
  /** The control group's memory limit: the smallest of its own and of those that it is in. */
  readonly groupLimit: number
  /** What that group has in use, without the file pages that the kernel takes back before it ends a process. */
  readonly groupUsed: number
  /** To whom the kernel gives transparent huge pages: to all, to who asks (madvise), to nobody. Absent: not known. */
  readonly hugePages?: 'always' | 'madvise' | 'never'
}

/** The calls of a Windows kernel. Each returns its value, or minus `GetLastError()`; none throws. */
export interface WindowsKernel extends HostServices {
  /** Bytes in a page. A power of two. */
  readonly pageSize: number
  /** Reservations begin at multiples of this: 65536. */
  readonly allocationGranularity: number
  /** Reserves or commits memory; the address, or minus `GetLastError()`. */
  virtualAlloc(addr: Address, size: number, type: number, protect: number): number
  /** Decommits or releases memory; 0, or minus `GetLastError()`. */
  virtualFree(addr: Address, size: number, type: number): number
  /** The bytes at an address, without a copy. */
  view(addr: Address, length: number): ArrayBuffer
  /** The limits in force now, for the text of an error. */
  limits?(): WindowsLimits
}

/** What bounds a process's memory on Windows, in bytes, as read a moment ago. `NaN`: not known. */
export interface WindowsLimits {
  /** What may be committed in all: memory and page files together, or the job's limit where that is less. */
  readonly commitLimit: number
  /** Of that, what the process may still commit. */
  readonly commitAvailable: number
  /** The address space that a process has. */
  readonly addressSpace: number
  /** Of that, what is neither reserved nor committed. */
  readonly addressSpaceAvailable: number
}

/** The calls of a Plan 9 kernel: one segment of data, whose end moves. */
export interface Plan9Kernel {
  /** Bytes in a page. A power of two. */
  readonly pageSize: number
  /** The end of the program's data: the first break. */
  readonly end: Address
  /** Moves the break; 0, or a negative number. */
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
  /** The most pages that the memory may have; absent: not known. */
  readonly maximum?: number
  /** How wide the memory's addresses are; absent: not known. */
  readonly address?: 'i32' | 'i64'
  /** The memory's size in pages. */
  currentMemory(): number
  /** Grows the memory; the pages it had before, or -1. */
  growMemory(pages: number): number
  /** Told after growth: the old ArrayBuffer is detached, views must be made anew. */
  resetMemoryDataView(): void
  /**
   * The bytes at an address, without a copy. On this port, the memory's own buffer serves every range:
   * `viewOffset` tells where in it the range begins.
   */
  view(addr: Address, length: number): ArrayBuffer
  /** Zeroes whole pages and gives the memory behind them back to the host; 0, or -1 where nothing has changed. */
  discard?(addr: Address, length: number): number
}

/** Any of the four ports. */
export type Kernel = PosixKernel | WindowsKernel | Plan9Kernel | WasmKernel
