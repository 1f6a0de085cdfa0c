// The page for eyes and screens that can't tell its colours apart: forced colours, and three kinds of colour blindness.
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { colours, fresh, palette } from './living.js'
import { openPage } from './open-page.js'

const artefacts = process.env['MEMLAYER_SCREENSHOTS'] ?? join(tmpdir(), 'memlayer-screenshots')

/** What is drawn as a background: its colour and its pattern. */
function backgrounds(page: Page, selector: string, before = ''): Promise<string[]> {
  return page.locator(selector).evaluateAll(
    (all, pseudo) =>
      all.map((one) => {
        const { backgroundColor, backgroundImage } = getComputedStyle(one, pseudo === '' ? undefined : pseudo)
        return `${backgroundColor} ${backgroundImage}`
      }),
    before,
  )
}

const patterns = async (page: Page, selector: string, before = ''): Promise<string[]> =>
  (await backgrounds(page, selector, before)).map((one) => one.replace(/^rgba?\([^)]*\) /, ''))

describe.skipIf(process.platform !== 'linux')('the page', () => {
  it('keeps bars, swatches and drawings where the system forces its colours', async (ctx) => {
    await using opened = await openPage(ctx)
    const { tab, page } = opened
    await page.setViewportSize({ width: 1280, height: 2400 })
    const [bar, keys, swatches] = [
      await backgrounds(page, '#bar div'),
      await backgrounds(page, '.key', '::before'),
      await backgrounds(page, '#explain dt', '::before'),
    ]
    await page.emulateMedia({ forcedColors: 'active' })
    await fresh(page)
    expect(await page.evaluate(() => matchMedia('(forced-colors: active)').matches)).toBe(true)
    expect(await backgrounds(page, '.key', '::before')).toEqual(keys)
    expect(await backgrounds(page, '#explain dt', '::before')).toEqual(swatches)
    expect((await backgrounds(page, '#bar div')).length).toBe(bar.length)
    for (const one of await backgrounds(page, '#bar div')) expect(bar).toContain(one)
    const [reserved = '', ready = ''] = await colours(page, ['--s1', '--s3'])
    const [strip, lanes] = [await palette(page, '#strip'), await palette(page, '#lanes')]
    expect(strip[reserved]).toBeGreaterThan(1000)
    expect(lanes[ready]).toBeGreaterThan(500)
    // What is on or off still differs from what is not.
    await page.locator('#mapped').click()
    const [on, off] = [await backgrounds(page, '#mapped'), await backgrounds(page, '#keep')]
    expect(on).not.toEqual(off)
    mkdirSync(artefacts, { recursive: true })
    await page.screenshot({ path: join(artefacts, 'page-forced-colours.png') })
    expect(tab.complaints).toEqual([])
  })

  it('has a pattern of its own beside each colour of a part and of a state', async (ctx) => {
    await using opened = await openPage(ctx)
    const { tab, page } = opened
    await page.setViewportSize({ width: 1280, height: 2400 })
    await fresh(page)
    const parts = await patterns(page, '#explain div:not(.all) dt', '::before')
    expect(parts.length).toBe(11)
    expect(new Set(parts).size).toBe(11)
    // Reserved, Prepared, Ready, resident. Huge pages are an outline.
    const states = (await patterns(page, '.key', '::before')).slice(0, 4)
    expect(new Set(states).size).toBe(4)
    const areas = (await patterns(page, '.u-legend .u-series .u-marker')).slice(0, 6)
    expect(new Set(areas).size).toBeGreaterThanOrEqual(5)
    // The drawings have the marks too: a colour that is neither of the two that it is mixed of.
    const [prepared = '', heap = ''] = await colours(page, ['--s2', '--jsHeap'])
    const darker = (rgb: string, all: Record<string, number>): number =>
      Object.entries(all).reduce((sum, [one, count]) => {
        const [a, b] = [rgb, one].map((text) => text.split(',').map(Number))
        const shares = (a ?? []).map((n, i) => (b?.[i] ?? 0) / Math.max(1, n))
        const isShade = Math.max(...shares) < 0.95 && Math.max(...shares) - Math.min(...shares) < 0.06
        return sum + (isShade ? count : 0)
      }, 0)
    expect(darker(prepared, await palette(page, '#strip'))).toBeGreaterThan(200)
    expect(darker(heap, await palette(page, '#chart canvas'))).toBeGreaterThan(20)
    mkdirSync(artefacts, { recursive: true })
    const session = await page.context().newCDPSession(page)
    for (const type of ['deuteranopia', 'protanopia', 'tritanopia', 'achromatopsia'] as const) {
      await session.send('Emulation.setEmulatedVisionDeficiency', { type })
      await page.screenshot({ path: join(artefacts, `page-${type}.png`) })
    }
    expect(tab.complaints).toEqual([])
  })
})
