// What is refused, and by whom: the engine that makes no buffer, the kernel that takes no advice, a kernel that can't
// tell where a buffer is.
import { Worker } from 'node:worker_threads'
import { createMemory, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import type { PosixKernel } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-engine'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const MADV_DONTNEED = 4
const MADV_POPULATE_WRITE = 23
const EINVAL = 22
const ENOMEM = 12

/** The host's kernel, which refuses one advice. */
function refusing(advice: number, errno: number): PosixKernel {
  const kernel = posixKernel()
  return {
    ...kernel,
    madvise: (v, n, given) => (given === advice ? -errno : kernel.madvise(v, n, given)),
    madviseAll: (ranges, given) => (given === advice ? -errno : (kernel.madviseAll?.(ranges, given) ?? -errno)),
  }
}

/** A Ready range of 4 pages, full of 7. */
function filled(memory: Memory): { v: number; n: number } {
  const n = 4 * memory.os.traits.pageSize
  const v = memory.sysAlloc(n, null)
  memory.view(Uint8Array, v, n).fill(7)
  return { v, n }
}

describe.skipIf(process.platform !== 'linux')('os-engine, refused (needs Linux)', () => {
  it('more than the engine can have is an OutOfMemoryError with its own word, and a smaller one succeeds', () => {
    const memory = createMemory(createOS())
    const error = errorOf(() => memory.sysReserve(null, 2 ** 52))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect((error as OutOfMemoryError).hint).toMatch(/^Reserve less, .*made no buffer of 4\.0 PiB/)
    memory.check()
    expect(memory.sysReserve(null, 2 ** 30)).toBeGreaterThan(0)
  })

  it('an address is refused, and the hint says what to pass', () => {
    const memory = createMemory(createOS())
    const error = errorOf(() => memory.sysReserve(2 ** 40, 65536)) as OutOfMemoryError
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error.hint).toMatch(/^Pass null\./)
  })

  it('pages that the kernel keeps read zero all the same, and the trait no longer promises memory', () => {
    const memory = createMemory(createOS({ kernel: refusing(MADV_DONTNEED, EINVAL) }))
    const { v, n } = filled(memory)
    expect(memory.os.traits.unusedReturnsMemory).toBe(true)
    memory.sysUnused(v, n)
    expect(memory.os.traits.unusedReturnsMemory).toBe(false)
    memory.sysUsed(v, n)
    expect(memory.view(Uint8Array, v, n).every((byte) => byte === 0)).toBe(true)
    expect(memory.stats().kept).toBe(n)
  })

  it('populating that the kernel has no memory for is an OutOfMemoryError; one it does not know is tried once', () => {
    const refused = createMemory(createOS({ kernel: refusing(MADV_POPULATE_WRITE, ENOMEM) }))
    const one = filled(refused)
    expect(errorOf(() => refused.sysPopulate(one.v, one.n))).toBeInstanceOf(OutOfMemoryError)
    const old = createMemory(createOS({ kernel: refusing(MADV_POPULATE_WRITE, EINVAL) }))
    const two = filled(old)
    expect([old.sysPopulate(two.v, two.n), old.sysPopulate(two.v, two.n)]).toEqual([false, false])
  })

  it('a kernel that can’t tell where a buffer is makes no backend', () => {
    const { addressOf: _, ...kernel } = posixKernel()
    const error = errorOf(() => createOS({ kernel }))
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_OPTION' })
  })

  it('a share of a buffer that was adopted and is not shared is refused, and the hint says what to adopt', () => {
    const memory = createMemory(createOS())
    const region = memory.adopt(new ArrayBuffer(2 ** 20))
    const worker = new Worker('', { eval: true })
    const error = errorOf(() => region.share(worker, 0, 65536)) as UsageError
    void worker.terminate()
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_SHARED' })
    expect(error.hint).toMatch(/^Adopt a SharedArrayBuffer/)
    region.release()
    expect(memory.stats().total.ready).toBe(0)
  })
})
