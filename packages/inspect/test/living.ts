// A memory to look at, and how the tests read a page of it: figures, pixels, and when a snapshot is a new one.
import { createMemory, type Memory, type Region } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import type { Page } from 'playwright-core'

/** Bytes. */
export const MiB = 2 ** 20

// Regions that are collected warn.
const kept: Region[] = []

/** A memory with two regions in every state; of the cache's 16 MiB that are Ready 8 are resident. */
export function living(): Memory {
  const memory = createMemory(createOS())
  const cache = memory.reserve(64 * MiB, { name: 'cache', hugePages: 'off' })
  cache.map(0, 32 * MiB)
  cache.used(0, 16 * MiB)
  cache.view(Uint8Array, 0, 8 * MiB).fill(1)
  const index = memory.reserve(16 * MiB, { name: 'index <b>' })
  index.commit(0, 4 * MiB)
  // A single page, so that what is narrow is there as well.
  index.commit(12 * MiB, memory.os.traits.pageSize)
  kept.push(cache, index)
  return memory
}

/** A figure of the page. */
export async function figure(page: Page, name: string): Promise<number> {
  return Number(await page.locator(`[data-name="${name}"]`).getAttribute('data-value'))
}

/** Waits for a snapshot that was taken from now on. */
export async function fresh(page: Page): Promise<void> {
  const now = Date.now()
  await page.waitForFunction((at) => Number(document.body.dataset['at'] ?? 0) >= at, now)
}

interface Image {
  readonly width: number
  readonly height: number
  readonly data: readonly number[]
}

/** A canvas's pixels, read from a copy: Chromium complains of canvases that are drawn on and read by turns. */
function imageOf(page: Page, canvas: string): Promise<Image> {
  return page.evaluate((selector) => {
    const found = document.querySelector(selector) as HTMLCanvasElement
    const { width, height } = found
    const copy = Object.assign(document.createElement('canvas'), { width, height })
    const context = copy.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D
    context.drawImage(found, 0, 0)
    return { width, height, data: Array.from(context.getImageData(0, 0, width, height).data) }
  }, canvas)
}

/** `r,g,b` of a canvas's pixels; places are parts of its width and height. */
export async function pixels(page: Page, canvas: string, places: readonly (readonly [x: number, y: number])[]): Promise<string[]> {
  const { width, height, data } = await imageOf(page, canvas)
  return places.map(([x, y]) => {
    const at = 4 * (Math.min(height - 1, Math.floor(y * height)) * width + Math.min(width - 1, Math.floor(x * width)))
    return data.slice(at, at + 3).join(',')
  })
}

/** `r,g,b` of colours of the style, by their names. */
export function colours(page: Page, names: readonly string[]): Promise<string[]> {
  return page.evaluate((wanted) => {
    const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D
    return wanted.map((name) => {
      context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name)
      context.fillRect(0, 0, 1, 1)
      return context.getImageData(0, 0, 1, 1).data.slice(0, 3).join(',')
    })
  }, names)
}

/** The different colours of a canvas, and how many pixels have each. */
export async function palette(page: Page, canvas: string): Promise<Record<string, number>> {
  const { data } = await imageOf(page, canvas)
  const counts: Record<string, number> = {}
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] !== 255) continue
    const key = `${data[i]},${data[i + 1]},${data[i + 2]}`
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}
