// What is put to the test: a backend, the kernel below it, and who tells what that kernel
// really holds. An author writes one; conformance() takes it.
import type { OS } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'

/**
 * What the kernel itself says of a range, so that the backend is not its own witness. What is absent is
 * not known, and cases that ask for it are not run.
 */
export interface Witness {
  /** Whether touching the byte at `v` would fault. It must not kill the process. */
  faults?(v: Address, access: 'read' | 'write'): boolean
  /** The bytes of [v, v+n) that have memory behind them. */
  resident?(v: Address, n: number): number
  /** The bytes of [v, v+n) that the kernel holds for the process, whatever their protection. */
  held?(v: Address, n: number): number
  /** All bytes that the kernel holds for the backend: what leaks shows here. */
  total?(): number
  /** The kernel is short of memory: takes all that it may take. */
  takeForfeit?(): void
}

/** A backend, and how it is made for a case. */
export interface Subject<K extends object = object> {
  /** What the report calls it. Default: the backend's own name. */
  readonly name?: string
  /** The backend over a kernel; without one, over whatever it has by itself. */
  createOS(options: { readonly kernel?: K }): OS
  /**
   * A fresh kernel: a simulated one for each case, or the host's. Absent: the backend brings its own, and
   * the cases that look at kernel calls or make them fail are not run.
   */
  kernel?(options: { readonly seed: number }): K
  /** Who tells what the kernel holds. Default: `simulatedWitness`, which knows the kernels of `@memlayer/simkernel`. */
  witness?(kernel: K | undefined, os: OS): Witness
  /** The error numbers that calls are made to fail with. Default: those of the kind of kernel, out of memory first. */
  readonly errnos?: readonly number[]
  /**
   * Whether sysUsed over a mix of Prepared and Ready leaves what is Ready as it was. Default true. Go's
   * hard decommit on Linux maps all of it anew: false.
   */
  readonly usedKeepsReady?: boolean
  /** Why cases can't be run here, by id or by part: `{ histories: 'take an hour on this kernel' }`. */
  readonly skip?: Readonly<Record<string, string>>
}
