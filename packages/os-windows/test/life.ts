// A life with every transition in it, and what has to be true after each of its possible ends. Vitest runs it over
// the tests' own kernel, Node for Windows over kernel32.
import { createMemory, FatalError, OutOfMemoryError, type Memory } from '@memlayer/core'
import { failCall, record, type WindowsKernel } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-windows'

const KiB = 2 ** 10
const MiB = 2 ** 20
const RESERVE = 0x2000

/** A kernel that can tell the state of its pages, independent of the account. */
export interface Witness {
  bytesInState(state: 'FREE' | 'RESERVE' | 'COMMIT', v: number, n: number): number
}

/** Which calls fail. `once` means only the k-th call. A function's name means its k-th call and all later ones. */
export type Plan = 'once' | 'virtualAlloc' | 'virtualFree'

/** The result of one life. */
export interface LifeEnd {
  /** Whether a call was made to fail. */
  readonly failed: boolean
  /** The operation that threw, or null. */
  readonly op: string | null
  readonly error: unknown
}

/**
 * Lives a life whose k-th kernel call fails.
 *
 * @throws Error when error, account and kernel do not agree.
 */
export function liveAndFail(kernel: WindowsKernel, witness: Witness, plan: Plan, k: number, errno: number): LifeEnd {
  const failing = plan === 'once' ? failOnce(kernel, k, errno) : failFrom(kernel, plan, k, errno)
  const { kernel: recorded, calls } = record(failing.kernel)
  const memory = createMemory(createOS({ kernel: recorded }))
  const at = { op: '' }
  let error: unknown = null
  try {
    live(memory, at)
  } catch (thrown) {
    error = thrown
    checkError(at.op, thrown, errno)
  }
  checkAccount(memory, witness)

  // Nothing is lost: the account can give back everything that the kernel has reserved, in whole reservations.
  failing.stop()
  const held = reservations(calls)
  const owned = memory.ranges().reduce((sum, { size }) => sum + size, 0)
  const reserved = [...held.values()].reduce((sum, size) => sum + size, 0)
  expect(owned === reserved, `${owned} bytes are owned, the kernel has reserved ${reserved}`)
  for (const [base, size] of held) {
    memory.sysFree(base, size, null)
    expect(witness.bytesInState('FREE', base, size) === size, 'a freed reservation is free')
  }
  const { reserved: left, prepared, ready, held: counted } = memory.stats().total
  expect(left + prepared + ready + counted === 0, 'nothing is counted when all is freed')
  memory.check()
  return { failed: failing.failed, op: error === null ? null : at.op, error }
}

function live(memory: Memory, at: { op: string }): void {
  const stat = memory.stat('life')
  const step = <T>(op: string, run: () => T): T => {
    at.op = op
    return run()
  }
  const a = step('sysAlloc', () => memory.sysAlloc(256 * KiB, stat))
  const v = step('sysReserve', () => memory.sysReserve(null, 4 * MiB))
  step('sysMap', () => memory.sysMap(v, MiB, stat))
  step('sysUsed', () => memory.sysUsed(v, 512 * KiB))
  step('sysUnused', () => memory.sysUnused(v + 4 * KiB, 128 * KiB))
  step('sysUsed', () => memory.sysUsed(v, 512 * KiB))
  step('sysHugePage', () => memory.sysHugePage(v, 512 * KiB))
  step('sysFault', () => memory.sysFault(v + 64 * KiB, 64 * KiB))
  step('sysFree', () => memory.sysFree(v, 4 * MiB, null))

  // Two reservations, side by side if the hints are accepted, and ranges over both.
  const first = step('sysReserve', () => memory.sysReserve(v, 128 * KiB))
  const second = step('sysReserve', () => memory.sysReserve(first + 128 * KiB, 128 * KiB))
  if (second === first + 128 * KiB) {
    step('sysMap', () => memory.sysMap(first, 256 * KiB, stat))
    step('sysUsed', () => memory.sysUsed(first + 4 * KiB, 232 * KiB))
    step('sysUnused', () => memory.sysUnused(first + 32 * KiB, 132 * KiB))
    step('sysUsed', () => memory.sysUsed(first, 240 * KiB))
    step('sysFault', () => memory.sysFault(first + 12 * KiB, 200 * KiB))
  }
  step('sysFree', () => memory.sysFree(first, 128 * KiB, null))
  step('sysFree', () => memory.sysFree(second, 128 * KiB, null))

  const { address, size } = step('sysReserveAligned', () => memory.sysReserveAligned(null, 192 * KiB, 16 * MiB))
  step('sysFree', () => memory.sysFree(address, size, null))
  step('sysFree', () => memory.sysFree(a, 256 * KiB, stat))
}

/**
 * Expects every owned page to be what its state promises. Ready pages have memory, Reserved pages have not, and all
 * are reserved.
 */
export function checkAccount(memory: Memory, witness: Witness): void {
  memory.check()
  for (const { address, size, state } of memory.ranges()) {
    const bytes = (found: 'FREE' | 'RESERVE' | 'COMMIT'): number => witness.bytesInState(found, address, size)
    expect(bytes('FREE') === 0, `${bytes('FREE')} of ${size} bytes ${state} are free`)
    if (state === 'Ready') expect(bytes('COMMIT') === size, `${bytes('COMMIT')} of ${size} bytes Ready are committed`)
    if (state === 'Reserved')
      expect(bytes('RESERVE') === size, `${bytes('RESERVE')} of ${size} bytes Reserved are uncommitted`)
  }
}

/** Expects a refusal to have its own class, and an error where Go throws to have Go's words. */
function checkError(op: string, error: unknown, errno: number): void {
  expect(error instanceof OutOfMemoryError || error instanceof FatalError, `${op}: ${String(error)}`)
  if (!(error instanceof OutOfMemoryError || error instanceof FatalError)) return
  expect(error.errno === errno, `${op}: errno ${error.errno}`)
  expect(typeof error.hint === 'string' && error.hint !== '', `${op}: a hint`)
  const words: Record<string, RegExp> = {
    sysAlloc: /^sysAlloc: windows refused/,
    sysUnused: /^failed to decommit pages: VirtualFree\(/,
    sysUsed: [5, 8, 635, 1454, 1455].includes(errno)
      ? /^(out of memory: VirtualAlloc\(|sysUsed: windows refused)/
      : /^failed to commit pages: VirtualAlloc\(/,
    sysFree: /^failed to release pages: VirtualFree\(/,
    sysFault: /^failed to decommit pages: VirtualFree\(/,
    sysReserve: /^sysReserve: windows refused/,
    sysReserveAligned: /^(sysReserveAligned: windows refused|failed to release pages: VirtualFree\()/,
  }
  expect(words[op]?.test(error.message) === true, `${op}: ${error.message}`)
}

/** The reservations that the kernel made in these calls and has not released. */
function reservations(calls: readonly { fn: string; args: readonly number[]; ret: number }[]): Map<number, number> {
  const held = new Map<number, number>()
  for (const { fn, args, ret } of calls) {
    const [addr = 0, size = 0, type = 0] = args
    if (fn === 'virtualAlloc' && ret > 0 && (type & RESERVE) !== 0) held.set(ret, size)
    if (fn === 'virtualFree' && ret === 0 && size === 0) held.delete(addr)
  }
  return held
}

interface Failing {
  readonly kernel: WindowsKernel
  readonly failed: boolean
  /** Stops failing calls. */
  stop(): void
}

function failOnce(kernel: WindowsKernel, k: number, errno: number): Failing {
  const plan = failCall(kernel, k, errno)
  let failed: boolean | undefined
  return {
    kernel: plan.kernel,
    get failed(): boolean {
      return failed ?? plan.failed
    },
    stop(): void {
      failed = plan.failed
    },
  }
}

function failFrom(kernel: WindowsKernel, fn: 'virtualAlloc' | 'virtualFree', k: number, errno: number): Failing {
  let calls = 0
  let on = true
  const fails = (name: string): boolean => on && name === fn && (calls += 1) >= k
  return {
    kernel: {
      ...kernel,
      virtualAlloc: (...args: Parameters<WindowsKernel['virtualAlloc']>): number =>
        fails('virtualAlloc') ? -errno : kernel.virtualAlloc(...args),
      virtualFree: (...args: Parameters<WindowsKernel['virtualFree']>): number =>
        fails('virtualFree') ? -errno : kernel.virtualFree(...args),
    },
    get failed(): boolean {
      return calls >= k
    },
    stop(): void {
      on = false
    },
  }
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`expected, but not true: ${what}`)
}
