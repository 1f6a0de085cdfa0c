// What the page saves: a snapshot that the one file opens again without a server or a network, and a trace as
// Perfetto reads it.
import { readFileSync } from 'node:fs'
import { type Snapshot, type TraceEvent } from '@memlayer/inspect'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { figure, fresh, MiB, palette } from './living.js'
import { openPage } from './open-page.js'

const file = new URL('../dist/page.html', import.meta.url)

async function download(
  page: Page,
  button: string,
): Promise<{ readonly path: string; readonly name: string; readonly text: string }> {
  const [saved] = await Promise.all([page.waitForEvent('download'), page.locator(button).click()])
  const path = await saved.path()
  return { path, name: saved.suggestedFilename(), text: readFileSync(path, 'utf8') }
}

describe.skipIf(process.platform !== 'linux')('what the page saves', () => {
  it('is opened again by the file alone, with the network off, every view of it', async (ctx) => {
    await using opened = await openPage(ctx)
    const { browser, memory, inspector, page } = opened
    await fresh(page)
    const { path, name, text } = await download(page, '#save')
    expect(name).toBe('memlayer-snapshot.json')
    const saved = JSON.parse(text) as Snapshot
    expect(saved.stats).toEqual(memory.stats())
    expect(saved.ranges).toHaveLength(4 * memory.ranges().length)
    expect(saved.history.length).toBeGreaterThan(1)
    expect(saved.pages.map(({ resident }) => resident).sort((a, b) => a - b)).toEqual([0, 8 * MiB])
    await inspector.close()

    await using offline = await browser.open(file.href)
    const { page: other } = offline
    await other.context().setOffline(true)
    expect(await other.locator('#about').textContent()).toBe('Open a saved snapshot.')
    await other.locator('#open').setInputFiles(path)
    await other.waitForFunction(() => document.querySelector('#about')?.textContent?.startsWith('showing '))
    await other.waitForFunction((at) => document.body.dataset['at'] === at, String(saved.at))
    expect([await figure(other, 'Ready'), await figure(other, 'Reserved')]).toEqual([
      saved.stats.total.ready,
      saved.stats.total.reserved,
    ])
    expect(await figure(other, 'All resident')).toBe(saved.explanation?.resident)
    await other.locator('#regions button', { hasText: 'cache' }).first().click()
    await expect.poll(() => other.locator('#heat-says').getAttribute('data-resident')).toBe(String(8 * MiB))
    for (const canvas of ['#strip', '#lanes', '#heat', '#tree', '#chart canvas'])
      expect([canvas, Object.keys(await palette(other, canvas)).length > 0]).toEqual([canvas, true])
    expect(await other.locator('#log tbody tr:not(.space)').count()).toBe(saved.log.length)
    // A script that is not the file's own does not run here either.
    const ran = await other.evaluate(() => {
      const script = document.createElement('script')
      script.textContent = 'document.body.dataset.ran = "yes"'
      document.body.append(script)
      return document.body.dataset['ran'] ?? 'no'
    })
    expect(ran).toBe('no')
    expect(offline.complaints.filter((one) => !/Content Security Policy/.test(one))).toEqual([])
  })

  it('says of a snapshot without pages, and of what is none, that it is so', async (ctx) => {
    await using opened = await openPage(ctx)
    const { page } = opened
    const { path, text } = await download(page, '#save')
    const saved = JSON.parse(text) as Snapshot
    const bare = { ...saved, pages: [], history: [], process: { ...saved.process, limit: 2 ** 40 } }
    await page.locator('#open').setInputFiles({
      name: 'bare.json',
      mimeType: 'application/json',
      buffer: Buffer.from(JSON.stringify(bare, null, 2)),
    })
    await page.waitForFunction(() => document.querySelector('#about')?.textContent === 'showing bare.json')
    await page.locator('#regions button', { hasText: 'cache' }).first().click()
    await expect.poll(() => page.locator('#heat-says').textContent()).toBe('cache: the file has no data on its pages.')
    // A limit is drawn where there is one.
    await expect.poll(() => page.locator('#chart .u-legend').textContent()).toMatch(/limit.*1 TiB/)
    await page
      .locator('#open')
      .setInputFiles({ name: 'other.json', mimeType: 'application/json', buffer: Buffer.from('{"ranges":[1]}') })
    await expect.poll(() => page.locator('#about').textContent()).toBe('other.json is not a snapshot of memlayer.')
    await page
      .locator('#open')
      .setInputFiles({ name: 'broken.json', mimeType: 'application/json', buffer: Buffer.from('{') })
    await expect.poll(() => page.locator('#about').textContent()).toBe("broken.json can't be read.")
    await page.locator('#open').setInputFiles(path)
    await expect.poll(() => page.locator('#about').textContent()).toMatch(/^showing /)
    await page.locator('#pause').click()
    await fresh(page)
    expect(await page.locator('#about').textContent()).toBe('live')
    // A page without a session says so. The session is in its path.
    await page.evaluate("history.replaceState(null, '', '/AAAA/')")
    await expect.poll(() => page.locator('#about').textContent()).toMatch(/^This session is over\. /)
  })

  it('is a trace with the keys that the format asks for, in order of time', async (ctx) => {
    await using opened = await openPage(ctx)
    const { memory, page } = opened
    memory.regions()[0]?.unused(0, MiB)
    await fresh(page)
    const { name, text } = await download(page, '#trace')
    expect(name).toBe('memlayer-trace.json')
    const { traceEvents } = JSON.parse(text) as { traceEvents: TraceEvent[] }
    for (const event of traceEvents) {
      expect([event, typeof event.name, typeof event.ts, event.pid, typeof event.tid, typeof event.args]).toEqual([
        event,
        'string',
        'number',
        1,
        'number',
        'object',
      ])
      expect(['i', 'C', 'M', 'b', 'e']).toContain(event.ph)
      if (event.ph === 'C') for (const value of Object.values(event.args)) expect(value).toBeTypeOf('number')
      if (event.ph === 'i') expect([event.s, event.args['region']]).toEqual(['t', memory.regions()[0]?.name])
    }
    const times = traceEvents.map(({ ts }) => ts)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(traceEvents.filter((event) => event.name === 'sysUnused')).toHaveLength(1)
    const categories = Object.keys(memory.stats().categories)
    for (const category of categories) {
      const track = traceEvents.find(({ name: of, args }) => of === 'thread_name' && args['name'] === category)?.tid
      expect(track).toBeGreaterThan(1)
      const last = traceEvents.findLast(({ name: of, ph }) => of === `category ${category}` && ph === 'C')
      expect([last?.tid, last?.args['ready']]).toEqual([track, memory.stats().categories[category]?.ready])
    }
    // Each region is a slice with its name, which begins before it ends.
    const slices = traceEvents.filter(({ cat }) => cat === 'region')
    expect(slices.map(({ name: of, ph }) => `${ph} ${of}`).sort()).toEqual(
      memory
        .regions()
        .flatMap(({ name: of }) => [`b ${of}`, `e ${of}`])
        .sort(),
    )
    expect(traceEvents.findLast((event) => event.name === 'layer')?.args['ready']).toBe(memory.stats().total.ready)
  })
})
