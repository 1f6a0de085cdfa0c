// os-js in a real browser: Debian's Chromium, headless, on a page that is served, and in a worker of that page. The
// console must stay empty.
import { openBrowser, type Outcome, type RunOptions, type SkippingContext } from '@memlayer/browser'
import { testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { MAXIMUM, type Summary } from './history/history.js'
import { expectedBeyond, expectedGigabyte, expectedLife, expectedLimits } from './portable/expected.js'

const entry = new URL('./portable/entry.ts', import.meta.url)

/** Runs one function of the entry, and expects an empty console. */
async function inBrowser(ctx: SkippingContext, options: RunOptions): Promise<Outcome['value']> {
  await using browser = await openBrowser(ctx)
  const { value, complaints } = await browser.run(entry, options)
  expect(complaints).toEqual([])
  return value
}

describe.each(['page', 'worker'] as const)('os-js in a %s of Chromium', (where) => {
  it.for([
    ['32-bit', {}],
    ['64-bit', { address: 'i64' }],
    ['shared', { shared: true, maximum: 1024 }],
  ] as const)('runs a whole life on a %s memory', async ([, options], ctx) => {
    expect(await inBrowser(ctx, { in: where, call: 'life', args: [options] })).toEqual(expectedLife)
  })

  it('grows to 1 GiB, frees half, reserves it again without growth, and makes new views', async (ctx) => {
    expect(await inBrowser(ctx, { in: where, call: 'gigabyte' })).toEqual(expectedGigabyte)
  })

  it('is refused with a hint at its maximum, at 4 GiB and at an address, and continues', async (ctx) => {
    expect(await inBrowser(ctx, { in: where, call: 'limits' })).toEqual(expectedLimits)
  })

  it('reaches beyond 4 GiB on a 64-bit memory', async (ctx) => {
    expect(await inBrowser(ctx, { in: where, call: 'beyond' })).toEqual(expectedBeyond)
  })

  it.for(['32-bit', '64-bit', 'shared', 'module'] as const)(
    'agrees with a shadow of its pages for 20,000 random operations on a %s memory',
    async (kind, ctx) => {
      const summary = (await inBrowser(ctx, {
        in: where,
        call: 'liveHistory',
        args: [kind, 20_000, testSeed()],
      })) as Summary
      expect(summary.refusals).toBeGreaterThan(20)
      expect(summary.pages).toBeGreaterThan(MAXIMUM * 0.9)
    },
  )

  it('shares a memory with a worker, also while it grows', async (ctx) => {
    expect(await inBrowser(ctx, { in: where, call: 'sharedWithWorker' })).toEqual({
      seen: 1000,
      here: 1000,
      throughNew: 1000,
    })
  })
})
