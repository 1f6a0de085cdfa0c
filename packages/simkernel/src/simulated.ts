// What a simulated kernel offers beside its port: to touch, to look, to plan faults.
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
import type { Counters, PlannedFault } from './plan.js'

/** What of a range has memory behind it. Bytes. */
export interface Residency {
  /** As the kernel's own account has it: Rss on Linux, the footprint on Darwin. */
  readonly resident: number
  /** What the kernel may take at any time, contents and all (MADV_FREE). */
  readonly forfeit: number
  /** What is in huge pages: AnonHugePages on Linux. */
  readonly huge: number
}

/** One mapping, or one run of pages of a Windows reservation. */
export interface SimulatedMapping extends Residency {
  /** Its first address. */
  readonly start: Address
  /** The first address after it. */
  readonly end: Address
  /** As /proc/self/maps shows it (`'rw-p'`); Windows: `'reserve'`, or `'commit'` and the protection's name. */
  readonly permissions: string
  /** Linux's two letters for attributes (`'hg'`, `'nh'`, `'ac'`), `'occupied'` for another's mapping. */
  readonly flags: readonly string[]
}

/** What every simulated kernel offers beside its port. */
export interface Simulated {
  /** The personality: `'linux'`, `'windows'`, … */
  readonly os: string
  /** What decided. */
  readonly seed: number
  /** What was done so far. */
  readonly counters: Counters
  /** Plans one more fault; its calls are counted from now on. */
  fail(fault: PlannedFault): void
  /**
   * Touches every page of a range, as a program would. Default: writes.
   *
   * @throws PageFault ERR_MEMLAYER_SIM_FAULT where a real process would die of it.
   * @throws SimulationError ERR_MEMLAYER_SIM_KILLED where there is no memory left for it.
   */
  touch(addr: Address, length: number, access?: Access): void
  /** Copies bytes out of memory, as many as `target` has. @throws PageFault */
  read(addr: Address, target: Uint8Array): void
  /** Copies bytes into memory. @throws PageFault */
  write(addr: Address, source: Uint8Array): void
  /**
   * What of a range has memory behind it. Pages that only a view has touched count once they hold a
   * byte that is not zero: JavaScript does not tell of more.
   */
  residence(addr: Address, length: number): Residency
  /** The kernel is short of memory: every forfeit page goes, with what is in it. */
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
  /** Copies bytes out of memory, as many as `target` has. @throws PageFault */
  read(addr: Address, target: Uint8Array): void
  /** Copies bytes into memory. @throws PageFault */
  write(addr: Address, source: Uint8Array): void
  /** How many mappings there are and may be. */
  mappings(): { readonly used: number; readonly limit: number }
  /** The limits in force, and what of them is used. */
  limits(): PosixLimits
}

/** What VirtualQuery tells of an address. */
export interface VirtualRegion {
  /** Where this run of like pages starts. */
  readonly base: Address
  /** Where its reservation starts; 0: free. */
  readonly allocationBase: Address
  /** Its bytes. */
  readonly size: number
  /** MEM_FREE, MEM_RESERVE or MEM_COMMIT. */
  readonly state: 'free' | 'reserve' | 'commit'
  /** PAGE_*; 0 unless committed. */
  readonly protect: number
}

/** A simulated Windows kernel. */
export interface SimulatedWindowsKernel extends WindowsKernel, Simulated {
  /** Copies bytes out of memory, as many as `target` has. @throws PageFault */
  read(addr: Address, target: Uint8Array): void
  /** Copies bytes into memory. @throws PageFault */
  write(addr: Address, source: Uint8Array): void
  /** The limits in force, and what of them is left. */
  limits(): WindowsLimits
  /** VirtualQuery. */
  query(addr: Address): VirtualRegion
  /** Bytes that are committed. */
  readonly committed: number
}

/** A simulated Plan 9 kernel. */
export interface SimulatedPlan9Kernel extends Plan9Kernel, Simulated {
  /** Where the break is. */
  readonly break: Address
}

/** A simulated WebAssembly memory. */
export interface SimulatedWasmKernel extends WasmKernel, Simulated {
  /** The most pages that the memory may have. */
  readonly maximum: number
}
