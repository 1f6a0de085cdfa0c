// What a simulated kernel offers beside its port: ways to touch memory, to inspect it and to plan faults.
import type {
  Address,
  Plan9Kernel,
  PosixKernel,
  PosixLimits,
  WasmKernel,
  WindowsKernel,
  WindowsLimits,
} from '@memlayer/kernel'
import type { Access } from './errors.js'
import type { Plan9Options, PosixLimitOptions, WasmOptions, WindowsOptions } from './options.js'
import type { Counters, PlannedFault } from './plan.js'

/** How much of a range has memory behind it. Bytes. */
export interface Residency {
  /** As the kernel accounts for it: Rss on Linux, the footprint on Darwin. */
  readonly resident: number
  /** Memory that the kernel may take at any time, with its contents (MADV_FREE). */
  readonly forfeit: number
  /** Memory in huge pages: AnonHugePages on Linux. */
  readonly huge: number
}

/** One mapping, or one run of pages of a Windows reservation. */
export interface SimulatedMapping extends Residency {
  /** Its first address. */
  readonly start: Address
  /** The first address after it. */
  readonly end: Address
  /** As /proc/self/maps shows it (`'rw-p'`). On Windows: `'reserve'`, or `'commit'` and the protection's name. */
  readonly permissions: string
  /** Linux's two letters for attributes (`'hg'`, `'nh'`, `'ac'`). `'occupied'` is a foreign mapping. */
  readonly flags: readonly string[]
}

/** What every simulated kernel offers beside its port. */
export interface Simulated {
  /** The personality: `'linux'`, `'windows'`, … */
  readonly os: string
  /** The seed of this kernel. */
  readonly seed: number
  /** Counts of the calls so far. */
  readonly counters: Counters
  /** Plans one more fault. Its calls are counted from now on. */
  fail(fault: PlannedFault): void
  /**
   * Touches every page of a range, as a program would. Writes by default.
   *
   * @throws PageFault ERR_MEMLAYER_SIM_FAULT when a real process would die.
   *
   * @throws SimulationError ERR_MEMLAYER_SIM_KILLED when the memory is not enough.
   */
  touch(addr: Address, length: number, access?: Access): void
  /** Copies bytes out of memory, as many as `target` has. @throws PageFault */
  read(addr: Address, target: Uint8Array): void
  /** Copies bytes into memory. @throws PageFault */
  write(addr: Address, source: Uint8Array): void
  /**
   * How much of a range has memory behind it. Pages that only a view has touched count once they hold a nonzero
   * byte, because JavaScript does not show more.
   */
  residence(addr: Address, length: number): Residency
  /** Makes the kernel take every forfeit page, with its contents, as when memory is short. */
  takeForfeit(): void
  /** Everything that is mapped, in order of address. */
  maps(): SimulatedMapping[]
  /** The address space as text that a person can read. */
  describe(): string
}

/** A simulated POSIX kernel. */
export interface SimulatedPosixKernel extends PosixKernel, Simulated {
  /** The processor, in Node's words. */
  readonly arch: string
  /**
   * Makes huge pages as khugepaged does in the background: of every whole block of a range that has a page with memory,
   * where the mapping gets huge pages. The other pages of such a block then have memory too.
   */
  collapse(addr: Address, length: number): void
  /** From now on every new mapping is locked, as after mlockall(MCL_FUTURE). Its pages have memory at once. */
  lockAll(): void
  /** Copies bytes out of memory, as many as `target` has. @throws PageFault */
  read(addr: Address, target: Uint8Array): void
  /** Copies bytes into memory. @throws PageFault */
  write(addr: Address, source: Uint8Array): void
  /** How many mappings the process has and may have. */
  mappings(): { readonly used: number; readonly limit: number }
  /** The limits in force, and how much of them is used. */
  limits(): PosixLimits
  /** Sets limits anew, as an administrator or `ulimit` does. Limits that are not named stay. */
  setLimits(limits: Omit<PosixLimitOptions, 'maxMappings'>): void
}

/** What VirtualQuery tells of an address. */
export interface VirtualRegion {
  /** Where this run of like pages starts. */
  readonly base: Address
  /** Where its reservation starts. 0 when free. */
  readonly allocationBase: Address
  /** Its size in bytes. */
  readonly size: number
  /** MEM_FREE, MEM_RESERVE or MEM_COMMIT. */
  readonly state: 'free' | 'reserve' | 'commit'
  /** PAGE_*, or 0 unless committed. */
  readonly protect: number
}

/** A simulated Windows kernel. */
export interface SimulatedWindowsKernel extends WindowsKernel, Simulated {
  /** Copies bytes out of memory, as many as `target` has. @throws PageFault */
  read(addr: Address, target: Uint8Array): void
  /** Copies bytes into memory. @throws PageFault */
  write(addr: Address, source: Uint8Array): void
  /** The limits in force, and how much of them is left. */
  limits(): WindowsLimits
  /** Sets limits anew, as an administrator does who changes the page file. Limits that are not named stay. */
  setLimits(limits: NonNullable<WindowsOptions['limits']>): void
  /** Tells the run of pages at an address, as VirtualQuery does. */
  query(addr: Address): VirtualRegion
  /** Bytes that are committed. */
  readonly committed: number
}

/** A simulated Plan 9 kernel. */
export interface SimulatedPlan9Kernel extends Plan9Kernel, Simulated {
  /** The current break. */
  readonly break: Address
  /** Sets limits anew. Limits that are not named stay. */
  setLimits(limits: NonNullable<Plan9Options['limits']>): void
}

/** A simulated WebAssembly memory. */
export interface SimulatedWasmKernel extends WasmKernel, Simulated {
  /** The most pages that the memory may have. */
  readonly maximum: number
  /** Sets limits anew. A memory never gets a higher maximum than it was made with. */
  setLimits(limits: NonNullable<WasmOptions['limits']>): void
}
