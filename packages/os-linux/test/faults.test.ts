// The k-th kernel call fails, for every k of a life, on the real kernel. The error has the right class, the account
// agrees with the kernel, and nothing else stays mapped.
import { createMemory, FatalError, OutOfMemoryError, type Memory } from '@memlayer/core'
import { failCall, record } from '@memlayer/kernel'
import { createOS, type LinuxOptions } from '@memlayer/os-linux'
import { countedLinux } from '@memlayer/stand-in'
import { bytesWith, mappingsIn, type Mapping } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const MiB = 2 ** 20
const ENOMEM = 12
const EINVAL = 22

/** Makes every transition, with ranges that cut huge pages. `at` holds the current operation when it ends. */
function live(memory: Memory, at: { op: string }): void {
  const stat = memory.stat('life')
  const step = <T>(op: string, run: () => T): T => {
    at.op = op
    return run()
  }
  const a = step('sysAlloc', () => memory.sysAlloc(4 * MiB, stat))
  const v = step('sysReserve', () => memory.sysReserve(null, 64 * MiB))
  const { address, size } = step('sysReserveAligned', () => memory.sysReserveAligned(null, 3 * MiB, 2 ** 26))
  step('sysMap', () => memory.sysMap(v, 32 * MiB, stat))
  step('sysUsed', () => memory.sysUsed(v, 16 * MiB))
  step('sysUnused', () => memory.sysUnused(v + memory.os.traits.pageSize, 8 * MiB))
  step('sysUsed of a mix', () => memory.sysUsed(v, 8 * MiB))
  step('sysHugePage', () => memory.sysHugePage(v, 16 * MiB))
  step('sysFault', () => memory.sysFault(v + MiB, MiB))
  step('sysFree', () => memory.sysFree(v + 8 * MiB, 40 * MiB, stat))
  step('sysFree', () => memory.sysFree(v, 8 * MiB, stat))
  step('sysFree', () => memory.sysFree(v + 48 * MiB, 16 * MiB, null))
  step('sysFree', () => memory.sysFree(a, 4 * MiB, stat))
  step('sysFree', () => memory.sysFree(address, size, null))
}

/** Expects every owned range to be mapped as its state says. */
function expectKernelAgrees(memory: Memory): void {
  memory.check()
  // Prepared memory may be touched after sysMap. After sysUnused it may be touched unless hardDecommit is on.
  const permissions = { None: [], Reserved: ['---p'], Prepared: ['rw-p', '---p'], Ready: ['rw-p'] }
  for (const { address, size, state } of memory.ranges()) {
    const mapped = permissions[state].reduce((sum, one) => sum + bytesWith(one, address, size), 0)
    expect(mapped, `${size} bytes ${state}`).toBe(size)
  }
}

// The error that an operation throws when the kernel refuses `fn`. A refused reservation is an OutOfMemoryError. So is
// memory to map that the kernel does not have, and memory to use, but for a mix of Prepared and Ready. Where else Go
// throws, it is a FatalError. So is a range that the kernel keeps, unless the kernel had no memory to split it.
const expected = (op: string, fn: string | undefined, errno: number): typeof OutOfMemoryError | typeof FatalError => {
  if (['sysAlloc', 'sysReserve'].includes(op)) return OutOfMemoryError
  if (op === 'sysUnused' || op === 'sysUsed of a mix') return FatalError
  if (op === 'sysReserveAligned' && fn === 'mmap') return OutOfMemoryError
  return errno === ENOMEM ? OutOfMemoryError : FatalError
}

/** What came of one life whose k-th kernel call failed. */
interface End {
  /** Whether the life had as many calls. */
  readonly isFailed: boolean
  readonly error: unknown
  /** What was mapped, after the layer freed its ranges, where they had been. */
  readonly left: readonly Mapping[]
}

function lifeWithFailure(k: number, options: LinuxOptions, errno: number): End {
  const counted = countedLinux()
  const plan = failCall(counted.kernel, k, errno)
  const { kernel, calls } = record(plan.kernel)
  const memory = createMemory(createOS({ ...options, kernel }))
  const at = { op: '' }
  let error: unknown
  try {
    live(memory, at)
  } catch (thrown) {
    error = thrown
    const failing = calls.find(({ ret }) => ret === -errno)
    expect(thrown, `${at.op}: ${String(thrown)}`).toBeInstanceOf(expected(at.op, failing?.fn, errno))
  }
  expectKernelAgrees(memory)
  const { reserved, prepared, ready } = memory.stats().total
  expect(counted.mappedBytes()).toBe(reserved + prepared + ready)
  const left = memory.ranges().flatMap(({ address, size }) => {
    memory.sysFree(address, size, null)
    return mappingsIn(address, size)
  })
  expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
  expect(counted.mappedBytes()).toBe(0)
  return { isFailed: plan.failed, error, left }
}

/** Repeats a life after which something is mapped. A thread of the engine may map there too, but not each time. */
function lifeWithoutEngine(k: number, options: LinuxOptions, errno: number): End {
  let end = lifeWithFailure(k, options, errno)
  for (let again = 0; again < 4 && end.left.length > 0; again++) end = lifeWithFailure(k, options, errno)
  return end
}

describe.skipIf(!onLinux)('os-linux with the k-th kernel call failing (needs Linux)', () => {
  it.each([
    ['by default', {}, ENOMEM],
    ['by default', {}, EINVAL],
    ['with MADV_FREE', { madvDontNeed: false }, ENOMEM],
    ['with hard decommit', { hardDecommit: true }, ENOMEM],
    ['with hard decommit', { hardDecommit: true }, EINVAL],
  ] as [string, LinuxOptions, number][])(
    '%s %o, errno %i: account and kernel agree for every k',
    (_, options, errno) => {
      let refused = 0
      for (let k = 1; ; k++) {
        const { isFailed, error, left } = lifeWithoutEngine(k, options, errno)
        expect(left, `call ${k}`).toEqual([])
        if (error !== undefined) refused += 1
        if (isFailed) continue
        expect(error).toBeUndefined()
        break
      }
      // A madvise may fail without an error. A mapping may not.
      expect(refused).toBeGreaterThan(5)
    },
  )
})
