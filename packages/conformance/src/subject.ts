// A test subject: a backend, the kernel below it, and a witness that tells what the kernel really holds. A backend's
// author writes one, and conformance() takes it.
import type { OS } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'

/** Limits of a simulated kernel, in bytes unless the name says otherwise. A kernel takes those that it has. */
export interface WitnessLimits {
  /** The machine's memory. */
  readonly memory?: number
  /** POSIX: the machine's swap. */
  readonly swap?: number
  /** Linux: `vm.overcommit_memory`. */
  readonly overcommit?: 0 | 1 | 2
  /** Windows: what may be committed. */
  readonly commit?: number
  /** POSIX: RLIMIT_AS. */
  readonly addressSpace?: number
  /** Linux: RLIMIT_DATA. */
  readonly dataSize?: number
  /** Plan 9: the most bytes that the break may be above the end of the program's data. */
  readonly segment?: number
  /** WebAssembly: the memory's maximum in pages of 64 KiB. */
  readonly pages?: number
}

/**
 * The kernel's own view of a range, so that the backend is not its own witness. An absent function means that the fact
 * is not known, and the cases that need it do not run.
 */
export interface Witness {
  /** Whether an access to the byte at `v` would fault. The check must not kill the process. */
  faults?(v: Address, access: 'read' | 'write'): boolean
  /** The resident bytes of [v, v+n). */
  resident?(v: Address, n: number): number
  /** The bytes of [v, v+n) that huge pages back. */
  hugePages?(v: Address, n: number): number
  /** The bytes of [v, v+n) that the kernel holds for the process, whatever their protection. */
  held?(v: Address, n: number): number
  /** All bytes that the kernel holds for the backend. A leak shows here. */
  total?(): number
  /** All bytes that the kernel has promised to the backend: Windows' commit charge, swap space on Solaris. */
  charged?(): number
  /** The kernel's advice about the page at `v`, as text. Pages that were advised alike have the same text. */
  advised?(v: Address): string
  /** Acts as khugepaged: makes huge pages of the blocks of [v, v+n) that may have one and have a page with memory. */
  collapse?(v: Address, n: number): void
  /** Acts as a kernel that is short of memory: takes all pages that it may take. */
  takeForfeit?(): void
  /** Acts as an administrator who sets limits anew, and not lower than what is used. Those not named stay. */
  setLimits?(limits: WitnessLimits): void
  /** Acts as a process that locks what it maps from now on (mlockall): such pages have memory at once, and keep it. */
  lockAll?(): void
}

/** What a case asks of a new kernel. A kernel that has one size of pages ignores what it can't be. */
export interface KernelOptions {
  /** The seed of the kernel's choices. */
  readonly seed: number
  /** Bytes in a page: a power of two. Absent: the usual size. */
  readonly pageSize?: number
  /** Bytes in a huge page: a power of two, or 0 for no huge pages. Absent: the usual size. */
  readonly hugePageSize?: number
}

/** A backend, and how a case makes it. */
export interface Subject<K extends object = object> {
  /** Its name in the report. Default: the backend's own name. */
  readonly name?: string
  /** Makes the backend over a kernel. Without one, the backend uses its own. */
  createOS(options: { readonly kernel?: K | undefined }): OS
  /**
   * A new kernel: a simulated one for each case, or the host's. Absent: the backend uses its own kernel, and the cases
   * that watch kernel calls or make them fail do not run. Some cases ask for other page sizes. They do not run where
   * the kernel's `pageSize` or `hugePageSize` is not what they asked for.
   */
  kernel?(options: KernelOptions): K
  /** The witness for a kernel. Default: `simulatedWitness`, which knows the kernels of `@memlayer/simkernel`. */
  witness?(kernel: K | undefined, os: OS): Witness
  /** The error numbers for calls that must fail. Default: those of the kind of kernel, out of memory first. */
  readonly errnos?: readonly number[]
  /**
   * Whether sysUsed on a mix of Prepared and Ready memory keeps the contents of the Ready part. Default: true. False
   * is for Go's hard decommit on Linux, which maps the whole range again.
   */
  readonly usedKeepsReady?: boolean
  /** Reasons to skip cases here, by id or by part: `{ histories: 'take an hour on this kernel' }`. */
  readonly skip?: Readonly<Record<string, string>>
}
