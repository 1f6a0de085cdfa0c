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
  /** `r,g,b` at the places that were asked for. */
  readonly at: string[]
  /** The different colours, and how many pixels have each. */
  readonly counts: Record<string, number>
}

/** A canvas as it is drawn, read from a copy: Chromium complains of canvases that are drawn on and read by turns. */
function imageOf(page: Page, canvas: string, places: readonly (readonly [x: number, y: number])[]): Promise<Image> {
  return page.evaluate(
    ([selector, wanted]) => {
      const found = document.querySelector(selector) as HTMLCanvasElement
      const { width, height } = found
      const context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d', {
        willReadFrequently: true,
      }) as CanvasRenderingContext2D
      context.drawImage(found, 0, 0)
      const { data } = context.getImageData(0, 0, width, height)
      const colourAt = (i: number): string => `${data[i]},${data[i + 1]},${data[i + 2]}`
      const at = wanted.map(([x, y]) =>
        colourAt(
          4 * (Math.min(height - 1, Math.floor(y * height)) * width + Math.min(width - 1, Math.floor(x * width))),
        ),
      )
      const counts: Record<string, number> = {}
      for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] === 255) counts[colourAt(i)] = (counts[colourAt(i)] ?? 0) + 1
      return { at, counts }
    },
    [canvas, places] as const,
  )
}

/** `r,g,b` of a canvas's pixels; places are parts of its width and height. */
export async function pixels(
  page: Page,
  canvas: string,
  places: readonly (readonly [x: number, y: number])[],
): Promise<string[]> {
  return (await imageOf(page, canvas, places)).at
}

/** `r,g,b` of colours of the style, by their names. */
export function colours(page: Page, names: readonly string[]): Promise<string[]> {
  return page.evaluate((wanted) => {
    const context = document
      .createElement('canvas')
      .getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D
    return wanted.map((name) => {
      context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name)
      context.fillRect(0, 0, 1, 1)
      return context.getImageData(0, 0, 1, 1).data.slice(0, 3).join(',')
    })
  }, names)
}

/** The different colours of a canvas, and how many pixels have each. */
export async function palette(page: Page, canvas: string): Promise<Record<string, number>> {
  return (await imageOf(page, canvas, [])).counts
}
