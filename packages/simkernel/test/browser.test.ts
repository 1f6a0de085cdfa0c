// The simulated kernels in a real browser. The same seed gives the same run as in Node.
import { openBrowser } from '@memlayer/browser'
import { describe, expect, it } from 'vitest'
import { lives } from './pages/life.js'

describe('every simulated kernel', () => {
  it.for(['page', 'worker'] as const)('gives the same run in a %s of Chromium as in Node', async (where, ctx) => {
    await using browser = await openBrowser(ctx)
    const page = new URL('./pages/life.ts', import.meta.url)
    const { value, complaints } = await browser.run(page, { in: where, call: 'lives', args: [5] })
    expect(complaints).toEqual([])
    expect(value).toEqual(lives(5))
    expect(value).not.toEqual(lives(6))
  })
})
