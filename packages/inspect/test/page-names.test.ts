// Names that would spoil a page, selections and the focus under live redraw, and the keyboard in a long table.
import { createMemory, type Hold, type Memory } from '@memlayer/core'
import { drawTerminal, takeSnapshot } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-linux'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { colours, fresh, MiB, palette } from './living.js'
import { openPage } from './open-page.js'

const hostile = ['evil\u202Eexe.gpj', ' \u3164\t', 'x'.repeat(5000), 'שם 12', 'cache']

// A hold that is collected prints a warning.
const holds: Hold[] = []

function named(): Memory {
  const memory = createMemory(createOS())
  for (const [i, name] of hostile.entries()) {
    const region = memory.reserve((8 - i) * MiB, { name, hugePages: 'off' })
    region.commit(0, MiB)
    holds.push(region.hold(0, 4096))
  }
  return memory
}

const selected = (page: Page): Promise<string> => page.evaluate(() => String(getSelection()))

/** Selects all text of an element, as a double click and a drag do. */
async function select(page: Page, selector: string): Promise<string> {
  await page
    .locator(selector)
    .first()
    .evaluate((element) => getSelection()?.selectAllChildren(element))
  return selected(page)
}

describe.skipIf(process.platform !== 'linux')('names', () => {
  it('are isolated, shown and cut, and the figures beside them stay in view', async (ctx) => {
    const memory = named()
    await using opened = await openPage(ctx, memory)
    const { tab, page } = opened
    await page.setViewportSize({ width: 1280, height: 900 })
    const buttons = page.locator('#regions tbody td:first-child button')
    expect(await buttons.allTextContents()).toEqual([
      'evil\\u{202E}exe.gpj',
      '(blank)',
      `${'x'.repeat(59)}…`,
      '\u2068שם 12\u2069',
      'cache',
    ])
    expect(await page.locator('#regions tbody bdi').count()).toBeGreaterThan(4)
    // The whole name can be read, and every button can be hit.
    expect(await page.locator('#regions tbody td').nth(25).getAttribute('title')).toBe('x'.repeat(5000))
    for (const box of await buttons.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().width)))
      expect(box).toBeGreaterThan(20)
    const sizes = await page
      .locator('#regions tbody [data-column="size"]')
      .evaluateAll((all) => all.map((one) => [one.textContent, one.getBoundingClientRect().right <= window.innerWidth]))
    expect(sizes).toEqual([8, 7, 6, 5, 4].map((n) => [`${n} MiB`, true]))
    // What was turned round would read 'MiB 8 fo' here.
    await buttons.first().click()
    await expect
      .poll(() => page.locator('#heat-says').textContent())
      .toMatch(/^evil\\u\{202E\}exe\.gpj: 0 bytes of 8 MiB/)
    expect(await page.locator('#holds [data-column="region"]').first().textContent()).toBe('evil\\u{202E}exe.gpj')
    expect(await page.evaluate(() => document.body.textContent.includes('\u202E'))).toBe(false)
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
    expect(tab.complaints).toEqual([])
    const text = drawTerminal(takeSnapshot(memory), 80, false).join('\n')
    expect(text).toMatch(/^\(blank\) +7 MiB/m)
    for (const hold of holds.splice(0)) hold.release()
    for (const region of memory.regions()) region.free()
  })
})

describe.skipIf(process.platform !== 'linux')('under live redraw', () => {
  it('a selected address, figure or operation stays selected', async (ctx) => {
    await using opened = await openPage(ctx)
    const { memory, tab, page } = opened
    const region = memory.regions()[0]
    for (const selector of ['#regions [data-column="address"]', '#figures [data-name="Peak"]', '#explain dt']) {
      const before = await select(page, selector)
      expect(before.length).toBeGreaterThan(2)
      await fresh(page)
      await fresh(page)
      expect([selector, await selected(page)]).toEqual([selector, before])
    }
    // New operations come in above, and the selected one stays what it is.
    region?.unused(0, MiB)
    await fresh(page)
    const operation = await select(page, '#log tbody tr:not(.space)')
    expect(operation).toContain('sysUnused')
    for (let i = 0; i < 5; i++) region?.used(0, MiB)
    await fresh(page)
    expect(await page.locator('#log tbody tr:not(.space)').first().textContent()).toContain('sysUsed')
    expect(await selected(page)).toBe(operation)
    expect(tab.complaints).toEqual([])
  })
})

describe.skipIf(process.platform !== 'linux')('the chart', () => {
  it('keeps its zoom under live redraw, and by keys shows any part and all of it', async (ctx) => {
    await using opened = await openPage(ctx)
    const { tab, page } = opened
    await page.setViewportSize({ width: 1280, height: 2400 })
    for (let i = 0; i < 6; i++) await fresh(page)
    const box = await page.locator('#chart .u-over').boundingBox()
    if (box === null) throw new Error('the chart has no box')
    const view = (): Promise<string> => page.locator('#chart').getAttribute('data-view').then(String)
    expect(await view()).toBe('all')
    await page.mouse.move(box.x + 0.2 * box.width, box.y + 50)
    await page.mouse.down()
    await page.mouse.move(box.x + 0.6 * box.width, box.y + 60, { steps: 4 })
    await page.mouse.up()
    const zoomed = await view()
    expect(zoomed).toMatch(/^[\d.]+ to [\d.]+$/)
    await fresh(page)
    await fresh(page)
    expect(await view()).toBe(zoomed)
    // Also in other colours.
    await page.emulateMedia({ colorScheme: 'dark' })
    await fresh(page)
    expect(await view()).toBe(zoomed)
    await page.locator('#chart').focus()
    await page.keyboard.press('Home')
    expect(await view()).toBe('all')
    await page.keyboard.press('+')
    const [from = 0, to = 0] = (await view()).split(' to ').map(Number)
    await page.keyboard.press('ArrowLeft')
    const [start = 0, end = 0] = (await view()).split(' to ').map(Number)
    expect(start).toBeLessThan(from)
    expect(end - start).toBeCloseTo(to - from, 3)
    await page.keyboard.press('-')
    await page.keyboard.press('-')
    expect(await view()).toBe('all')
    expect(tab.complaints).toEqual([])
  })

  it('has a legend that is one stop of Tab, whose series are switched by keys and stay so', async (ctx) => {
    await using opened = await openPage(ctx)
    const { tab, page } = opened
    await fresh(page)
    const [heap = ''] = await colours(page, ['--jsHeap'])
    expect((await palette(page, '#chart canvas'))[heap] ?? 0).toBeGreaterThan(50)
    await page.locator('#chart').focus()
    await page.keyboard.press('Tab')
    const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? '')
    expect(await focused()).toBe('the rest')
    for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight')
    expect(await focused()).toBe('JS heap')
    await page.keyboard.press('Enter')
    await fresh(page)
    expect((await palette(page, '#chart canvas'))[heap] ?? 0).toBe(0)
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-pressed'))).toBe('false')
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.closest('.u-legend'))).toBe(null)
    await page.emulateMedia({ colorScheme: 'dark' })
    await fresh(page)
    const [dark = ''] = await colours(page, ['--jsHeap'])
    expect((await palette(page, '#chart canvas'))[dark] ?? 0).toBe(0)
    expect(tab.complaints).toEqual([])
  })
})

describe.skipIf(process.platform !== 'linux')('a table of 5,000 regions', () => {
  it('is one stop of Tab, and arrows, pages, Home and End lead through it', async (ctx) => {
    const memory = createMemory(createOS())
    const { pageSize } = memory.os.traits
    for (let i = 0; i < 5000; i++) memory.reserve((5001 - i) * pageSize, { name: `region ${i}` })
    await using opened = await openPage(ctx, memory)
    const { tab, page } = opened
    const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? '')
    await page.locator('[data-key="sort-made"]').focus()
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('region 0')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    expect(await focused()).toBe('region 2')
    await page.keyboard.press('End')
    expect(await focused()).toBe('region 4999')
    await page.keyboard.press('ArrowUp')
    expect(await focused()).toBe('region 4998')
    const inSight = await page.evaluate(() => {
      const [row, table] = [document.activeElement, document.querySelector('#regions-scroll')]
      const [a, b] = [row?.getBoundingClientRect(), table?.getBoundingClientRect()]
      return a !== undefined && b !== undefined && a.top >= b.top && a.bottom <= b.bottom
    })
    expect(inSight).toBe(true)
    // Also after the next snapshots, and in another order.
    await fresh(page)
    await fresh(page)
    expect(await focused()).toBe('region 4998')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('#heat-says').textContent()).toMatch(/^region 4998: /)
    await page.keyboard.press('PageUp')
    expect(Number((await focused()).split(' ')[1])).toBeLessThan(4995)
    await page.keyboard.press('Home')
    expect(await focused()).toBe('region 0')
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.closest('#regions'))).toBe(null)
    expect(tab.complaints).toEqual([])
    for (const region of memory.regions()) region.free()
  })
})
