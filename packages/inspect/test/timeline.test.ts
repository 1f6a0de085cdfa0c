// The regions of the past: what a timeline says of each moment is what was there, also after older steps were joined,
// and for a page that takes it in part by part.
import { createMemory, type Memory, type Region } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { takeSnapshot } from '@memlayer/inspect'
import { finish, sumRegions } from '../src/region-sums.js'
import { Snapshots } from '../src/take-snapshot.js'
import { Timeline, type PastRegion } from '../src/timeline.js'
import { fresh, MiB } from './living.js'
import { untilLeaked } from './collecting.js'
import { openPage } from './open-page.js'

/** A random number generator, so that a failure can be replayed. */
function randomOf(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed / 2 ** 32
  }
}

const briefly = (regions: readonly PastRegion[]): string[] =>
  regions
    .map(({ id, name, reserved, prepared, ready, resident, leaked, stack }) =>
      [id, name, reserved, prepared, ready, resident, leaked, stack].join(' '),
    )
    .sort()

/** A timeline of random lives, and what was there at each moment. */
function random(seed: number, steps: number, most: number): { timeline: Timeline; truth: Map<number, string[]> } {
  const next = randomOf(seed)
  const timeline = new Timeline(most)
  const truth = new Map<number, string[]>()
  const living = new Map<number, number[]>()
  let id = 1
  for (let at = 1; at <= steps; at++) {
    for (let n = Math.floor(3 * next()); n > 0; n--) living.set(id, [id++, 100, 0, 0, -1, 0])
    // What a category has outside of regions comes and goes under one number.
    if (next() < 0.3) living.delete(-1)
    else living.set(-1, [-1, Math.floor(3 * next()), 0, 0, -1, 0])
    for (const one of living.values()) if (next() < 0.3) one[3] = Math.floor(100 * next())
    for (const one of living.values()) if (next() < 0.1) one[4] = Math.floor(100 * next())
    for (const [key, one] of living) if (key > 0 && next() < 0.1) one[5] = 1
    for (const key of [...living.keys()]) if (key > 0 && next() < 0.1) living.delete(key)
    timeline.add(at, [...living.values()].flat(), (of) => ({
      id: of,
      name: `r${of}`,
      address: of,
      size: 100,
      category: 'c',
      stack: `place ${of % 3}`,
    }))
    truth.set(
      at,
      [...living.values()]
        .map(([of = 0, reserved, prepared, ready, resident = -1, leaked]) =>
          [
            of,
            `r${of}`,
            reserved,
            prepared,
            ready,
            resident < 0 ? null : resident,
            leaked === 1,
            `place ${of % 3}`,
          ].join(' '),
        )
        .sort(),
    )
  }
  return { timeline, truth }
}

function expectTrue(timeline: Timeline, truth: ReadonlyMap<number, string[]>, seed: number): void {
  for (const at of timeline.times)
    expect([seed, at, briefly(finish(timeline.regionsAt(at)))]).toEqual([seed, at, truth.get(at)])
}

describe('a timeline', () => {
  it('says of each moment what was there, and of each in between what was there before', () => {
    const { timeline, truth } = random(1, 200, 1e6)
    expect(timeline.times).toHaveLength(200)
    expectTrue(timeline, truth, 1)
    expect(briefly(finish(timeline.regionsAt(77.5)))).toEqual(truth.get(77))
    expect(briefly(finish(timeline.regionsAt(-1)))).toEqual(truth.get(1))
  })

  it('is bounded: older moments are joined, the others stay true, and its regions go with them', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const { timeline, truth } = random(seed, 400, 300)
      const { times } = timeline
      expect(times.length).toBeGreaterThan(3)
      expect(times.length).toBeLessThan(200)
      expect(times.at(-1)).toBe(400)
      expectTrue(timeline, truth, seed)
      const { regions, steps } = timeline.data()
      expect(steps.reduce((sum, { changed, gone }) => sum + changed.length / 6 + gone.length, 0)).toBeLessThanOrEqual(
        300,
      )
      expect(regions.length).toBeLessThanOrEqual(300)
    }
  })

  it('goes to a page part by part, while both of them join what is older', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const next = randomOf(seed)
      const { timeline: all, truth } = random(seed, 300, 1e6)
      const source = new Timeline(200)
      const copy = new Timeline(150)
      const data = all.data()
      for (const step of data.steps) {
        source.take({ ...data, steps: [step] })
        if (next() < 0.9) continue
        for (let more = true; more;) {
          const part = JSON.parse(JSON.stringify(source.part(copy.last))) as ReturnType<typeof source.part>
          copy.take(part)
          more = part.more
        }
        expect(copy.last).toBe(source.last)
        expect(briefly(finish(copy.regionsAt(copy.last)))).toEqual(truth.get(copy.last))
      }
      expectTrue(copy, truth, seed)
    }
  })

  it('keeps the order of moments where the clock is set back', () => {
    const timeline = new Timeline()
    for (const at of [10, 10, 3])
      timeline.add(at, [], () => ({ id: 0, name: '', address: 0, size: 0, category: '', stack: '' }))
    expect(timeline.times).toEqual(timeline.times.toSorted((a, b) => a - b))
    expect(new Set(timeline.times).size).toBe(3)
  })
})

describe.skipIf(process.platform !== 'linux')('a moment of a memory', () => {
  it('has each region and what is outside of them, and sums to the account', () => {
    const memory = createMemory(createOS())
    const outer = memory.reserve(16 * MiB, { name: 'outer', hugePages: 'off' })
    outer.commit(0, 4 * MiB)
    outer.free(8 * MiB, 4 * MiB)
    const inner = memory.reserve(2 * MiB, { name: 'inner', address: outer.address + 9 * MiB, hugePages: 'off' })
    inner.commit(0, MiB)
    const raw = memory.sysAlloc(3 * MiB, memory.stat('raw'))
    const snapshots = new Snapshots(memory)
    const timeline = new Timeline()
    snapshots.figures()
    snapshots.tell(timeline, 1)
    const found = finish(timeline.regionsAt(1))
    const of = (name: string, category = name): number[] => {
      const one = found.find((region) => region.name === name && region.category === category)
      return [one?.reserved ?? NaN, one?.prepared ?? NaN, one?.ready ?? NaN]
    }
    // The hole of the one is the other's.
    expect(of('outer')).toEqual([8 * MiB, 0, 4 * MiB])
    expect(of('inner')).toEqual([inner.size - MiB, 0, MiB])
    expect(of('in no region', 'raw')).toEqual([0, 0, memory.stats().categories['raw']?.ready])
    const { reserved, prepared, ready } = memory.stats().total
    const sum = (key: 'reserved' | 'prepared' | 'ready'): number => found.reduce((all, one) => all + one[key], 0)
    expect([sum('reserved'), sum('prepared'), sum('ready')]).toEqual([reserved, prepared, ready])
    memory.sysFree(raw, 3 * MiB, memory.stat('raw'))
    // The page sums the ranges of a snapshot by region, and has the same.
    const taken = takeSnapshot(memory)
    const sums = finish(sumRegions(taken))
    for (const [i, { name }] of taken.regions.entries())
      expect([name, sums.reserved[i], sums.prepared[i], sums.ready[i]]).toEqual([name, ...of(name)])
    for (const region of [inner, outer]) region.free()
  })

  it('does not keep a region from being collected', async () => {
    const memory = createMemory(createOS())
    const snapshots = new Snapshots(memory)
    const timeline = new Timeline()
    const reserve = (): void => memory.reserve(MiB, { name: 'dropped' }).commit(0, MiB)
    reserve()
    snapshots.figures()
    snapshots.tell(timeline, 1)
    await untilLeaked(memory, 1)
    snapshots.figures()
    snapshots.tell(timeline, 2)
    expect([1, 2].map((at) => finish(timeline.regionsAt(at))[0]?.leaked)).toEqual([false, true])
  })
})

/** Rows of a table: the first cell, and the columns by their names. */
function rows(page: Page, table: string): Promise<[string, Record<string, number>][]> {
  return page
    .locator(`#${table} tbody tr:not(.space)`)
    .evaluateAll((all) =>
      all.map((row): [string, Record<string, number>] => [
        row.querySelector('td, th')?.textContent ?? '',
        Object.fromEntries(
          Array.from(row.querySelectorAll<HTMLElement>('[data-value]'), ({ dataset }, i): [string, number] => [
            dataset['column'] ?? String(i),
            Number(dataset['value']),
          ]),
        ),
      ]),
    )
}

/** Moves the slider of moments to a share of its length, and waits until the views show it. */
async function scrub(page: Page, place: 'first' | 'last' | number): Promise<void> {
  const slider = page.locator('#moments')
  await slider.focus()
  if (place === 'first') await page.keyboard.press('Home')
  else if (place === 'last') await page.keyboard.press('End')
  else for (let i = 0; i < place; i++) await page.keyboard.press('ArrowRight')
  await page.waitForFunction(() => document.body.dataset['moment'] === document.body.dataset['shows'])
}

interface Lived {
  readonly memory: Memory
  readonly kept: Region[]
}

/** Reserves `name`, with so many MiB Ready, and waits until the page has a moment of it. */
async function live(page: Page, { memory, kept }: Lived, name: string, size: number): Promise<void> {
  const region = memory.reserve(16 * MiB, { name, hugePages: 'off' })
  region.commit(0, size * MiB)
  kept.push(region)
  await fresh(page)
  await fresh(page)
}

describe.skipIf(process.platform !== 'linux')('the page', () => {
  it('shows the regions of any moment, and what has changed between any two', async (ctx) => {
    const lived: Lived = { memory: createMemory(createOS()), kept: [] }
    await using opened = await openPage(ctx, lived.memory)
    const { tab, page } = opened
    await live(page, lived, 'first', 1)
    await live(page, lived, 'second', 2)
    lived.kept[0]?.free()
    lived.kept[1]?.commit(2 * MiB, 4 * MiB)
    await live(page, lived, 'third', 3)

    // Now: the second has grown since the page was opened, when it was not there.
    const names = async (): Promise<string[]> => (await rows(page, 'regions')).map(([name]) => name).sort()
    expect(await names()).toEqual(['second', 'third'])
    const grown = Object.fromEntries((await rows(page, 'regions')).map(([name, cells]) => [name, cells['growth']]))
    expect(grown).toEqual({ second: 6 * MiB, third: 3 * MiB })

    // The first moment that has the first region alone. The page follows the process meanwhile.
    await scrub(page, 'first')
    for (let i = 0; i < 20 && (await names()).join() !== 'first'; i++) await scrub(page, 1)
    expect(await rows(page, 'regions')).toMatchObject([['first', { ready: MiB, reserved: 15 * MiB }]])
    expect(await page.locator('#moments').getAttribute('aria-valuetext')).toMatch(/\d:\d\d/)
    expect((await rows(page, 'places')).map(([, { ready }]) => ready)).toEqual([MiB])
    expect(await page.locator('#tree-says').getAttribute('data-value')).toBe(String(MiB))
    expect(await page.locator('#h-regions').getAttribute('data-moment')).toMatch(/^, at /)
    await fresh(page)
    expect(await names()).toEqual(['first'])

    // From there to a moment in the middle, and on to now.
    await page.locator('#moments-from').click()
    await page.locator('#compare-by').selectOption('region')
    for (let i = 0; i < 20 && (await names()).join() !== 'first,second'; i++) await scrub(page, 1)
    expect((await rows(page, 'compare')).map(([name, cells]) => [name, cells['2']])).toEqual([
      ['all of it', 2 * MiB],
      ['second, new', 2 * MiB],
    ])
    await page.locator('#moments-now').click()
    await page.waitForFunction(() => document.body.dataset['moment'] === '' && document.body.dataset['shows'] === '')
    expect((await rows(page, 'compare')).map(([name, cells]) => [name, cells['2']])).toEqual([
      ['all of it', 8 * MiB],
      // What has changed most, Reserved bytes too, comes first.
      ['first, freed', -MiB],
      ['third, new', 3 * MiB],
      ['second, new', 6 * MiB],
    ])
    await page.locator('#compare-by').selectOption('state')
    expect((await rows(page, 'compare')).slice(0, 3)).toEqual([
      ['Reserved', { 0: 15 * MiB, 1: 23 * MiB, 2: 8 * MiB, 3: 3 }],
      ['Prepared', { 0: 0, 1: 0, 2: 0, 3: 0 }],
      ['Ready', { 0: MiB, 1: 9 * MiB, 2: 8 * MiB, 3: 3 }],
    ])
    expect(await page.locator('#compare-says').textContent()).toMatch(/^From .* to .*, \d+\.\d seconds later:$/)

    // A file has the moments too.
    const [saved] = await Promise.all([page.waitForEvent('download'), page.locator('#save').click()])
    await page.locator('#open').setInputFiles(await saved.path())
    await expect.poll(() => page.locator('#about').textContent()).toMatch(/^showing/)
    await scrub(page, 'first')
    for (let i = 0; i < 20 && (await names()).join() !== 'first'; i++) await scrub(page, 1)
    expect(await names()).toEqual(['first'])
    expect(tab.complaints).toEqual([])
    for (const region of lived.kept.slice(1)) region.free()
  })

  it('shows the moment of the chart that is clicked', async (ctx) => {
    const lived: Lived = { memory: createMemory(createOS()), kept: [] }
    await using opened = await openPage(ctx, lived.memory)
    const { tab, page } = opened
    await live(page, lived, 'first', 1)
    await live(page, lived, 'second', 2)
    const box = await page.locator('#chart .u-over').boundingBox()
    await page.locator('#chart .u-over').click({ position: { x: 2, y: (box?.height ?? 0) / 2 } })
    await page.waitForFunction(
      () =>
        document.body.dataset['moment'] !== '' && document.body.dataset['moment'] === document.body.dataset['shows'],
    )
    expect((await rows(page, 'regions')).map(([name]) => name)).not.toContain('second')
    expect(tab.complaints).toEqual([])
    for (const region of lived.kept) region.free()
  })
})
