// Three leaks are found from the page alone: a cache that grows, regions that are dropped unfreed, and a hold that is
// never released. The README has the way.
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openBrowser } from '@memlayer/browser'
import type { Memory } from '@memlayer/core'
import { drawTerminal, inspect, takeSnapshot } from '@memlayer/inspect'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { fresh, MiB } from './living.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const artefacts = process.env['MEMLAYER_SCREENSHOTS'] ?? join(tmpdir(), 'memlayer-screenshots')

interface Leaky {
  readonly memory: Memory
  readonly work: () => void
}

async function start(): Promise<Leaky> {
  const file: string = './leaky.mjs'
  const { startLeaky } = (await import(file)) as { startLeaky(): Leaky }
  return startLeaky()
}

async function collected(memory: Memory): Promise<void> {
  await expect
    .poll(async () => {
      collect()
      await after(20)
      return memory.leaks().length
    })
    .toBeGreaterThanOrEqual(8)
}

/** The first row of a table: its cells by their columns, and the place. */
async function firstRow(page: Page, table: string): Promise<Record<string, string>> {
  const row = page.locator(`#${table} tbody tr:not(.space)`).first()
  const cells = await row
    .locator('[data-column]')
    .evaluateAll((all) =>
      all.map((one) => [(one as HTMLElement).dataset['column'], (one as HTMLElement).dataset['value']]),
    )
  return {
    ...(Object.fromEntries(cells) as Record<string, string>),
    place: (await row.getAttribute('data-place')) ?? '',
  }
}

/** The frames of the flame graph that have no calls: where memory was reserved, with its bytes. */
function flameLeaves(page: Page): Promise<[string, number][]> {
  return page
    .locator('#flame .flame')
    .evaluateAll((all) =>
      all
        .filter((one) => one.querySelector('.flame') === null)
        .map((one): [string, number] => [
          one.querySelector('.frame')?.textContent ?? '',
          Number((one as HTMLElement).dataset['bytes']),
        ]),
    )
}

describe.skipIf(process.platform !== 'linux')('from the page alone one finds', () => {
  it('a cache that grows, sessions that were dropped, and a hold for ever', async (ctx) => {
    await using browser = await openBrowser(ctx)
    const { memory, work } = await start()
    await using inspector = await inspect(memory)
    await using tab = await browser.open(inspector.url)
    const { page } = tab
    await page.setViewportSize({ width: 1280, height: 3000 })
    await fresh(page)
    for (let second = 0; second < 3; second++) {
      work()
      await fresh(page)
    }
    await collected(memory)
    await fresh(page)
    mkdirSync(artefacts, { recursive: true })

    // 1. Places, which is sorted by growth: the first has grown since the page was opened, and nothing of it leaked.
    const cache = await firstRow(page, 'places')
    expect(cache['place']).toMatch(/^ThumbnailCache\.remember \(.*leaky\.mjs:\d+:\d+\)$/)
    expect([Number(cache['growth']), Number(cache['count'])]).toEqual([12 * MiB, 12])
    expect(await page.locator('#places tbody tr:not(.space) td').last().count()).toBe(1)
    await page.locator('#places-filter').fill('buildIndex')
    expect(Number((await firstRow(page, 'places'))['growth'])).toBe(0)
    await page.locator('#places-filter').fill('')
    await page.screenshot({ path: join(artefacts, 'leak-1-growth.png') })

    // 2. The flame graph of leaked bytes leads to the place whose regions were dropped.
    await page.locator('#places-measure').selectOption('leaked')
    const leaked = memory.leaks().reduce((sum, { size }) => sum + size, 0)
    await expect.poll(async () => (await flameLeaves(page)).length).toBe(1)
    const [[frame, bytes] = ['', 0]] = await flameLeaves(page)
    expect(frame).toMatch(/^openSession \(.*leaky\.mjs:\d+:\d+\)/)
    expect(bytes).toBe(leaked)
    await page.locator('#regions-filter').fill('leaked')
    expect(await page.locator('#shown').textContent()).toContain(`the search leaves ${memory.leaks().length}`)
    expect(await page.locator('#regions tbody td').nth(1).textContent()).toMatch(/^session \d+ leaked$/)
    await page.screenshot({ path: join(artefacts, 'leak-2-dropped.png') })

    // 3. The oldest hold is the first row of the holds.
    const hold = await firstRow(page, 'holds')
    expect([hold['region'], hold['kind'], Number(hold['length'])]).toEqual(['upload', 'hold', MiB])
    expect(hold['made']).toMatch(/startUpload/)
    expect(Number(hold['age'])).toBeGreaterThan(2000)
    await page.screenshot({ path: join(artefacts, 'leak-3-hold.png') })
    expect(tab.complaints).toEqual([])

    // The terminal says the same: how many leaked, which, and the hold.
    const text = drawTerminal(takeSnapshot(memory), 120, false).join('\n')
    expect(text).toMatch(new RegExp(`^memlayer on linux.* ${memory.leaks().length} leaked$`, 'm'))
    expect(text).toMatch(/^hold keeps 1 MiB at 0 bytes of upload Ready for \d+ s: startUpload/m)
  })

  it('the changes since a snapshot was kept: by category, place and region, and by a search', async (ctx) => {
    await using browser = await openBrowser(ctx)
    const { memory, work } = await start()
    await using inspector = await inspect(memory)
    await using tab = await browser.open(inspector.url)
    const { page } = tab
    await fresh(page)
    work()
    await fresh(page)
    await page.locator('#keep').click()
    work()
    await fresh(page)
    const rows = (): Promise<string[][]> =>
      page
        .locator('#compare tbody tr')
        .evaluateAll((all) =>
          all.map((row) => [
            row.querySelector('th')?.textContent ?? '',
            row.querySelectorAll<HTMLElement>('td')[2]?.dataset['value'] ?? '',
          ]),
        )
    expect(await rows()).toContainEqual(['thumbnails', String(4 * MiB)])
    await page.locator('#compare-by').selectOption('place')
    const places = await rows()
    expect(places[0]).toEqual(['all of it', String(6 * MiB)])
    expect(
      places.some(([name, ready]) => /ThumbnailCache\.remember/.test(name ?? '') && ready === String(4 * MiB)),
    ).toBe(true)
    // The index and the upload have not changed.
    expect(places.some(([name]) => /buildIndex|startUpload/.test(name ?? ''))).toBe(false)
    await page.locator('#compare-by').selectOption('region')
    await page.locator('#compare-filter').fill('thumbnail new')
    const regions = await rows()
    expect(regions.slice(1)).toHaveLength(4)
    expect(
      regions.slice(1).every(([name, ready]) => /^thumbnail \d+, new$/.test(name ?? '') && ready === String(MiB)),
    ).toBe(true)
    // A frame of the flame graph shows its calls alone, and the first row leads back.
    const all = Number(await page.locator('#flame > .flame').getAttribute('data-bytes'))
    await page.locator('#flame .frame', { hasText: 'buildIndex' }).click()
    expect(await page.locator('#flame > .flame').getAttribute('data-bytes')).toBe(String(48 * MiB))
    for (let i = 0; i < 12 && (await page.locator('#flame > .flame').getAttribute('data-bytes')) !== String(all); i++)
      await page.locator('#flame > .flame > .frame').click()
    expect(await page.locator('#flame > .flame').getAttribute('data-bytes')).toBe(String(all))
    await page.locator('#log-filter').fill('sysmap')
    expect(new Set(await page.locator('#log tbody tr:not(.space) td:nth-child(2)').allTextContents())).toEqual(
      new Set(['sysMap']),
    )
    await page.locator('#holds-filter').fill('nothing of this name')
    expect(await page.locator('#holds tbody tr:not(.space)').count()).toBe(0)
    expect(tab.complaints).toEqual([])
  })
})
