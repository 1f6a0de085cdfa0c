// Plan 9's allocator on real pages: thousands of random steps against a second allocator, and the contents of the
// memory that it hands out.
import { createMemory } from '@memlayer/core'
import { plan9Kernel } from '@memlayer/ffi'
import { record, type KernelCall } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-plan9'
import { bytesWith, residentBytes, runChild, testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { page, Walk } from './walk.js'

const onLinux = process.platform === 'linux'
const MiB = 2 ** 20

/** Expects that no requested break is below an earlier one that was granted. */
function expectRising(calls: readonly KernelCall[]): void {
  let highest = 0
  for (const { fn, args, ret } of calls) {
    if (fn !== 'brk') continue
    expect(args[0]).toBeGreaterThan(highest)
    if (ret === 0) highest = args[0] as number
  }
  expect(highest).toBeGreaterThan(0)
}

describe.skipIf(!onLinux)('os-plan9 on real pages (witnessed by /proc: needs Linux)', () => {
  it('answers like a second allocator 10,000 times, with zeroed memory and a break that never falls', () => {
    const { kernel, calls } = record(plan9Kernel({ size: 4096 * page }))
    const memory = createMemory(createOS({ kernel }))
    const bytes = new Uint8Array(kernel.view(kernel.end, 4096 * page))
    const walk = new Walk(memory, kernel.end, bytes, testSeed())
    walk.go(10_000)
    expectRising(calls)
    expect(memory.stats().total.reserved + memory.stats().total.ready).toBe(walk.held)
    // The walk took every kind of step.
    for (const [what, times] of Object.entries(walk.counts)) expect(times, what).toBeGreaterThan(20)
  })

  it('finds no mistake in 500 steps under memDebug', () => {
    const kernel = plan9Kernel({ size: 1024 * page })
    const memory = createMemory(createOS({ kernel, memDebug: true }))
    const bytes = new Uint8Array(kernel.view(kernel.end, 1024 * page))
    const walk = new Walk(memory, kernel.end, bytes, testSeed())
    walk.go(500)
    expect(memory.stats().total.reserved + memory.stats().total.ready).toBe(walk.held)
  })

  it('has memory behind every touched page, also a Reserved one, because no page faults here', () => {
    const kernel = plan9Kernel({ size: 16 * MiB })
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysReserve(null, 4 * MiB)
    expect(bytesWith('rw-p', v, 4 * MiB)).toBe(4 * MiB)
    expect(residentBytes(v, 4 * MiB, page)).toBe(0)
    new Uint8Array(kernel.view(v, 4 * MiB)).fill(1)
    expect(residentBytes(v, 4 * MiB, page)).toBe(4 * MiB)
  })

  it('keeps the contents through sysUnused and sysFault, as its traits say', () => {
    const memory = createMemory(createOS({ kernel: plan9Kernel({ size: MiB }) }))
    const v = memory.sysAlloc(2 * page, null)
    const bytes = new Uint8Array(memory.os.view(v, 2 * page)).fill(7)
    memory.sysUnused(v, 2 * page)
    memory.sysUsed(v, 2 * page)
    memory.sysHugePage(v, 2 * page)
    memory.sysFault(v, page)
    expect(bytes.every((byte) => byte === 7)).toBe(true)
    expect(memory.os.traits).toMatchObject({
      unusedDropsContents: false,
      unusedReturnsMemory: false,
      faultTraps: false,
    })
  })

  it('trims an aligned reservation, and hands out the trimmed parts', () => {
    const kernel = plan9Kernel({ size: 64 * MiB })
    const memory = createMemory(createOS({ kernel }))
    memory.sysAlloc(page, null)
    const { address, size } = memory.sysReserveAligned(null, 4 * MiB, 4 * MiB)
    expect(address % (4 * MiB)).toBe(0)
    expect(size).toBe(4 * MiB)
    const trimmed = memory.sysAlloc(page, null)
    expect(trimmed).toBeLessThan(address)
    memory.check()
  })

  it('has one allocator per instance, so that two segments do not know each other', () => {
    const [one, other] = [createMemory(createOS()), createMemory(createOS())]
    const [v, w] = [one.sysAlloc(page, null), other.sysAlloc(page, null)]
    one.sysFree(v, page, null)
    expect(other.sysAlloc(page, null)).toBe(w + page)
    expect(one.sysAlloc(page, null)).toBe(v)
  })

  it('leaves malloc alone, so that libc’s heap stays where it was', () => {
    const child = runChild(
      `
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-plan9'
      const memory = createMemory(createOS({ memDebug: true }))
      const stat = memory.stat('test')
      const kept = []
      for (let i = 0; i < 200; i++) {
        const v = memory.sysAlloc(2 ** 16, stat)
        new Uint8Array(memory.os.view(v, 2 ** 16)).fill(i + 1)
        kept.push(Buffer.alloc(1000, i), v)
        if (i % 3 === 0) memory.sysFree(v, 2 ** 16, stat)
      }
      memory.check()
      console.log(stat.load() / 2 ** 16)
      `,
      { from: import.meta.dirname },
    )
    expect(child.stderr).toBe('')
    expect(child.stdout).toBe('133\n')
  })
})
