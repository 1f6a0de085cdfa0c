// A memory to look at, and helpers that read its page: figures, pixels, and the arrival of a new snapshot.
import { createMemory, type Memory, type Region } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import type { Page } from 'playwright-core'

/** Bytes in a mebibyte. */
export const MiB = 2 ** 20

// Keep the regions, because a collected region prints a warning.
const kept: Region[] = []

/** A memory with two regions in every state. 16 MiB of the cache are Ready, and 8 MiB of them are resident. */
export function living(): Memory {
  const memory = createMemory(createOS())
  const cache = memory.reserve(64 * MiB, { name: 'cache', hugePages: 'off' })
  cache.map(0, 32 * MiB)
  cache.used(0, 16 * MiB)
  cache.view(Uint8Array, 0, 8 * MiB).fill(1)
  const index = memory.reserve(16 * MiB, { name: 'index <b>' })
  index.commit(0, 4 * MiB)
  // A single page, so that there is a narrow range too.
  index.commit(12 * MiB, memory.os.traits.pageSize)
  kept.push(cache, index)
  return memory
}

/** Reads a figure of the page. */
export async function figure(page: Page, name: string): Promise<number> {
  return Number(await page.locator(`[data-name="${name}"]`).getAttribute('data-value'))
}

/** Waits for a snapshot that was taken after this call. */
export async function fresh(page: Page): Promise<void> {
  const now = Date.now()
  await page.waitForFunction((at) => Number(document.body.dataset['at'] ?? 0) >= at, now)
}

interface Image {
  /** `r,g,b` at each requested place. */
  readonly at: string[]
  /** The number of pixels of each colour. */
  readonly counts: Record<string, number>
}

/** Reads a canvas from a copy. Chromium complains when a program draws on a canvas and reads it in turn. */
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

/** `r,g,b` of a canvas's pixels. A place is two shares, of the width and of the height. */
export async function pixels(
  page: Page,
  canvas: string,
  places: readonly (readonly [x: number, y: number])[],
): Promise<string[]> {
  return (await imageOf(page, canvas, places)).at
}

/** `r,g,b` of the style's colours, by their names. */
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

/** The number of pixels of each colour in a canvas. */
export async function palette(page: Page, canvas: string): Promise<Record<string, number>> {
  return (await imageOf(page, canvas, [])).counts
}
