// What the engine's memory asks of an operating system: where a buffer is, and advice on its pages. mem.ts and adopt.ts
// call it. linux.ts, darwin.ts and windows.ts each answer for one system, and nothing else here asks which one it is.
import type { Address, ErrnoFamily, PosixKernel, WindowsKernel } from '@memlayer/kernel'

/** The systems that this package knows. */
export type EngineSystem = 'linux' | 'darwin' | 'windows'

/** A kernel of one of them. */
export type EngineKernel = PosixKernel | WindowsKernel

/** Takes the memory of pages, which read zero from then on. */
export const DISCARD = 0
/** The pages are used again. */
export const REUSE = 1
/** Gives pages their memory now. */
export const POPULATE = 2
/** Larger pages would serve the range. */
export const HUGE = 3
/** Larger pages would not serve the range. */
export const NO_HUGE = 4
/** One of the five. */
export type Advice = 0 | 1 | 2 | 3 | 4

/** One operating system. Each call returns its value, or minus the error number. */
export interface System {
  readonly kernel: EngineKernel
  /** Whose error numbers they are. */
  readonly errors: ErrnoFamily
  readonly pageSize: number
  /** 0: it has no huge pages that can be advised. */
  readonly hugePageSize: number
  /** Buffers that the layer makes begin at multiples of this. */
  readonly granularity: number
  /** Whether it can populate pages ahead of a touch. */
  readonly populates: boolean
  /** Whether it wants to be told that pages are used again. */
  readonly reuses: boolean
  /** The call that takes pages back, by its name. */
  readonly discardCall: string
  /** What a person can do where the kernel does not take pages back. */
  keptHint(errno: number): string
  /** Whether pages read zero after a refused `DISCARD` as well. False: they may read what they did before. */
  readonly zeroesFirst: boolean
  /** Advice on whole pages. */
  advise(v: Address, n: number, advice: Advice): number
  /** `DISCARD` of many ranges in one call. Absent: there is no such call. */
  readonly discardAll?: (ranges: ArrayLike<number>) => number
  /**
   * Charges pages of a growable buffer beyond its length, so that the engine can lengthen it. Present: the system
   * charges the length of such a buffer, so it begins small. Absent: the system charges none of it.
   */
  readonly commit?: (v: Address, n: number) => number
  /** Whether that was refused for want of memory. */
  isShort?(errno: number): boolean
  /** What a person can do where that was refused. */
  commitHint?(errno: number, n: number): string
}
