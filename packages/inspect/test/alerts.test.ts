// What a reader should look at first: each alert when it should be there, and not before.
import { createMemory } from '@memlayer/core'
import { alertsOf, drawTerminal, momentOf, takeSnapshot, type Moment, type Snapshot } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-linux'
import { describe, expect, it } from 'vitest'
import { fresh, living, MiB } from './living.js'
import { openPage } from './open-page.js'

/** A snapshot in which nothing is wrong. */
function quiet(): Snapshot {
  const snapshot = takeSnapshot(living())
  return { ...snapshot, limits: { ...snapshot.limits, host: [], own: null }, mappings: null, holds: [], log: [] }
}

/** Four minutes in which Ready memory is what `ready` says, second by second. */
function moments(snapshot: Snapshot, ready: (second: number) => number): Moment[] {
  const moment = momentOf(snapshot)
  return Array.from({ length: 241 }, (_, i) => ({ ...moment, at: snapshot.at - (240 - i) * 1000, ready: ready(i) }))
}

const codes = (snapshot: Snapshot, history: readonly Moment[] = []): string[] =>
  alertsOf(snapshot, history).map(({ code }) => code)

describe.skipIf(process.platform !== 'linux')('an alert', () => {
  it('is there when its condition is, and not before', () => {
    const calm = quiet()
    expect(
      codes(
        calm,
        moments(calm, () => MiB),
      ),
    ).toEqual([])
    const limits = (used: number): Snapshot['limits'] => ({
      at: 0,
      own: { name: 'memory.limit', bytes: 100, used, of: 'layer', beyond: 'refuse' },
      host: [{ name: "the control group's memory.max", bytes: 100, used: used - 5 }],
    })
    expect(codes({ ...calm, limits: limits(94) })).toEqual([])
    expect(codes({ ...calm, limits: limits(95) })).toEqual(['near-limit', 'near-limit'])
    const mappings = { limit: 100, own: 1, at: 0 }
    expect(codes({ ...calm, mappings: { ...mappings, used: 79 } })).toEqual([])
    expect(codes({ ...calm, mappings: { ...mappings, used: 80 } })).toEqual(['near-mappings'])
    const entry = {
      op: 'sysMap',
      address: 0,
      size: 1,
      category: null,
      region: null,
      outcome: 'refused',
      answer: 'no',
    } as const
    expect(codes({ ...calm, log: [{ ...entry, at: calm.at - 299_000 }] })).toEqual(['refused'])
    expect(codes({ ...calm, log: [{ ...entry, at: calm.at - 301_000 }] })).toEqual([])
    expect(codes({ ...calm, regions: calm.regions.map((one) => ({ ...one, leaked: true })) })).toEqual(['leaked'])
    expect(codes({ ...calm, stats: { ...calm.stats, pinned: 4096 } })).toEqual(['pinned'])
    const hold = { kind: 'hold', region: 'a', offset: 0, length: 1, address: 1, made: '', worker: null } as const
    expect(codes({ ...calm, holds: [{ ...hold, age: 3_600_001 }] })).toEqual(['old-hold'])
    expect(codes({ ...calm, holds: [{ ...hold, age: 3_599_999 }] })).toEqual([])
  })

  it('is of growth only where memory has grown all the time, and by enough', () => {
    const calm = quiet()
    expect(
      codes(
        calm,
        moments(calm, (second) => MiB + second * 4096),
      ),
    ).toEqual(['growth'])
    // A cache that fills and empties, one that grew once, one that grows by little, and too short a history.
    expect(
      codes(
        calm,
        moments(calm, (second) => MiB * (1 + (second % 50))),
      ),
    ).toEqual([])
    expect(
      codes(
        calm,
        moments(calm, (second) => MiB * (second < 200 ? 1 : 2)),
      ),
    ).toEqual([])
    expect(
      codes(
        calm,
        moments(calm, (second) => 1000 * MiB + second * 4096),
      ),
    ).toEqual([])
    expect(codes(calm, moments(calm, (second) => MiB + second * 4096).slice(100))).toEqual([])
  })

  it('is of growth by category: one that grows while another shrinks, and the one that grows most first', () => {
    const calm = quiet()
    const history = (categories: (second: number) => Record<string, number>): Moment[] =>
      moments(calm, (second) => Object.values(categories(second)).reduce((sum, one) => sum + one, 0)).map(
        (moment, second) => ({
          ...moment,
          categories: categories(second),
        }),
      )
    const grown = (categories: (second: number) => Record<string, number>): (string | undefined)[] =>
      alertsOf(calm, history(categories))
        .filter(({ code }) => code === 'growth')
        .map(({ of, says }) => `${of}: ${says}`)
    expect(
      grown((second) => ({ sessions: MiB + second * 65536, files: 64 * MiB - second * 65536, rest: MiB })),
    ).toEqual(['sessions: Ready memory of sessions has grown for 3 minutes, by 11.3 MiB.'])
    expect(
      grown((second) => ({ a: MiB + second * 8192, b: MiB + second * 65536 })).map((says) => says?.slice(0, 2)),
    ).toEqual(['b:', 'a:'])
    // By less than a mebibyte, not all the time, and a name that every object has.
    expect(grown((second) => ({ a: 1000 + second * 4096, b: 64 * MiB }))).toEqual([])
    expect(grown((second) => ({ a: MiB * (1 + (second % 50)), b: 64 * MiB }))).toEqual([])
    expect(grown((second) => ({ toString: MiB + second * 65536 }))).toHaveLength(1)
  })

  it('stands above all else on the page and in the terminal, and goes when it is over', async (ctx) => {
    const memory = createMemory(createOS())
    // The limit counts every memory of the process.
    memory.limit = { bytes: 2 ** 40 }
    memory.limit = { bytes: (memory.limit?.used ?? 0) + MiB }
    const region = memory.reserve(MiB, { name: 'full' })
    region.commit(0, MiB)
    await using opened = await openPage(ctx, memory)
    const { tab, page } = opened
    const says = /100 % of memory\.limit, [\d.]+ MiB, are used\./
    const shown = page.locator('#alerts li[data-code="near-limit"]', { hasText: 'memory.limit' })
    expect(await shown.textContent()).toMatch(says)
    expect(await page.locator('#said').textContent()).toMatch(says)
    const text = drawTerminal(takeSnapshot(memory), 80, false).join('\n')
    expect(text).toMatch(/^! 100 % of memory\.limit, [\d.]+ MiB, are used\.$/m)
    memory.limit = { bytes: 2 ** 40 }
    await fresh(page)
    expect(await shown.count()).toBe(0)
    expect(tab.complaints).toEqual([])
    region.free()
  })
})
