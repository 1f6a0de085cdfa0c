// How a simulated kernel is made: one shape for each kind of kernel. Every option has a default, so that
// simulate('linux') is a usual machine.
import type { Address } from '@memlayer/kernel'
import type { PlannedFault } from './plan.js'

/** The options that every simulated kernel takes. */
export interface SimulateOptions {
  /** Decides all choices of the kernel, so that one seed always gives the same run. A whole number. Default 1. */
  readonly seed?: number
  /** Calls that the kernel refuses or answers differently. */
  readonly plan?: readonly PlannedFault[]
  /**
   * How short of memory the machine is. It is the chance, from 0 to 1, that the kernel takes forfeit pages between
   * two calls. With 0 they stay until takeForfeit(), or until the memory is full. Default 0.25.
   */
  readonly pressure?: number
}

/** What bounds a process on a POSIX host. Bytes, unless the name says otherwise. Infinity means no limit. */
export interface PosixLimitOptions {
  /** RLIMIT_AS, `ulimit -v`. Default Infinity. */
  readonly addressSpace?: number
  /** RLIMIT_DATA, `ulimit -d`: private writable memory, which only Linux counts. Default Infinity. */
  readonly dataSize?: number
  /** RLIMIT_MEMLOCK, `ulimit -l`. Default 8 MiB. */
  readonly lockedMemory?: number
  /** The number of mappings: vm.max_map_count. Default 65530 on Linux, else Infinity. */
  readonly maxMappings?: number
  /** vm.overcommit_memory, Linux: 0 guesses, 1 never refuses, 2 counts strictly. Default 0. */
  readonly overcommit?: 0 | 1 | 2
  /** vm.overcommit_ratio: the percentage of memory that strict overcommit promises. Default 50. */
  readonly overcommitRatio?: number
  /** The machine's memory. Default 16 GiB. */
  readonly memory?: number
  /** The machine's swap. It may be promised, but no page is ever in it. Default 0. */
  readonly swap?: number
  /** The control group's memory limit. A touch beyond it kills. Default Infinity. */
  readonly group?: number
}

/** Where things are in an address space. */
export interface LayoutOptions {
  /** Where the search for an address begins. By default the seed decides. */
  readonly base?: Address
  /** The ranges that the rest of the program has mapped. */
  readonly occupied?: readonly { readonly address: Address; readonly size: number }[]
}

/** How simulate makes a POSIX kernel. */
export interface PosixOptions extends SimulateOptions {
  /** What bounds the process. */
  readonly limits?: PosixLimitOptions
  /** Bytes in a page. Default: the personality's. */
  readonly pageSize?: number
  /** Bytes in a transparent huge page. 0 means no huge pages. Default 2 MiB on Linux, else 0. */
  readonly hugePageSize?: number
  /** Linux, /sys/kernel/mm/transparent_hugepage/enabled. Default 'madvise'. */
  readonly transparentHugePages?: 'always' | 'madvise' | 'never'
  /**
   * The processor, in Node's words. Default 'x64' (darwin: 'arm64', aix: 'ppc64'). On Linux, mips has its own
   * numbers.
   */
  readonly arch?: string
  /** Linux: whether one call advises many ranges, as since 6.13. Default true. */
  readonly batches?: boolean
  /** Whether every mapping is locked, as after mlockall(MCL_FUTURE) and `lockAll()`. Default false. */
  readonly locksAll?: boolean
  /** Where things are in the address space. */
  readonly layout?: LayoutOptions
}

/** How simulate makes a Windows kernel. */
export interface WindowsOptions extends SimulateOptions {
  /** What bounds the process. */
  readonly limits?: {
    /** What may be committed: memory and page files. Bytes; default 16 GiB. */
    readonly commit?: number
    /** The machine's memory. Bytes; default 16 GiB. */
    readonly memory?: number
  }
  /** Bytes in a page. Default 4096. */
  readonly pageSize?: number
  /** Where things are in the address space. */
  readonly layout?: LayoutOptions
}

/** How simulate makes a Plan 9 kernel. */
export interface Plan9Options extends SimulateOptions {
  /** What bounds the process. */
  readonly limits?: {
    /** The most bytes that the break may be above the end of the program's data. Default Infinity. */
    readonly segment?: number
    /** The machine's memory. Bytes; default 16 GiB. */
    readonly memory?: number
  }
  /** Bytes in a page. Default 4096. */
  readonly pageSize?: number
  /** Where things are in the address space. */
  readonly layout?: {
    /** The end of the program's data: the first break. Default 0x400000. */
    readonly end?: Address
  }
}

/** How simulate makes a WebAssembly memory. */
export interface WasmOptions extends SimulateOptions {
  /** What bounds the process. */
  readonly limits?: {
    /** The memory's maximum, in pages of 64 KiB. Default 65536, 4 GiB. */
    readonly pages?: number
  }
  /** Where things are in the memory. */
  readonly layout?: {
    /** The end of the module's data. Default 0x8000. */
    readonly end?: Address
    /** The memory's first size in pages. Default 16, 1 MiB. */
    readonly pages?: number
  }
  /** Whether the engine gives pages back (`discard`). No real engine does yet. Default false. */
  readonly discards?: boolean
}
