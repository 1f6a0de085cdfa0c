// Limits and buffers that exist: a limit of the layer counts them as it counts what is allocated, before any effect. A
// limit of the process has counted their memory before.
import { createMemory, OutOfMemoryError, type LimitOptions, type Memory } from '@memlayer/core'
import { createOS } from '@memlayer/os-engine'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { size } from './made-buffers.js'

const MiB = 2 ** 20
const growable = (bytes: number): ArrayBuffer => new ArrayBuffer(bytes, { maxByteLength: 2 * bytes })

describe.skipIf(process.platform !== 'linux')('a limit, and memory.adopt (needs Linux)', () => {
  /** What a new memory has, for a limit of so many bytes above it. */
  const limited = (bytes: number): Memory => {
    const memory = createMemory(createOS())
    const before: LimitOptions = { bytes: Number.MAX_SAFE_INTEGER }
    memory.limit = before
    memory.limit = { bytes: (memory.limit?.used ?? NaN) + bytes }
    return memory
  }

  it('refuses what would pass it before any effect, and takes what fits to the byte', () => {
    const memory = limited(size)
    const { ready, refusals } = memory.stats().total
    const error = errorOf(() => memory.adopt(growable(size + memory.os.traits.pageSize), { name: 'wide' }))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect((error as OutOfMemoryError).message).toMatch(
      /^adopt\(a buffer of \d+ bytes\) of the region 'wide': 4\.0 MiB would pass the limit of all memories, memory/,
    )
    expect(memory.stats().total).toMatchObject({ ready, refusals: refusals + 1 })
    expect(memory.regions()).toEqual([])
    using region = memory.adopt(growable(size))
    expect(memory.stats().total.ready).toBe(ready + region.size)
    memory.check()
  })

  it('counts the pages to the end: what is unused can be used again, and no more becomes Ready beside them', () => {
    const memory = limited(size)
    using region = memory.adopt(growable(size))
    region.unused(0, MiB)
    using other = memory.reserve(2 * MiB)
    other.commit(0, MiB)
    expect(errorOf(() => region.used(0, MiB))).toBeInstanceOf(OutOfMemoryError)
    other.free()
    region.used(0, MiB)
    expect(memory.limit?.used).toBe(memory.limit?.bytes)
  })

  it('asks the reclaimers first, and takes the buffer when they gave enough', () => {
    const memory = limited(size)
    const cache = memory.reserve(size)
    cache.commit()
    const asked: number[] = []
    memory.reclaimer({ name: 'cache' }, ({ want }) => {
      asked.push(want)
      cache.unused()
    })
    using region = memory.adopt(growable(size))
    expect([asked.length, memory.stats().total.ready]).toEqual([1, region.size])
    cache.free()
  })

  it('takes the place of a region whose buffer was transferred', () => {
    const memory = limited(size)
    const buffer = growable(size)
    const lost = memory.adopt(buffer)
    using region = memory.adopt(buffer.transfer())
    expect([lost.disposed, memory.stats().total.ready]).toEqual([true, region.size])
  })

  it('of a category refuses by the name of the category', () => {
    const memory = createMemory(createOS())
    const stat = memory.stat('modules')
    stat.limit = size
    using region = memory.adopt(growable(size), { stat })
    expect(errorOf(() => memory.adopt(growable(size), { stat }))).toMatchObject({
      code: 'ERR_MEMLAYER_OUT_OF_MEMORY',
      message: expect.stringContaining("'modules'") as string,
    })
    expect(stat.load()).toBe(region.size)
  })

  it('of the process has their memory already: nothing is asked, and the figure stays true', () => {
    const memory = createMemory(createOS())
    const bytes = new Uint8Array(growable(64 * MiB)).fill(1)
    memory.limit = { bytes: Number.MAX_SAFE_INTEGER, of: 'process' }
    const used = memory.limit?.used ?? NaN
    memory.limit = { bytes: used + 32 * MiB, of: 'process' }
    let asked = 0
    memory.reclaimer({ name: 'cache' }, () => void (asked += 1))
    using region = memory.adopt(bytes.buffer)
    expect([region.size, asked]).toEqual([64 * MiB, 0])
    // The process has as much memory as before.
    expect(Math.abs((memory.limit?.used ?? NaN) - used)).toBeLessThan(16 * MiB)
  })
})
