// The page as people see it: axe finds no violation in any view and any colours, nothing is wider than a small or a
// zoomed window, and pictures of each are taken to be looked at.
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import axe from 'axe-core'
import { type Inspector } from '@memlayer/inspect'
import { isLong } from '@memlayer/witness'
import type { Page } from 'playwright-core'
import { describe, expect, it, type TestContext } from 'vitest'
import { fresh, living, MiB } from './living.js'
import { browserOf, openPage } from './open-page.js'

const artefacts = process.env['MEMLAYER_SCREENSHOTS'] ?? join(tmpdir(), 'memlayer-screenshots')

/** What axe finds, in words. */
async function violations(page: Page): Promise<string[]> {
  // The page's policy allows no other script in it, and evaluate is none.
  await page.evaluate(axe.source)
  const found = await page.evaluate(async () => {
    const { run } = (globalThis as unknown as { axe: typeof axe }).axe
    return (await run(document, { resultTypes: ['violations'] })).violations
  })
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary = '' }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary}`),
  )
}

/** Opens every part, chooses a region, keeps a moment, and goes back to an earlier one. */
async function openAll(page: Page): Promise<void> {
  for (const id of ['meanings-details', 'explain-details', 'chart-details', 'tree-details'])
    await page.locator(`#${id} summary`).click()
  await page.locator('#regions td:first-child button', { hasText: 'cache' }).first().click()
  await page.locator('#keep').click()
  await page.locator('#explain-now').click()
  await fresh(page)
}

async function scrubbed(page: Page): Promise<void> {
  await page.locator('#moments').focus()
  await page.keyboard.press('Home')
  await page.waitForFunction(() => document.body.dataset['moment'] === document.body.dataset['shows'])
}

const media = [
  { name: 'light', colorScheme: 'light', forcedColors: 'none' },
  { name: 'dark', colorScheme: 'dark', forcedColors: 'none' },
  { name: 'forced', colorScheme: 'light', forcedColors: 'active' },
  { name: 'forced-dark', colorScheme: 'dark', forcedColors: 'active' },
] as const

interface Looking {
  readonly page: Page
  readonly inspector: Inspector
}

/** Opens a page over a memory of which something was refused, is held, and has changed. */
async function over(ctx: TestContext, look: (looking: Looking) => Promise<void>): Promise<void> {
  mkdirSync(artefacts, { recursive: true })
  const memory = living()
  await using opened = await openPage(ctx, memory, { warnings: false })
  const { inspector, page } = opened
  await page.setViewportSize({ width: 1280, height: 2400 })
  const [cache] = memory.regions().toSorted((a, b) => b.size - a.size)
  using hold = cache?.hold(0, MiB)
  expect(hold).toBeDefined()
  expect(() => memory.reserve(2 ** 52, { name: 'too much' })).toThrow()
  await fresh(page)
  await look({ page, inspector })
}

describe.skipIf(process.platform !== 'linux')('axe finds nothing wrong with the page', () => {
  for (const { name, ...colours } of media) {
    // A long run looks at all of them.
    it.skipIf(name !== 'light' && name !== 'forced' && !isLong)(
      `in ${name} colours: live, with all open, at an earlier moment, and when the process has died`,
      async (ctx) => {
        await over(ctx, async ({ page, inspector }) => {
          await page.emulateMedia(colours)
          expect(await violations(page)).toEqual([])
          await openAll(page)
          expect(await violations(page)).toEqual([])
          await page.screenshot({ path: join(artefacts, `page-${name}.png`), fullPage: true })
          await scrubbed(page)
          expect(await violations(page)).toEqual([])
          await inspector.close()
          // The page asks once a second.
          await page.waitForSelector('#about.bad')
          expect(await violations(page)).toEqual([])
        })
      },
    )
  }

  it('as a file on a disk, before a snapshot is opened', async (ctx) => {
    const browser = await browserOf(ctx)
    await using tab = await browser.open(pathToFileURL(join(import.meta.dirname, '../dist/page.html')).href)
    expect(await violations(tab.page)).toEqual([])
  })
})

const windows = [
  { name: '390', width: 390, height: 844 },
  { name: '2560', width: 2560, height: 1440 },
  // What a window of 1280 pixels has at 200 %.
  { name: '200-percent', width: 640, height: 512 },
] as const

describe.skipIf(process.platform !== 'linux')('the page', () => {
  for (const { name, width, height } of windows) {
    it(`fits a window of ${name}: nothing beside it, no text cut, and all controls can be hit`, async (ctx) => {
      await over(ctx, async ({ page }) => {
        await page.setViewportSize({ width, height })
        await openAll(page)
        await page.screenshot({ path: join(artefacts, `page-${name}.png`), fullPage: true })
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
        // What is in a part that scrolls by itself may be beside it.
        const outside = await page
          .locator('button:visible, input:visible, select:visible, summary:visible, a:visible')
          .evaluateAll((all) =>
            all
              .filter((one) => one.closest('.scroll') === null)
              .map((one) => ({ id: one.id || one.textContent, box: one.getBoundingClientRect() }))
              .filter(({ box }) => box.left < 0 || box.right > window.innerWidth || box.height < 20)
              .map(({ id, box }) => `${id} ${box.left} ${box.right} ${box.height}`),
          )
        expect(outside.filter((one) => !one.startsWith('open '))).toEqual([])
      })
    })
  }

  it.skipIf(!isLong)('is taken as people see it who do not tell some colours apart', async (ctx) => {
    await over(ctx, async ({ page }) => {
      await openAll(page)
      const session = await page.context().newCDPSession(page)
      const plain = await page.locator('#bar').screenshot()
      for (const type of ['protanopia', 'deuteranopia', 'tritanopia'] as const) {
        await session.send('Emulation.setEmulatedVisionDeficiency', { type })
        await page.screenshot({ path: join(artefacts, `page-${type}.png`), fullPage: true })
        expect((await page.locator('#bar').screenshot()).equals(plain)).toBe(false)
      }
    })
  })
})
