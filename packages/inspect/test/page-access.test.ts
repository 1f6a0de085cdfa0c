// The page with a keyboard and a screen reader: what it announces, when it is silent, and where Tab leads.
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { openPage } from './open-page.js'
import { fresh } from './living.js'

/** Changes within three seconds that a screen reader would announce. */
function mutations(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const seen: string[] = []
    const observer = new MutationObserver((list) => seen.push(...list.map(({ target }) => target.textContent ?? '')))
    const live = document.querySelectorAll('[role=status], [role=alert], [role=log], [aria-live]')
    for (const region of live) observer.observe(region, { childList: true, characterData: true, subtree: true })
    await new Promise((resolve) => setTimeout(resolve, 3000))
    return live.length === 0 ? ['no live region'] : seen
  })
}

describe.skipIf(process.platform !== 'linux')('the page, for a user who does not see it', () => {
  it('announces nothing while it follows the process, and announces what the user does', async (ctx) => {
    await using opened = await openPage(ctx)
    const { tab, page } = opened
    const before = await page.locator('body').getAttribute('data-at')
    expect(await mutations(page)).toEqual([])
    expect(await page.locator('body').getAttribute('data-at')).not.toBe(before)

    await page.locator('[data-key="sort-name"]').focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('#said').textContent()).toBe('Sorted by Name, ascending')
    expect(await page.locator('#regions tbody td:first-child button').allTextContents()).toEqual(['cache', 'index <b>'])
    expect(await page.locator('#regions th[aria-sort="ascending"]').textContent()).toBe('Name')
    await page.keyboard.press('Enter')
    await expect
      .poll(() => page.locator('#regions tbody td:first-child button').allTextContents())
      .toEqual(['index <b>', 'cache'])
    // The focus stays in place, also after the next snapshot.
    await fresh(page)
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-key'))).toBe('sort-name')
    await page.locator('#regions tbody td:first-child button').last().focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('#said').textContent()).toMatch(/^cache: 8 MiB of 64 MiB resident/)
    await page.locator('#pause').focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('#about').textContent()).toMatch(/^paused at /)
    expect(tab.complaints).toEqual([])
  })

  it('describes its parts by roles and names, and Tab leads through them', async (ctx) => {
    await using opened = await openPage(ctx)
    const { page } = opened
    const tree = await page.locator('body').ariaSnapshot()
    for (const part of [
      'heading "memlayer" [level=1]',
      'status: live',
      'button "Pause"',
      'slider "Address space"',
      'heading "Where resident memory is"',
      'region "Regions"',
      'columnheader "Size"',
      'button "cache"',
      'region "Operations"',
    ]) {
      expect(tree).toContain(part)
    }
    // Each drawing is a table as well.
    expect(tree.match(/As a table/g)).toHaveLength(2)
    const stops: string[] = []
    while (stops.at(-1) !== 'log-scroll' && stops.length < 100) {
      await page.keyboard.press('Tab')
      stops.push(
        await page.evaluate(
          () =>
            document.activeElement?.id ||
            (document.activeElement?.getAttribute('data-key') ?? document.activeElement?.tagName ?? ''),
        ),
      )
    }
    const named = stops.filter((stop) => !stop.startsWith('region-'))
    expect(named.slice(0, 14)).toEqual([
      'pause',
      'keep',
      'save',
      'trace',
      'open',
      'SUMMARY',
      'mapped',
      'strip',
      'explain-now',
      'SUMMARY',
      'chart',
      'TH',
      'SUMMARY',
      'SUMMARY',
    ])
    expect(named.slice(14, 20)).toEqual([
      'moments-from',
      'moments',
      'editor',
      'regions-filter',
      'regions-scroll',
      'sort-name',
    ])
    expect(stops.filter((stop) => stop.startsWith('region-'))).toHaveLength(1)
    expect(named.at(-1)).toBe('log-scroll')
  })
})
