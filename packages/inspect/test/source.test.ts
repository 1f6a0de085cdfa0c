// Places in code: what of a stack line is a file, the links that open an editor, copying, and how deep stacks are.
import { createMemory } from '@memlayer/core'
import { inspect, takeSnapshot } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-js'
import { createOS as createLinux } from '@memlayer/os-linux'
import { describe, expect, it } from 'vitest'
import { sourceOf } from '../src/frame.js'
import { fresh, MiB } from './living.js'
import { openPage } from './open-page.js'

describe('a stack line', () => {
  it.each([
    ['load (/srv/my app/cache.js:12:9)', '/srv/my app/cache.js', 12, 9],
    ['/srv/main.js:1:2', '/srv/main.js', 1, 2],
    ['async Promise.all (file:///srv/a%20b.mjs:3:4)', '/srv/a b.mjs', 3, 4],
    ['at new Thing (C:\\app\\x.js:5:6)', 'C:\\app\\x.js', 5, 6],
    ['run (file:///C:/app/x.js:5:6)', 'C:/app/x.js', 5, 6],
  ])('names a file: %s', (line, path, row, column) => {
    expect(sourceOf(line)).toEqual({ path, line: row, column })
  })

  it.each([
    'node:internal/modules/run_main:1:1',
    'load (node:fs:10:10)',
    'eval at x (<anonymous>)',
    '(no stack)',
    'f (http://127.0.0.1:80/x.js:1:1)',
    'f (file:///%E0%A4%A:1:1)',
    '',
  ])('names none: %s', (line) => expect(sourceOf(line)).toBeNull())
})

/** Calls itself before it reserves, so that the stack is deep. */
function deep(frames: number, reserve: () => void): void {
  if (frames === 0) reserve()
  else deep(frames - 1, reserve)
}

describe('the stacks of regions', () => {
  it('are as deep as asked for while an inspector is open, and no longer', async () => {
    const memory = createMemory(createOS())
    const before = Error.stackTraceLimit
    const depth = (): number => {
      let frames = 0
      deep(60, () => {
        const region = memory.reserve(2 ** 16, { name: 'deep' })
        const { regions, stacks } = takeSnapshot(memory)
        frames = (stacks[regions[0]?.stack ?? 0] ?? '').split('\n').length
        region.free()
      })
      return frames
    }
    const inspector = await inspect(memory, { stackDepth: 40 })
    // Frames of the layer itself are left out.
    expect(depth()).toBeGreaterThan(35)
    await inspector.close()
    expect(Error.stackTraceLimit).toBe(before)
    expect(depth()).toBeLessThanOrEqual(before)
    for (const stackDepth of [-1, 1.5, NaN])
      await expect(inspect(memory, { stackDepth })).rejects.toMatchObject({ code: 'ERR_MEMLAYER_OPTION' })
    expect(Error.stackTraceLimit).toBe(before)
  })
})

describe.skipIf(process.platform !== 'linux')('on the page, a place', () => {
  it('is a link that opens an editor, by keyboard too, and is copied with its line', async (ctx) => {
    const memory = createMemory(createLinux())
    const region = memory.reserve(MiB, { name: 'linked' })
    using hold = region.hold(0, 0)
    expect(hold).toBeDefined()
    await using opened = await openPage(ctx, memory)
    const { tab, page } = opened
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await fresh(page)
    const file = import.meta.filename
    const link = page.locator('#regions td.made a')
    expect(await link.getAttribute('href')).toMatch(new RegExp(`^vscode://file${file}:\\d+:\\d+$`))
    expect(await page.locator('#places td.made a').getAttribute('href')).toBe(await link.getAttribute('href'))
    await page.locator('#editor').selectOption('JetBrains')
    expect(await link.getAttribute('href')).toMatch(new RegExp(`^idea://open\\?file=${file}&line=\\d+&column=\\d+$`))
    // From the row's first button, right leads to the link and to the button that copies.
    await page.locator('#regions tbody td:first-child button').first().focus()
    await page.keyboard.press('ArrowRight')
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('A')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('#said').textContent()).toMatch(/^Copied \//)
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(new RegExp(`^${file}:\\d+:\\d+$`))
    await page.keyboard.press('ArrowLeft')
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('A')
    expect(tab.complaints).toEqual([])
    region.free()
  })
})
