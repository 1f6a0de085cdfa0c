// Tests the limits on bytes. Core refuses before the process meets them, leaves a part to the engine, and looks again
// where the host did not tell.
import { createMemory, OutOfMemoryError, type Memory } from '@memlayer/core'
import type { ProcessLimits } from '@memlayer/kernel'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const MiB = 2 ** 20

/** A memory of a process whose limits the test sets. `looks` tells how often core read them. */
function bounded(limits: ProcessLimits): { memory: Memory; limits: ProcessLimits; looks: () => number } {
  const os = new PageOS({ pages: 2 ** 20 })
  const current = { ...limits }
  let looks = 0
  os.host = {
    processLimits: () => {
      looks += 1
      return current
    },
    heap: () => ({ used: 0, limit: 0 }),
  }
  return { memory: createMemory(os), limits: current, looks: () => looks }
}

const unlimited = { used: NaN, limit: Infinity }
const untold = { used: NaN, limit: NaN }

describe('the budget of bytes', () => {
  it('looks once where nothing bounds the process', () => {
    const { memory, looks } = bounded({ space: unlimited, data: unlimited })
    for (let i = 0; i < 100; i++) memory.sysAlloc(MiB, null)
    expect(looks()).toBe(1)
  })

  it.each(['space', 'data'] as const)('refuses before the limit on %s, and names it', (kind) => {
    const { memory } = bounded({ space: unlimited, data: unlimited, [kind]: { used: 0, limit: 1024 * MiB } })
    const before = memory.stats()
    const error = errorOf(() => memory.sysAlloc(1024 * MiB, null))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error.hint).toContain(kind === 'space' ? 'RLIMIT_AS (ulimit -v)' : 'RLIMIT_DATA (ulimit -d')
    const refused = { ...before.total, refusals: 1, calls: 1 }
    expect(memory.stats()).toEqual({ ...before, total: refused, uncategorized: refused })
    memory.sysAlloc(256 * MiB, null)
    expect(memory.check()).toBe(undefined)
  })

  it('takes a 64th of what is free between two looks, or what is asked for if that is more', () => {
    // A heap that may not grow is left 64 MiB, so 960 MiB are free, and 15 MiB are a 64th.
    const { memory, looks } = bounded({ space: unlimited, data: { used: 0, limit: 1024 * MiB } })
    for (let i = 0; i < 15; i++) memory.sysAlloc(MiB, null)
    expect(looks()).toBe(1)
    memory.sysAlloc(MiB, null)
    expect(looks()).toBe(2)
    memory.sysAlloc(100 * MiB, null)
    memory.sysAlloc(MiB, null)
    expect(looks()).toBe(4)
  })

  it('lets the very last free byte be taken, and none beyond', () => {
    const { memory } = bounded({ space: unlimited, data: { used: 0, limit: 1024 * MiB } })
    expect(errorOf(() => memory.sysAlloc(960 * MiB + 4096, null)).message).toContain('do not fit')
    memory.sysAlloc(960 * MiB, null)
  })

  it('looks again before the process could have used up what was free', () => {
    const { memory, limits } = bounded({ space: unlimited, data: { used: 0, limit: 1024 * MiB } })
    memory.sysAlloc(MiB, null)
    // Another part of the process takes the rest.
    Object.assign(limits, { data: { used: 1024 * MiB, limit: 1024 * MiB } })
    const run = (): void => {
      for (let i = 0; i < 20; i++) memory.sysAlloc(MiB, null)
    }
    expect(errorOf(run)).toBeInstanceOf(OutOfMemoryError)
  })

  it.each([
    ['limits', { space: untold, data: untold }],
    ['use', { space: { used: NaN, limit: 1024 * MiB }, data: { used: NaN, limit: 1024 * MiB } }],
  ])('looks again where the host did not tell its %s', (_, first) => {
    const { memory, limits, looks } = bounded(first)
    for (let i = 0; i < 100; i++) memory.sysAlloc(MiB, null)
    expect(looks()).toBe(2)
    Object.assign(limits, { space: unlimited, data: { used: 1000 * MiB, limit: 1024 * MiB } })
    const run = (): void => {
      for (let i = 0; i < 100; i++) memory.sysAlloc(MiB, null)
    }
    expect(errorOf(run).message).toContain('the process has 1000 MiB of 1 GiB')
  })
})
