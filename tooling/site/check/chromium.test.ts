// Opens the built site in Chromium, light and dark: nothing comes from outside, the keyboard reaches the search, and a
// screen reader finds its way. The pictures are in temp/screenshots, to be looked at.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openBrowser, type ChromiumTab } from '@memlayer/browser'
import { siteFolder } from '@memlayer/site/folders'
import { serve } from '@memlayer/site/serve'
import axe from 'axe-core'
import { describe, expect, it, type TestContext } from 'vitest'
import { addressOf } from './built-site.ts'

const pictures = process.env['MEMLAYER_SCREENSHOTS'] ?? join(siteFolder, '..', 'screenshots')
mkdirSync(pictures, { recursive: true })

interface Opened {
  readonly page: ChromiumTab['page']
  readonly tab: ChromiumTab
  /** The addresses that were asked for since it was opened. */
  readonly requests: readonly string[]
  /** The bytes that came, packed as they were. */
  bytes(): Promise<number>
}

/** Opens a page of the site, and calls `use` with it. */
async function open(
  context: TestContext,
  path: string,
  use: (opened: Opened) => Promise<void>,
  colorScheme: 'light' | 'dark' = 'light',
): Promise<void> {
  await using site = await serve(siteFolder, 0)
  await using browser = await openBrowser(context)
  await using tab = await browser.open('about:blank')
  const { page } = tab
  const requests: string[] = []
  const sizes: Promise<number>[] = []
  page.on('request', (request) => requests.push(request.url()))
  page.on('requestfinished', (request) => {
    sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize))
  })
  await page.emulateMedia({ colorScheme })
  await page.goto(addressOf(site.origin, path))
  await page.waitForLoadState('networkidle')
  const bytes = async (): Promise<number> => (await Promise.all(sizes)).reduce((a, b) => a + b, 0)
  await use({ page, tab, requests, bytes })
  expect(tab.complaints).toEqual([])
  expect(requests.filter((url) => !url.startsWith(site.origin) && !url.startsWith('data:'))).toEqual([])
}

/** In the page: the texts whose contrast with what is behind them is below 4.5 to 1, which WCAG asks for. */
function faintTexts(): string[] {
  const parse = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number)
  const light = (color: readonly number[]): number => {
    const [r = 0, g = 0, b = 0] = color.map((c) =>
      c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
    )
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element: Element | null): number[] => {
    if (element === null) return [255, 255, 255]
    const [r = 0, g = 0, b = 0, a = 1] = parse(getComputedStyle(element).backgroundColor)
    if (a === 1) return [r, g, b]
    return behind(element.parentElement).map((below, i) => below * (1 - a) + ([r, g, b][i] ?? 0) * a)
  }
  const found = new Set<string>()
  for (const element of document.querySelectorAll('main *, .VPNav *, .VPSidebar *')) {
    const text = [...element.childNodes].find((node) => node.nodeType === 3 && (node.textContent ?? '').trim() !== '')
    if (text === undefined || element.getClientRects().length === 0) continue
    const back = behind(element)
    const [r = 0, g = 0, b = 0, a = 1] = parse(getComputedStyle(element).color)
    const [one, two] = [light([r, g, b].map((c, i) => c * a + (back[i] ?? 0) * (1 - a))), light(back)]
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05)
    if (ratio < 4.5)
      found.add(
        `${element.tagName}.${element.className}: ${ratio.toFixed(1)}: ${(text.textContent ?? '').trim().slice(0, 30)}`,
      )
  }
  return [...found]
}

/** What axe finds on a page, in words. */
async function violations(page: Opened['page']): Promise<string[]> {
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const { run } = (globalThis as unknown as { axe: typeof axe }).axe
    const found = await run()
    return found.violations.flatMap(({ id, help, nodes }) =>
      nodes.slice(0, 3).map(({ target }) => `${id}: ${help}: ${target.join(' ')}`),
    )
  })
}

describe('the site in Chromium', () => {
  it.for([
    ['home', ''],
    ['choosing', 'guide/choosing.html'],
    ['recipe', 'recipes/growing-column.html'],
    ['backend', 'packages/os-linux.html'],
    ['reference', 'reference/core.html'],
  ] as const)('shows %s light and dark, without a request to another host', async ([name, path], context) => {
    await open(context, path, async ({ page, bytes }) => {
      expect(await bytes()).toBeLessThan(300_000)
      const background = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor')
      const seen: string[] = []
      const faint: string[] = []
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        await page.waitForTimeout(300)
        seen.push(await background())
        faint.push(...(await page.evaluate(faintTexts)))
        for (const [size, width] of Object.entries({ wide: 1280, narrow: 390 })) {
          await page.setViewportSize({ width, height: 900 })
          await page.screenshot({ path: join(pictures, `${name}-${colorScheme}-${size}.png`) })
          // Tables and code scroll by themselves.
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
        }
      }
      expect(faint).toEqual([])
      expect(seen[0]).toBe('rgb(255, 255, 255)')
      expect(seen[1]).toMatch(/^rgb\((?:[0-4]?\d, ){2}[0-4]?\d\)$/)
    })
  })

  it('has a look at contrast that finds a faint text', async (context) => {
    await open(context, 'guide/choosing.html', async ({ page }) => {
      await page.addStyleTag({ content: 'main h1 { color: #999 !important } main h2 { color: #fff !important }' })
      await page.waitForTimeout(300)
      const faint = await page.evaluate(faintTexts)
      expect(faint).toContainEqual(expect.stringMatching(/^H1.*: 2\.[78]: Choosing$/))
      expect(faint).toContainEqual(expect.stringMatching(/^H2.*: 1\.0: /))
    })
  })

  it.for(['', 'guide/choosing.html', 'recipes/vector-index.html', 'packages/os-windows.html', 'reference/heap.html'])(
    'has nothing on page %j that axe finds',
    async (path, context) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await open(
          context,
          path,
          async ({ page }) => {
            expect(await violations(page)).toEqual([])
          },
          colorScheme,
        )
      }
    },
  )

  it('shows one of the two pictures of the inspector, and fetches no other', async (context) => {
    const look = async ({ page, requests }: Opened): Promise<void> => {
      const picture = page.locator('img.in-dark')
      await picture.scrollIntoViewIfNeeded()
      await page.waitForLoadState('networkidle')
      await expect.poll(() => picture.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(500)
      expect(requests.filter((url) => /page-light.*\.png$/.test(url))).toEqual([])
    }
    await open(context, '', look, 'dark')
  })

  it('lets the keyboard alone skip to the content, search, and open what was found', async (context) => {
    await open(context, 'guide/choosing.html', async ({ page }) => {
      const focused = (): Promise<string> =>
        page.evaluate('(document.activeElement?.textContent ?? "").trim().replace(/\\s+/g, " ")')
      const names: string[] = []
      for (let i = 0; i < 12; i++) {
        await page.keyboard.press('Tab')
        names.push(await focused())
      }
      expect(names[0]).toBe('Skip to content')
      expect(names).toEqual(expect.arrayContaining([expect.stringMatching(/^Search/), 'Guide', 'Reference', 'GitHub']))
      await page.keyboard.press('Control+k')
      await page.locator('.VPLocalSearchBox input').waitFor()
      await page.keyboard.type('GrowableBuffer', { delay: 10 })
      await page.locator('.VPLocalSearchBox .result').first().waitFor()
      await page.screenshot({ path: join(pictures, 'search.png') })
      await page.keyboard.press('Enter')
      await page.waitForURL(/GrowableBuffer|growable/i)
    })
  })

  it('moves the focus by the skip link', async (context) => {
    await open(context, 'guide/choosing.html', async ({ page }) => {
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      expect(await page.evaluate('document.activeElement?.id')).toBe('VPContent')
    })
  })

  it('tells a screen reader of landmarks, headings and names', async (context) => {
    await open(context, 'guide/choosing.html', async ({ page }) => {
      const tree = await page.locator('body').ariaSnapshot()
      for (const part of [
        '- banner:',
        '- main:',
        '- navigation "Main Navigation":',
        '- navigation "Sidebar Navigation":',
      ])
        expect(tree).toContain(part)
      expect(tree).toMatch(/- heading "Choosing.*" \[level=1\]/)
      expect(tree).toMatch(/- heading "What each costs.*" \[level=2\]/)
      expect(tree).toMatch(/- button "Search"/)
      // No link and no button without a name.
      expect(tree).not.toMatch(/^\s*- (?:link|button)(?::|$)/m)
    })
  })
})
