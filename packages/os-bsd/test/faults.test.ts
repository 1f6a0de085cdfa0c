// The k-th kernel call fails, for every k of a life, over real pages and in all six flavors: the error is
// of the right class, the account is what the kernel holds, and no byte is lost.
import { createMemory, FatalError, OutOfMemoryError } from '@memlayer/core'
import { errnos, failCall } from '@memlayer/kernel'
import { createOS, type Flavor } from '@memlayer/os-bsd'
import { disagreement, live, standIn } from '@memlayer/stand-in'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const flavors: Flavor[] = ['freebsd', 'dragonfly', 'netbsd', 'openbsd', 'solaris', 'illumos']

// What each operation is to throw: a reservation is refused, where Go throws is broken. A range that the
// kernel keeps is broken, unless it had no memory to split it.
const expected = (op: string, name: string): typeof OutOfMemoryError | typeof FatalError => {
  if (op === 'sysAlloc' || op === 'sysReserve') return OutOfMemoryError
  if (op === 'sysMap') return FatalError
  return name === 'ENOMEM' ? OutOfMemoryError : FatalError
}

describe.skipIf(!onLinux)('os-bsd with the k-th kernel call failing (Linux stands in)', () => {
  const runs = flavors.flatMap((flavor) => ['ENOMEM', 'EAGAIN', 'EINVAL'].map((name) => [flavor, name] as const))

  it.each(runs)('%s, %s: account and kernel agree for every k', (flavor, name) => {
    const errno = errnos[flavor][name] as number
    let refused = 0
    for (let k = 1; ; k++) {
      const { kernel, mappedBytes } = standIn(flavor)
      const plan = failCall(kernel, k, errno)
      const memory = createMemory(createOS({ kernel: plan.kernel, flavor }))
      const at = { op: '' }
      let error: unknown
      try {
        live(memory, at)
      } catch (thrown) {
        error = thrown
        refused += 1
        const classes = at.op === 'sysReserveAligned' ? [OutOfMemoryError, FatalError] : [expected(at.op, name)]
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
    // A madvise may fail without a word; a mapping may not.
    expect(refused).toBeGreaterThanOrEqual(12)
  })
})
