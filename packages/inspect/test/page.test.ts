// The page in Chromium over a live process: its figures are the memory's figures, and its drawings are there.
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser } from '@memlayer/browser'
import type { Memory } from '@memlayer/core'
import type { Page } from 'playwright-core'
import { describe, expect, it, type TestContext } from 'vitest'
import { colours, figure, fresh, living, MiB, palette, pixels } from './living.js'
import { openPage } from './open-page.js'

const artefacts = process.env['MEMLAYER_SCREENSHOTS'] ?? join(tmpdir(), 'memlayer-screenshots')

/** Opens a page over a live memory, while `look` runs. */
async function over(
  ctx: TestContext,
  look: (page: Page, memory: Memory, browser: Browser) => Promise<void>,
  memory = living(),
): Promise<void> {
  await using opened = await openPage(ctx, memory)
  const { browser, inspector, tab, page } = opened
  await page.setViewportSize({ width: 1280, height: 2400 })
  await fresh(page)
  expect(page.url()).toMatch(new RegExp(`^${inspector.origin}/[\\w-]{32}/$`))
  await look(page, memory, browser)
  // The page's policy stopped nothing that should run.
  expect(tab.complaints).toEqual([])
}

describe.skipIf(process.platform !== 'linux')('the page', () => {
  it('shows the figures of stats(), of regions() and of every category', async (ctx) => {
    await over(ctx, async (page, memory) => {
      const { total, categories } = memory.stats()
      const shown = await Promise.all(
        ['Reserved', 'Prepared', 'Ready', 'Held', 'Peak', 'Operations', 'Refused'].map((name) => figure(page, name)),
      )
      expect(shown).toEqual([
        total.reserved,
        total.prepared,
        total.ready,
        total.held,
        total.peak,
        total.calls,
        total.refusals,
      ])
      expect(await figure(page, 'Mappings')).toBeGreaterThan(0)

      const cells = await page.locator('#regions tbody tr:not(.space)').evaluateAll((rows) =>
        rows.map((row) => {
          const numbers = Array.from(
            row.querySelectorAll<HTMLElement>('[data-column]'),
            ({ dataset }): [string, number] => [dataset['column'] ?? '', Number(dataset['value'])],
          )
          return {
            name: row.querySelector('button')?.textContent,
            ...(Object.fromEntries(numbers) as Record<string, number>),
          }
        }),
      )
      const { pageSize } = memory.os.traits
      const [cache, index] = memory.regions().toSorted((a, b) => b.size - a.size)
      // Names stay text. A Ready page inside Reserved ones costs three more mappings.
      expect(cells).toEqual([
        {
          name: 'cache',
          address: cache?.address,
          size: 64 * MiB,
          reserved: 32 * MiB,
          prepared: 16 * MiB,
          ready: 16 * MiB,
          growth: 0,
          resident: 8 * MiB,
          huge: 0,
          mappings: 2,
        },
        {
          name: 'index <b>',
          address: index?.address,
          size: index?.size,
          reserved: (index?.size ?? 0) - 4 * MiB - pageSize,
          prepared: 0,
          ready: 4 * MiB + pageSize,
          growth: 0,
          resident: 0,
          huge: 0,
          mappings: 4,
        },
      ])

      await page.locator('#tree-details summary').click()
      await page.waitForSelector('#tree-table tr.whole')
      const tree = await page.locator('#tree-table tr.whole').allTextContents()
      expect(tree).toHaveLength(Object.keys(categories).length)
      const leaves = await page
        .locator('#tree-table tr.nested [data-value]')
        .evaluateAll((found) => found.map((one) => Number((one as HTMLElement).dataset['value'])))
      expect(leaves.reduce((sum, n) => sum + n, 0)).toBe(total.ready)
      await page.locator('#explain-details summary').click()
      await page.waitForSelector('#explain-table tbody tr')
      expect(await page.locator('#explain-table tbody tr').first().textContent()).toBe('cacheReady8 MiB16 MiB')
      expect(await figure(page, 'This memory')).toBe(8 * MiB)
      await page.locator('#chart-details summary').click()
      await page.waitForSelector('#chart-table tbody tr')
      expect(await page.locator('#chart-table tbody tr').first().textContent()).toMatch(/MiB/)
    })
  })

  it('draws the strip exactly: each range in its colour, and a single page as a line of its own', async (ctx) => {
    await over(ctx, async (page, memory) => {
      const [, ...states] = ['', ...(await colours(page, ['--s1', '--s2', '--ready']))]
      const ranges = memory.ranges()
      const all = ranges.reduce((sum, { size }) => sum + size, 0)
      let at = 0
      const places = ranges.map(({ size }) => {
        const place = [(at + size / 2) / all, 0.995] as const
        at += size
        return place
      })
      const expected = ranges.map(({ state }) => states[['Reserved', 'Prepared', 'Ready'].indexOf(state)])
      expect(await without(page, '#strip', places, expected)).toEqual(expected)
      // The column with the single page is mostly Reserved, and shows that.
      const single = ranges.findIndex(({ size }) => size === memory.os.traits.pageSize)
      const above = [[places[single]?.[0] ?? 0, 0.7]] as const
      expect(await without(page, '#strip', above, [states[0]])).toEqual([states[0]])
    })
  })

  it('draws lanes, pages, the treemap and the chart', async (ctx) => {
    await over(ctx, async (page, memory) => {
      const [reserved, prepared, ready, pale] = await colours(page, ['--s1', '--s2', '--s3', '--ready'])
      await page.locator('#regions button', { hasText: 'cache' }).first().click()
      await page.waitForFunction(
        () => document.querySelector<HTMLElement>('#heat-says')?.dataset['resident'] !== undefined,
      )
      expect(await page.locator('#heat-says').getAttribute('data-resident')).toBe(String(8 * MiB))
      // Half of the cache's Ready memory is resident.
      const lane = memory
        .regions()
        .toSorted((a, b) => a.address - b.address)
        .findIndex(({ name }) => name === 'cache')
      const width = await page.locator('#lanes').evaluate((canvas) => canvas.clientWidth)
      const at = (share: number): readonly [number, number] => [
        (132 + share * (width - 132 - 176)) / width,
        (lane + 0.5) / 2,
      ]
      const places = [at(4 / 64), at(12 / 64), at(24 / 64), at(48 / 64)]
      const [resident, untouched, ...others] = await without(page, '#lanes', places, [ready, pale, prepared, reserved])
      expect([resident, ...others]).toEqual([ready, prepared, reserved])
      // As the key says.
      expect(untouched).toBe(pale)
      // The bytes of a cell are the page size times a power of two.
      const unit = Number(await page.locator('#heat-says').getAttribute('data-unit'))
      expect(Math.log2(unit / memory.os.traits.pageSize) % 1).toBe(0)
      const heat = await palette(page, '#heat')
      const side = Number(await page.locator('#heat-says').getAttribute('data-side')) - 1
      expect(heat[ready ?? '']).toBe(((8 * MiB) / unit) * side * side)
      expect(Object.keys(await palette(page, '#tree')).length).toBeGreaterThan(2)
      const [layer = '', rest = ''] = await colours(page, ['--layer', '--rest'])
      await fresh(page)
      const chart = await palette(page, '#chart canvas')
      expect([chart[layer] ?? 0, chart[rest] ?? 0].every((count) => count > 50)).toBe(true)
    })
  })

  it('zooms and pans by keys, wheel and drag, down to single pages', async (ctx) => {
    await over(ctx, async (page, memory) => {
      const said = async (key: string): Promise<number> => Number(await page.locator('#at').getAttribute(`data-${key}`))
      const { total } = memory.stats()
      const strip = page.locator('#strip')
      await strip.focus()
      for (let i = 0; i < 14; i++) await page.keyboard.press('+')
      expect(await said('view')).toBe(16 * 4096)
      const before = await said('page')
      await page.keyboard.press('ArrowRight')
      expect(await said('page')).toBe(before + 4096)
      expect(await strip.getAttribute('aria-valuetext')).toContain(`0x${(before + 4096).toString(16)}: page `)
      await page.keyboard.press('ArrowLeft')
      expect(await said('page')).toBe(before)
      await page.keyboard.press('Home')
      expect(await said('view')).toBe(total.reserved + total.prepared + total.ready)

      await page.locator('#mapped').click()
      await page.waitForFunction(() => document.querySelector('#mapped')?.getAttribute('aria-pressed') === 'true')
      await fresh(page)
      await strip.focus()
      await page.keyboard.press('Home')
      expect(await said('view')).toBe(total.prepared + total.ready)
      const [reserved = ''] = await colours(page, ['--s1'])
      expect(Object.keys(await palette(page, '#strip'))).not.toContain(reserved)
      await page.locator('#mapped').click()
      await fresh(page)
      await strip.focus()
      await page.keyboard.press('Home')
      expect(await said('view')).toBe(total.reserved + total.prepared + total.ready)

      const box = (await strip.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
      await page.mouse.move(box.x + box.width / 2, box.y + 20)
      for (let i = 0; i < 4; i++) await page.mouse.wheel(0, -100)
      await expect.poll(() => said('view')).toBeCloseTo(0.8 ** 4 * 80 * MiB, -3)
      const under = await said('page')
      await page.mouse.down()
      await page.mouse.move(box.x + box.width / 2 - 200, box.y + 20, { steps: 4 })
      await page.mouse.up()
      // The page under the pointer moved along with it.
      expect(Math.abs((await said('page')) - under)).toBeLessThanOrEqual((2 * 80 * MiB) / box.width)
      expect(await strip.getAttribute('aria-valuenow')).not.toBe('0')
    })
  })

  it('chooses a region on a click in its lane, frames it on two, and zooms there on the wheel', async (ctx) => {
    await over(ctx, async (page, memory) => {
      const regions = memory.regions().toSorted((a, b) => a.address - b.address)
      const lane = regions.findIndex(({ name }) => name === 'cache')
      const view = async (): Promise<number> => Number(await page.locator('#at').getAttribute('data-view'))
      const position = { x: 400, y: 32 * lane + 16 }
      await page.locator('#lanes').click({ position })
      await expect.poll(() => page.locator('#heat-says').textContent()).toMatch(/^cache: 8 MiB of 64 MiB resident/)
      await page.locator('#lanes').dblclick({ position })
      expect(await view()).toBe(64 * MiB)
      // Now the page shows only the lane of this region.
      const box = (await page.locator('#lanes').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
      await page.mouse.move(box.x + 132 + (box.width - 132 - 176) / 4, box.y + 16)
      for (let i = 0; i < 8; i++) await page.mouse.wheel(0, -100)
      await expect.poll(view).toBeLessThan(0.2 * 64 * MiB)
      // The wheel turned over a quarter of the cache, and the heat map shows the pages there.
      const address = Number(await page.locator('#at').getAttribute('data-page'))
      expect(Math.abs(address - (regions[lane]?.address ?? 0) - 16 * MiB)).toBeLessThan(MiB)
      await expect
        .poll(() => page.locator('#heat-says').textContent())
        .toMatch(/^cache: .* from 0x[0-9a-f]+ on, of 64 MiB resident/)
    })
  })

  it("says the kernel's answer to a refused request", async (ctx) => {
    const memory = living()
    await over(
      ctx,
      async (page) => {
        expect(() => memory.reserve(2 ** 50, { name: 'too much' })).toThrow(/reserve/i)
        await fresh(page)
        expect(await page.locator('#log tr.bad').first().textContent()).toMatch(
          /sysReserve.*1\.00 PiB|sysReserve.*1 PiB/,
        )
        expect(await page.locator('#log tr.bad td').last().textContent()).toBe('mmap answered ENOMEM')
        expect(await figure(page, 'Refused')).toBe(memory.stats().total.refusals)
      },
      memory,
    )
  })

  it('compares two snapshots, and goes on after every region was freed', async (ctx) => {
    await over(ctx, async (page, memory) => {
      await page.locator('#keep').click()
      const cache = memory.regions().find(({ name }) => name === 'cache')
      cache?.used(16 * MiB, 4 * MiB)
      await fresh(page)
      expect(await page.locator('#compare tr[data-category="cache"] td').nth(2).getAttribute('data-value')).toBe(
        String(4 * MiB),
      )
      await page.locator('#regions button', { hasText: 'cache' }).first().click()
      await page.locator('#strip').focus()
      await page.keyboard.press('+')
      for (const region of memory.regions()) region.free()
      await fresh(page)
      await page.keyboard.press('Home')
      expect(await page.locator('#at').textContent()).toBe('Nothing is owned.')
      await expect.poll(() => page.locator('#heat-says').textContent()).toBe('cache: it has been freed.')
      expect(await palette(page, '#strip')).toEqual({})
      memory.reserve(4 * MiB, { name: 'next' })
      await fresh(page)
      await page.keyboard.press('Home')
      expect(await page.locator('#at').getAttribute('data-view')).toBe(String(4 * MiB))
      expect(await page.locator('#at').textContent()).toContain('Reserved')
      for (const region of memory.regions()) region.free()
    })
  })

  it('draws itself again when the system turns dark, with enough contrast', async (ctx) => {
    await over(ctx, async (page) => {
      mkdirSync(artefacts, { recursive: true })
      await page.screenshot({ path: join(artefacts, 'page-light.png') })
      const light = await pixels(page, '#strip', [[0.5, 0.9]])
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.waitForTimeout(100)
      const [ink = '', card = ''] = await colours(page, ['--ink', '--card'])
      expect(contrast(ink, card)).toBeGreaterThan(7)
      // Only the chart's labels have the ink's colour. The strip has other colours than before.
      expect((await palette(page, '#chart canvas'))[ink] ?? 0).toBeGreaterThan(20)
      expect(await pixels(page, '#strip', [[0.5, 0.9]])).not.toEqual(light)
      await page.screenshot({ path: join(artefacts, 'page-dark.png') })
      await page.setViewportSize({ width: 700, height: 1200 })
      await page.waitForTimeout(300)
      const [host, drawn] = await page.evaluate(
        () =>
          [
            document.querySelector('#chart')?.clientWidth ?? 0,
            document.querySelector('#chart canvas')?.clientWidth ?? 0,
          ] as const,
      )
      expect(drawn).toBe(host)
    })
  })
})

/** Pixels at places, or beside them where a mark of a pattern hides the colour that is `expected`. */
async function without(
  page: Page,
  canvas: string,
  places: readonly (readonly [x: number, y: number])[],
  expected: readonly (string | undefined)[],
): Promise<(string | undefined)[]> {
  const rows = [0, 0.04, 0.08, 0.1]
  const found = await pixels(
    page,
    canvas,
    rows.flatMap((up) => places.map(([x, y]) => [x, y - up / 2] as const)),
  )
  return expected.map((one, i) => {
    const here = rows.map((_, row) => found[row * places.length + i])
    return here.includes(one) ? one : here[0]
  })
}

/** The contrast ratio that WCAG defines. */
function contrast(a: string, b: string): number {
  const light = (colour: string): number => {
    const [r = 0, g = 0, blue = 0] = colour.split(',').map((part) => {
      const share = Number(part) / 255
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * blue
  }
  const [high = 0, low = 0] = [light(a), light(b)].sort((x, y) => y - x)
  return (high + 0.05) / (low + 0.05)
}
