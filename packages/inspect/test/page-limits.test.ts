// The page and the terminal say what bounds the memory, what idle pages still have, and who keeps pages Ready.
import { createMemory } from '@memlayer/core'
import { drawTerminal, momentOf, takeSnapshot } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-linux'
import { describe, expect, it } from 'vitest'
import { colours, figure, fresh, MiB, palette } from './living.js'
import { openPage } from './open-page.js'

describe.skipIf(process.platform !== 'linux')('limits, idle pages and holds', () => {
  it('are on the page, with the source of each limit, and the place of each hold', async (ctx) => {
    const memory = createMemory(createOS(), { scavenge: { share: 0 } })
    memory.limit = { bytes: 96 * MiB }
    using region = memory.reserve(64 * MiB, { name: 'vectors', hugePages: 'off' })
    region.commit(0, 64 * MiB)
    region.idle(0, 16 * MiB)
    region.unused(16 * MiB, 8 * MiB)
    using hold = region.hold(32 * MiB, MiB)
    await using opened = await openPage(ctx, memory)
    const { tab, page } = opened
    expect(hold).toBeDefined()
    const { used } = memory.limit ?? {}
    expect(await Promise.all(['Limit', 'Retained', 'Released'].map((name) => figure(page, name)))).toEqual([
      96 * MiB,
      16 * MiB,
      8 * MiB,
    ])
    expect(used).toBe(56 * MiB)
    expect(await page.locator('[data-name="Limit"]').textContent()).toBe('56 MiB of 96 MiB, memory.limit')
    const [least] = memory.hostLimits()
    expect(await page.locator('[data-name="Resident"] .more').textContent()).toMatch(new RegExp(`, ${least?.name}$`))
    // The chart has a line for the program's limit, which is near what is used.
    const legend = await page.locator('#chart .u-legend').textContent()
    expect(legend).toMatch(/retained.*16 MiB.*memory\.limit.*96 MiB/)
    const [bad = ''] = await colours(page, ['--bad'])
    await fresh(page)
    expect((await palette(page, '#chart canvas'))[bad]).toBeGreaterThan(20)

    const row = page.locator('#holds tbody tr:not(.space)')
    expect(await row.count()).toBe(1)
    const cells = await row
      .locator('td')
      .evaluateAll((found) =>
        found.map((one) => [(one as HTMLElement).dataset['column'], (one as HTMLElement).dataset['value']]),
      )
    const { age, made, ...others } = Object.fromEntries(cells) as Record<string, string>
    expect(others).toEqual({
      region: 'vectors',
      offset: String(32 * MiB),
      length: String(MiB),
      kind: 'hold',
      worker: 'this thread',
    })
    expect(Number(age)).toBeGreaterThan(0)
    expect(made).toMatch(/page-limits\.test\.ts:\d+/)
    hold.release()
    await fresh(page)
    expect(await page.locator('#holds-say').textContent()).toBe('Nothing keeps pages Ready but their owners.')
    expect(tab.complaints).toEqual([])
  })

  it('are in the terminal and in a snapshot', () => {
    const memory = createMemory(createOS(), { scavenge: { share: 0 } })
    memory.limit = { bytes: 96 * MiB, beyond: 'allow' }
    using region = memory.reserve(8 * MiB, { name: 'vectors', hugePages: 'off' })
    region.commit(0, 8 * MiB)
    region.idle(0, 2 * MiB)
    const holds = Array.from({ length: 250 }, (_, i) => region.hold(4 * MiB + i * 4096, 4096))
    const snapshot = takeSnapshot(memory)
    expect(snapshot.limits.own).toEqual({
      name: 'memory.limit',
      bytes: 96 * MiB,
      used: 8 * MiB,
      of: 'layer',
      beyond: 'allow',
    })
    expect(snapshot.limits.host.map(({ name }) => name)).toEqual(memory.hostLimits().map(({ name }) => name))
    expect([snapshot.holds.length, snapshot.holdsCount]).toEqual([200, 250])
    expect(momentOf(snapshot)).toMatchObject({ retained: 2 * MiB, ownLimit: 96 * MiB })
    const text = drawTerminal(snapshot, 120, false).join('\n')
    expect(text).toMatch(/^limit .*, .*memory\.limit 96 MiB, 8 MiB used$/m)
    expect(text).toContain('- Prepared 2 MiB (2 MiB retained)')
    expect(text).toMatch(/^hold keeps 4 KiB at 4 MiB of vectors Ready for 0 s: .*page-limits\.test\.ts:\d+/m)
    expect(text).toContain('and 247 more holds')
    for (const hold of holds) hold.release()
  })
})
