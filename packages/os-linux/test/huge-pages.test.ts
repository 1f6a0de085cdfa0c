// The huge page policy on the real kernel. The kernel's account is the witness: the flags of a mapping, and the
// huge pages that it got.
import { readFileSync } from 'node:fs'
import { createMemory, type HugePagePolicy, type Memory, type Region } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { posixKernel } from '@memlayer/ffi'
import { mappingsIn } from '@memlayer/witness'
import { describe, expect, it, type TestContext } from 'vitest'

const MiB = 2 ** 20
const huge = process.platform === 'linux' ? posixKernel().hugePageSize : 0

/** Which of `always [madvise] never` is chosen. Null when the kernel has no huge pages. */
function chosen(): string | null {
  try {
    return /\[(\w+)\]/.exec(readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'latin1'))?.[1] ?? null
  } catch {
    return null
  }
}

function needHugePages(context: TestContext): void {
  if (huge === 0 || chosen() === 'never' || chosen() === null) {
    context.skip('needs transparent huge pages: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled')
  }
}

/** A region of 16 huge pages, all Ready. */
function ready(memory: Memory, hugePages: HugePagePolicy): Region {
  const region = memory.reserve(16 * huge, { hugePages })
  region.commit(0, 16 * huge)
  return region
}

/** The bytes whose mappings have a flag: `'hg'`, `'nh'`. */
function flagged(region: Region, flag: string, offset = 0, length = region.size - offset): number {
  const from = region.address + offset
  const end = from + length
  return mappingsIn(from, length)
    .filter(({ flags }) => flags.includes(flag))
    .reduce((sum, mapping) => sum + Math.min(mapping.end, end) - Math.max(mapping.start, from), 0)
}

describe.skipIf(process.platform !== 'linux')('huge pages (need Linux)', () => {
  it('are asked for in a whole region that wants them, and obtained at a touch', (context) => {
    needHugePages(context)
    using region = ready(createMemory(createOS()), 'on')
    expect(region.address % huge).toBe(0)
    expect(flagged(region, 'hg')).toBeGreaterThanOrEqual(16 * huge)
    expect(region.hugePageUse()).toEqual({ requested: 16 * huge, obtained: 0 })
    region.view(Uint8Array, 0, 4 * huge).fill(1)
    const { requested, obtained } = region.hugePageUse()
    const [witness] = [
      mappingsIn(region.address, region.size).reduce((sum, { anonHugePages }) => sum + anonHugePages, 0),
    ]
    expect([requested, obtained]).toEqual([16 * huge, witness])
    // A kernel with fragmented memory may have no huge pages to give. Then the memory reports fewer than it asked
    // for.
    expect(obtained).toBeLessThanOrEqual(4 * huge)
    expect(obtained % huge).toBe(0)
  })

  it('are forbidden in a whole region with the policy never, which then gets none', (context) => {
    needHugePages(context)
    using region = ready(createMemory(createOS()), 'off')
    expect(flagged(region, 'nh', 0, 16 * huge)).toBe(16 * huge)
    region.view(Uint8Array, 0, 16 * huge).fill(1)
    expect(region.hugePageUse()).toEqual({ requested: 0, obtained: 0 })
  })

  it('are asked for again only where given back pages had cut one', (context) => {
    needHugePages(context)
    const memory = createMemory(createOS())
    const page = memory.os.traits.pageSize
    using region = ready(memory, 'on')
    region.unused(3 * huge + page, page)
    expect(flagged(region, 'nh')).toBe(huge)
    region.used(3 * huge + page, page)
    expect([flagged(region, 'nh'), flagged(region, 'hg', 0, 16 * huge)]).toEqual([0, 16 * huge])

    // By default the flag stays off, as in Go.
    using other = memory.reserve(16 * huge, { align: huge })
    other.commit(0, 16 * huge)
    other.unused(3 * huge + page, page)
    other.used(3 * huge + page, page)
    expect(flagged(other, 'nh')).toBe(huge)
  })

  it('change with the policy, also for memory in use', (context) => {
    needHugePages(context)
    using region = ready(createMemory(createOS()), 'off')
    const size = 16 * huge
    region.hugePages = 'on'
    expect([flagged(region, 'hg', 0, size), flagged(region, 'nh', 0, size)]).toEqual([size, 0])
    region.hugePages = 'off'
    expect([flagged(region, 'hg', 0, size), flagged(region, 'nh', 0, size)]).toEqual([0, size])
    region.hugePages = 'default'
    expect(flagged(region, 'hg', 0, size)).toBe(size)
  })

  it('leave the memory of other policies alone', (context) => {
    needHugePages(context)
    const memory = createMemory(createOS())
    using one = ready(memory, 'off')
    using two = ready(memory, 'on')
    one.hugePages = 'default'
    two.hugePages = 'off'
    expect([flagged(one, 'nh', 0, 16 * huge), flagged(two, 'hg', 0, 16 * huge)]).toEqual([0, 0])
    memory.check()
  })

  it('are NaN when the port does not know', () => {
    const { hugePages: _, ...kernel } = posixKernel()
    using region = createMemory(createOS({ kernel })).reserve(MiB)
    expect(region.hugePageUse().obtained).toBe(NaN)
  })
})
