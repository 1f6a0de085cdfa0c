// The page tells the truth when things go wrong: a leak, an address that another region gets, figures that are not
// known, and a process that dies.
import { readFileSync } from 'node:fs'
import { createMemory, type Memory } from '@memlayer/core'
import { inspect, momentOf, takeSnapshot, type Moment, type Snapshot } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-linux'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { colours, figure, fresh, living, MiB, palette } from './living.js'
import { untilLeaked } from './collecting.js'
import { browserOf, openPage } from './open-page.js'

/** Reserves a region, makes it resident, and drops it. */
function leakInto(memory: Memory): void {
  const region = memory.reserve(160 * MiB, { name: 'dropped', hugePages: 'off' })
  region.commit(0, 160 * MiB)
  region.write(0, new Uint8Array(16 * MiB).fill(1))
}

async function leaked(memory: Memory): Promise<void> {
  leakInto(memory)
  await untilLeaked(memory, 1)
}

/** The colour of each column of the chart's canvas, at the bottom of the plot. */
function bottomOf(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const canvas = document.querySelector('#chart canvas') as HTMLCanvasElement
    const { width, height } = canvas
    const copy = Object.assign(document.createElement('canvas'), { width, height })
    const context = copy.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D
    context.drawImage(canvas, 0, 0)
    const plot = document.querySelector('#chart .u-over') as HTMLElement
    const scale = width / canvas.clientWidth
    const [left, wide] = [plot.offsetLeft * scale, plot.clientWidth * scale]
    const y = Math.floor((plot.offsetTop + plot.clientHeight - 4) * scale)
    return Array.from({ length: 100 }, (_, i) => {
      const [r, g, b, a] = context.getImageData(Math.floor(left + ((i + 0.5) / 100) * wide), y, 1, 1).data
      return a === 255 ? `${r},${g},${b}` : 'nothing'
    })
  })
}

describe.skipIf(process.platform !== 'linux')('the page', () => {
  it('keeps a leaked region as a row, with its figures and the place where it was reserved', async (ctx) => {
    const memory = createMemory(createOS())
    await leaked(memory)
    await using opened = await openPage(ctx, memory)
    const { tab, page } = opened
    const row = page.locator('#regions tbody tr:not(.space)')
    expect(await row.count()).toBe(1)
    expect(await row.locator('td').first().textContent()).toBe('dropped leaked')
    expect(await row.locator('td').last().getAttribute('title')).toMatch(/leakInto.*page-truth\.test\.ts/)
    expect(await row.locator('[data-column="ready"]').getAttribute('data-value')).toBe(String(160 * MiB))
    expect(await row.locator('[data-column="resident"]').getAttribute('data-value')).toBe(String(16 * MiB))
    expect(await page.locator('#shown').textContent()).toMatch(
      /^1 region, of which 1 leaked with 160 MiB Ready: collected, and never freed; growth since \d/,
    )
    // Its pages can be looked at, and it goes when its parts are freed.
    await row.locator('button').first().click()
    await expect.poll(() => page.locator('#heat-says').getAttribute('data-resident')).toBe(String(16 * MiB))
    for (const { parts } of memory.leaks()) for (const [v, n] of parts) memory.sysFree(v, n, null)
    await fresh(page)
    expect(await row.count()).toBe(0)
    expect(tab.complaints).toEqual([])
  })

  it('does not go on under the old name when another region gets the address', async (ctx) => {
    const memory = createMemory(createOS())
    const first = memory.reserve(4 * MiB, { name: 'first' })
    first.commit(0, 4 * MiB)
    await using opened = await openPage(ctx, memory)
    const { page } = opened
    await page.locator('#regions button', { hasText: 'first' }).click()
    await expect.poll(() => page.locator('#heat-says').textContent()).toMatch(/^first: 0 bytes of 4 MiB resident/)
    const { address } = first
    first.free()
    const second = memory.reserve(4 * MiB, { name: 'second', address })
    expect(second.address).toBe(address)
    await fresh(page)
    await expect.poll(() => page.locator('#heat-says').textContent()).toBe('first: it has been freed.')
    expect(await page.locator('#regions tr.chosen').count()).toBe(0)
    second.free()
  })

  it('draws a gap where a figure is not known, and not 0', async (ctx) => {
    const snapshot = takeSnapshot(living())
    const known = { ...momentOf(snapshot), own: 300 * MiB, resident: 400 * MiB }
    const history = Array.from({ length: 60 }, (_, i): Moment => ({
      ...known,
      at: snapshot.at - (59 - i) * 1000,
      own: i < 30 ? null : known.own,
      ownAt: i < 30 ? null : snapshot.at,
      resident: i < 30 ? null : known.resident,
    }))
    await using opened = await openPage(ctx)
    const { tab, page } = opened
    const buffer = Buffer.from(JSON.stringify({ ...snapshot, history }))
    await page.locator('#open').setInputFiles({ name: 'gap.json', mimeType: 'application/json', buffer })
    await page.waitForFunction((at) => document.body.dataset['at'] === at, String(snapshot.at))
    const [layer = '', dim = ''] = await colours(page, ['--layer', '--dim'])
    const bottom = await bottomOf(page)
    expect(bottom.slice(53, 98)).toEqual(Array.from({ length: 45 }, () => layer))
    expect(bottom.slice(2, 48).filter((one) => one === layer)).toEqual([])
    // The sparkline of resident memory begins in the middle too.
    const spark = await palette(page, '[data-name="Resident"] canvas')
    expect(Object.keys(spark)).toContain(dim)
    expect(tab.complaints).toEqual([])
  })

  it('says of a figure that is old, or is not all of it, how old it is and how much it lacks', async (ctx) => {
    const taken = takeSnapshot(living())
    await using opened = await openPage(ctx)
    const { page } = opened
    const told = async (snapshot: Snapshot): Promise<string | null> => {
      const buffer = Buffer.from(JSON.stringify(snapshot))
      await page.locator('#open').setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer })
      await page.waitForFunction((at) => document.body.dataset['at'] === at, String(snapshot.at))
      return page.locator('[data-name="Ready"] .more').textContent()
    }
    const resident = { resident: 8 * MiB, huge: 0, at: taken.at, missing: 0 }
    expect(await told({ ...taken, at: taken.at + 1, resident })).toBe('8 MiB of it resident')
    const old = { ...resident, at: taken.at - 7000 }
    expect(await told({ ...taken, at: taken.at + 2, resident: old })).toBe('8 MiB of it resident, 7 seconds ago')
    const part = { ...resident, missing: 4 * MiB }
    expect(await told({ ...taken, at: taken.at + 3, resident: part })).toBe(
      'at least 8 MiB of it resident, 4 MiB not looked at yet',
    )
    const regions = taken.regions.map((region) => ({ ...region, residentAt: taken.at - 5000 }))
    await told({ ...taken, at: taken.at + 4, regions })
    expect(await page.locator('#regions [data-column="resident"]').first().textContent()).toBe('8 MiB, 5 seconds ago')
  })

  it('saves all that it has when the process has died, and tells of the death so that it is seen', async (ctx) => {
    const browser = await browserOf(ctx)
    const memory = living()
    const inspector = await inspect(memory)
    await using tab = await browser.open(inspector.url)
    const { page } = tab
    await fresh(page)
    await fresh(page)
    const ready = await figure(page, 'Ready')
    await inspector.close()
    const about = page.locator('#about')
    await expect.poll(() => about.textContent()).toMatch(/^The process does not answer\. What you see is of \d/)
    expect(await about.getAttribute('class')).toBe('bad')
    const [bad, card] = await colours(page, ['--bad', '--card'])
    const painted = await about.evaluate((element) => {
      const { color, backgroundColor } = getComputedStyle(element)
      return [color, backgroundColor].map((one) => one.replace(/^rgb\(|\)$|\s/g, ''))
    })
    expect(painted).toEqual([card, bad])
    const [saved] = await Promise.all([page.waitForEvent('download'), page.locator('#save').click()])
    const snapshot = JSON.parse(readFileSync(await saved.path(), 'utf8')) as Snapshot
    expect(snapshot.stats.total.ready).toBe(ready)
    expect(snapshot.history.length).toBeGreaterThan(1)
    expect(snapshot.regions.map(({ name }) => name).sort()).toEqual(['cache', 'index <b>'])
  })

  it('says in a sentence what each figure is, and how many operations the log lacks', async (ctx) => {
    await using opened = await openPage(ctx)
    const { memory, page } = opened
    const names = await page
      .locator('#now [data-name]')
      .evaluateAll((found) => found.map((one) => (one as HTMLElement).dataset['name']))
    expect(names.length).toBeGreaterThan(8)
    await page.locator('#meanings-details summary').click()
    // Limits have a figure only where there is one.
    expect(await page.locator('#meanings dt').allTextContents()).toEqual(expect.arrayContaining(names))
    for (const means of await page.locator('#meanings dd').allTextContents()) expect(means).toMatch(/^[A-Z].{20,}\.$/)
    const { calls } = memory.stats().total
    expect(calls).toBeGreaterThan(0)
    expect(await page.locator('#log-says').textContent()).toBe(
      `The last 0 since the inspector began, of ${calls} since the memory was made. Refused or failed: 0.`,
    )
  })

  it('says to which region pages belong that no category counts yet', async (ctx) => {
    const memory = createMemory(createOS())
    const region = memory.reserve(4 * MiB, { name: 'journal' })
    await using opened = await openPage(ctx, memory)
    const { page } = opened
    await page.locator('#strip').focus()
    await page.keyboard.press('ArrowRight')
    expect(await page.locator('#at').textContent()).toContain('Reserved, of journal,')
    region.free()
  })
})
