// The page in Chromium, over a process that lives: what it says is what the memory says.
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openBrowser } from '@memlayer/browser'
import { createMemory, type Memory } from '@memlayer/core'
import { inspect, takeSnapshot, type Snapshot } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-linux'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const artefacts = join(tmpdir(), 'memlayer-screenshots')

function living(): Memory {
  const memory = createMemory(createOS())
  const cache = memory.reserve(64 * MiB, { name: 'cache' })
  cache.map(0, 32 * MiB)
  cache.used(0, 16 * MiB)
  cache.view(Uint8Array, 0, 8 * MiB).fill(1)
  memory.reserve(16 * MiB, { name: 'index <b>' }).commit(0, 4 * MiB)
  kept.push(...memory.regions())
  return memory
}
const kept: unknown[] = []

const figure = async (page: Page, name: string): Promise<number> => Number(await page.locator(`[data-name="${name}"]`).getAttribute('data-value'))

/** Waits for a snapshot that was taken from now on. */
const fresh = async (page: Page): Promise<void> => {
  const now = Date.now()
  await page.waitForFunction((at) => Number(document.body.dataset['at'] ?? 0) >= at, now)
}

describe.skipIf(process.platform !== 'linux')('the page', () => {
  it('shows the figures of stats(), every view of them, a page, a comparison, and opens what it saved', async (ctx) => {
    await using browser = await openBrowser(ctx)
    const memory = living()
    await using inspector = await inspect(memory)
    await using tab = await browser.open(inspector.url)
    const { page } = tab
    await page.setViewportSize({ width: 1280, height: 1500 })
    await fresh(page)
    const { total } = memory.stats()
    expect([await figure(page, 'Reserved'), await figure(page, 'Prepared'), await figure(page, 'Ready')]).toEqual([total.reserved, total.prepared, total.ready])
    expect([await figure(page, 'Held'), await figure(page, 'Operations')]).toEqual([total.held, total.calls])
    expect(page.url()).toBe(`${inspector.origin}/`)

    // Names stay text.
    expect(await page.locator('#regions tbody tr').count()).toBe(2)
    expect(await page.locator('#regions button', { hasText: 'index <b>' }).count()).toBe(1)
    await page.locator('#regions button', { hasText: 'cache' }).first().click()
    await page.waitForFunction(() => document.querySelector<HTMLElement>('#heat-says')?.dataset['resident'] !== undefined)
    expect(await page.locator('#heat-says').getAttribute('data-resident')).toBe(String(8 * MiB))
    await page.locator('[data-key="sort-name"]').click()
    expect(await page.locator('#regions tbody tr button').first().textContent()).toBe('index <b>')

    // By keyboard, down to single pages.
    await page.locator('#strip').focus()
    for (let i = 0; i < 12; i++) await page.keyboard.press('+')
    expect(Number(await page.locator('#at').getAttribute('data-view'))).toBe(16 * 4096)
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Home')
    expect(Number(await page.locator('#at').getAttribute('data-view'))).toBe(total.reserved + total.prepared + total.ready)

    await page.locator('#keep').click()
    memory.regions()[0]?.used(16 * MiB, 4 * MiB)
    await fresh(page)
    const change = page.locator('#compare tr[data-category="cache"] td')
    expect(await change.nth(2).getAttribute('data-value')).toBe(String(4 * MiB))

    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#save').click()])
    const saved = await download.path()
    memory.regions()[0]?.unused(0, 4 * MiB)
    await page.locator('#open').setInputFiles(saved)
    await page.waitForFunction(() => document.querySelector('#about')?.textContent?.includes('stands still'))
    expect(await figure(page, 'Ready')).toBe(24 * MiB)
    expect(await figure(page, 'All resident')).toBeGreaterThan(0)
    mkdirSync(artefacts, { recursive: true })
    await page.screenshot({ path: join(artefacts, 'page-light.png') })
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.screenshot({ path: join(artefacts, 'page-dark.png') })
    const [trace] = await Promise.all([page.waitForEvent('download'), page.locator('#trace').click()])
    expect(trace.suggestedFilename()).toBe('memlayer-trace.json')
    // Under its policy nothing else runs, and nothing was stopped that should.
    expect(tab.complaints).toEqual([])
  })

  it('shows 100,000 ranges with no task over 50 ms while it is zoomed', async (ctx) => {
    await using browser = await openBrowser(ctx)
    await using inspector = await inspect(living())
    await using tab = await browser.open(inspector.url)
    const { page } = tab
    await fresh(page)
    const snapshot = takeSnapshot(living())
    const ranges = Array.from({ length: 100_000 }, (_, i) => [i * 8192, 4096, 1 + (i % 3), i % 2]).flat()
    const regions = Array.from({ length: 10_000 }, (_, i) => ({ name: `r${i}`, address: i * 81_920, size: 40_960, category: `c${i % 9}`, made: '' }))
    const file = join(tmpdir(), `memlayer-many-${process.pid}.json`)
    writeFileSync(file, JSON.stringify({ ...snapshot, ranges, regions } satisfies Snapshot))
    await page.locator('#open').setInputFiles(file)
    await page.waitForFunction(() => document.querySelector('#about')?.textContent?.includes('100000 ranges'))
    await page.locator('#strip').focus()
    await page.evaluate(() => {
      const tasks: number[] = []
      Object.assign(window, { tasks })
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' })
    })
    for (const key of ['+', '+', '+', '+', 'ArrowRight', 'ArrowRight', '-', 'Home', '+']) await page.keyboard.press(key)
    await page.waitForTimeout(300)
    expect(await page.evaluate(() => (window as unknown as { tasks: number[] }).tasks)).toEqual([])
    expect(tab.complaints).toEqual([])
  })
})
