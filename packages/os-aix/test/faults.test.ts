// The k-th kernel call fails, for every k of a life, over real pages: the error is of the right
// class, the account is what the kernel holds, and no byte is lost.
import { createMemory, FatalError, OutOfMemoryError } from '@memlayer/core'
import { failCall } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-aix'
import { disagreement, live, standIn } from '@memlayer/stand-in'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const [ENOMEM, EACCES, EAGAIN, EINVAL] = [12, 13, 11, 22]

// What each operation is to throw: a reservation is refused, where Go throws or exits is broken. A range
// that the kernel keeps is broken, unless it had no memory to split it.
const expected = (op: string, errno: number): typeof OutOfMemoryError | typeof FatalError => {
  if (op === 'sysAlloc') return errno === EACCES || errno === EAGAIN ? FatalError : OutOfMemoryError
  if (op === 'sysReserve') return OutOfMemoryError
  if (op === 'sysMap') return FatalError
  return errno === ENOMEM ? OutOfMemoryError : FatalError
}

describe.skipIf(!onLinux)('os-aix with the k-th kernel call failing (Linux stands in)', () => {
  it.each([ENOMEM, EACCES, EAGAIN, EINVAL])('errno %i: account and kernel agree for every k', (errno) => {
    let refused = 0
    for (let k = 1; ; k++) {
      const { kernel, mappedBytes } = standIn('aix')
      const plan = failCall(kernel, k, errno)
      const memory = createMemory(createOS({ kernel: plan.kernel }))
      const at = { op: '' }
      let error: unknown
      try {
        live(memory, at)
      } catch (thrown) {
        error = thrown
        refused += 1
        const classes = at.op === 'sysReserveAligned' ? [OutOfMemoryError, FatalError] : [expected(at.op, errno)]
        expect(
          classes.some((one) => thrown instanceof one),
          `${at.op}: ${String(thrown)}`,
        ).toBe(true)
      }
      expect(disagreement(memory)).toBe(null)
      for (const { address, size } of memory.ranges()) memory.sysFree(address, size, null)
      expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
      expect(mappedBytes()).toBe(0)
      if (!plan.failed) {
        expect(error).toBeUndefined()
        break
      }
    }
    // A madvise may fail without a word; a mapping or a protection may not.
    expect(refused).toBeGreaterThanOrEqual(12)
  })
})
