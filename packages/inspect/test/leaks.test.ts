// Three leaks are found from the page alone: a cache that grows, regions that are dropped unfreed, and a hold that is
// never released. The README has the way.
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Memory } from '@memlayer/core'
import { drawTerminal, takeSnapshot } from '@memlayer/inspect'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { fresh, MiB } from './living.js'
import { untilLeaked } from './collecting.js'
import { openPage } from './open-page.js'

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

interface PhotoService {
  readonly memory: Memory
  readonly second: () => void
}

async function startPhotos(): Promise<PhotoService> {
  const file: string = './photo-service/service.mjs'
  const { startPhotoService } = (await import(file)) as { startPhotoService(): PhotoService }
  return startPhotoService()
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
  it('a cache that grows, sessions that were dropped, and a hold for ever, in a program of 500 lines', async (ctx) => {
    const { memory, second } = await startPhotos()
    for (let i = 0; i < 3; i++) second()
    await using opened = await openPage(ctx, memory)
    const { tab, page } = opened
    await page.setViewportSize({ width: 1280, height: 900 })
    for (let i = 0; i < 6; i++) {
      second()
      await fresh(page)
    }
    await untilLeaked(memory, 4)
    await fresh(page)
    mkdirSync(artefacts, { recursive: true })
    const picture = async (name: string, part: string): Promise<void> => {
      await page.locator(part).scrollIntoViewIfNeeded()
      await page.locator(`section:has(${part})`).screenshot({ path: join(artefacts, `${name}.png`) })
    }

    // 1. Places, which is sorted by growth: the first has grown since the page was opened, and nothing of it leaked.
    const cache = await firstRow(page, 'places')
    expect(cache['place']).toMatch(/^ThumbnailCache\.remember \(.*stores\.mjs:\d+:\d+\)$/)
    expect(Number(cache['growth'])).toBeGreaterThan(8 * MiB)
    expect(Number(cache['leaked'])).toBe(0)
    await page.locator('#places-filter').fill('PhotoIndex')
    expect(Number((await firstRow(page, 'places'))['growth'])).toBe(0)
    await page.locator('#places-filter').fill('')
    await picture('leak-1-growth', '#places')

    // 2. The flame graph of leaked bytes leads to the place whose regions were dropped.
    await page.locator('#places-measure').selectOption('leaked')
    const leaked = memory.leaks().reduce((sum, { size }) => sum + size, 0)
    await expect.poll(async () => (await flameLeaves(page)).length).toBe(1)
    const [[frame, bytes] = ['', 0]] = await flameLeaves(page)
    expect(frame).toMatch(/^Sessions\.openPad \(.*stores\.mjs:\d+:\d+\)/)
    expect(bytes).toBe(leaked)
    await picture('leak-2-dropped', '#places')
    await page.locator('#regions-filter').fill('leaked')
    expect(await page.locator('#shown').textContent()).toContain(`the search leaves ${memory.leaks().length}`)
    expect(await page.locator('#regions tbody td').nth(1).textContent()).toMatch(/^session \d+ of visitor \d+ leaked$/)

    // 3. The oldest hold is the first row of the holds: it is as old as the program.
    const hold = await firstRow(page, 'holds')
    expect([hold['region'], hold['kind'], Number(hold['length'])]).toEqual(['upload buffer', 'hold', MiB])
    expect(hold['made']).toMatch(/^Uploads\.sendPart \(.*stores\.mjs:\d+:\d+\)$/)
    expect(Number(hold['age'])).toBeGreaterThan(6000)
    await picture('leak-3-hold', '#holds')
    expect(tab.complaints).toEqual([])

    // The terminal says the same: the category that has most, how many leaked, and the hold with its place.
    const text = drawTerminal(takeSnapshot(memory), 120, false).join('\n')
    expect(text).toMatch(new RegExp(`^memlayer on linux.* ${memory.leaks().length} leaked$`, 'm'))
    expect(text).toMatch(/^thumbnails +\d+ MiB #+\nindex +16 MiB #+$/m)
    expect(text).toMatch(/^hold keeps 1 MiB at 0 bytes of upload buffer Ready for \d+ s: Uploads\.sendPart/m)
  })

  it('the changes since a snapshot was kept: by category, place and region, and by a search', async (ctx) => {
    const { memory, work } = await start()
    await using opened = await openPage(ctx, memory)
    const { tab, page } = opened
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
