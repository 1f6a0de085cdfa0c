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

/**
 * The calls of a POSIX kernel. Each returns its value, or minus the error number; none throws.
 * Lengths are bytes. Flag words are the host's own: see a backend's `defs.ts`.
 */
export interface PosixKernel {
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
  /** The limits in force now, for the text of an error. Slow: read from files. */
  limits?(): PosixLimits
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
  /** The control group's memory limit. */
  readonly groupLimit: number
  /** The control group's memory in use. */
  readonly groupUsed: number
}

/** The calls of a Windows kernel. Each returns its value, or minus `GetLastError()`; none throws. */
export interface WindowsKernel {
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
  /** The memory's size in pages. */
  currentMemory(): number
  /** Grows the memory; the pages it had before, or -1. */
  growMemory(pages: number): number
  /** Told after growth: the old ArrayBuffer is detached, views must be made anew. */
  resetMemoryDataView(): void
  /** The bytes at an address, without a copy. On this port, the memory's own buffer serves every range. */
  view(addr: Address, length: number): ArrayBuffer
}

/** Any of the four ports. */
export type Kernel = PosixKernel | WindowsKernel | Plan9Kernel | WasmKernel
