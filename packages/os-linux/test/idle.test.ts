// Idle pages on the real kernel: what stays resident, what a use of them costs, and what the scavenger gives back.
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const onLinux = process.platform === 'linux'

/** Waits until `isSo`, for two minutes at most. */
async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 120_000
  while (!isSo() && performance.now() < end) await new Promise((done) => setTimeout(done, 50))
  expect(isSo()).toBe(true)
}

describe.skipIf(!onLinux)('idle pages', () => {
  it('stay resident, cost no page fault when they are used again, and go when they are scavenged', () => {
    const memory = createMemory(createOS(), { scavenge: { share: 0 } })
    const region = memory.reserve(16 * MiB, { hugePages: 'off' })
    region.commit()
    region.view(Uint8Array).fill(7)
    const resident = (): number => memory.residency(region.address, region.size)?.resident ?? NaN
    expect(resident()).toBe(16 * MiB)
    region.idle()
    expect([resident(), memory.stats().retained]).toEqual([16 * MiB, 16 * MiB])
    region.used(0, 8 * MiB)
    const view = region.view(Uint8Array, 0, 8 * MiB)
    const before = process.resourceUsage().minorPageFault
    for (let i = 0; i < view.length; i += 4096) view[i] = 1
    // 2,048 pages were touched. The engine itself faults some.
    expect(process.resourceUsage().minorPageFault - before).toBeLessThan(512)
    expect(memory.scavenge()).toBe(8 * MiB)
    expect([resident(), memory.stats().retained]).toEqual([8 * MiB, 0])
    region.used(8 * MiB)
    expect(region.view(Uint8Array, 8 * MiB, 8 * MiB).every((byte) => byte === 0)).toBe(true)
    memory.check()
    region.free()
  })

  it('go in the background, down to a tenth of what is Ready', async () => {
    const memory = createMemory(createOS())
    const region = memory.reserve(64 * MiB, { hugePages: 'off' })
    region.commit()
    region.view(Uint8Array).fill(7)
    region.idle(0, 44 * MiB)
    await until(() => memory.stats().retained <= 2 * MiB)
    expect(memory.residency(region.address, region.size)?.resident).toBe(20 * MiB + memory.stats().retained)
    region.free()
    expect(memory.stats().retained).toBe(0)
  })
})
