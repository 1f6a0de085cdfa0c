// os-js in real browsers: Debian's Chromium, Firefox and WebKitGTK, headless, on a page that is served, and in a worker
// of that page. The console must stay empty.
import { openEngine, runModule, type Engine, type Outcome, type RunOptions } from '@memlayer/browser'
import { isLong, testSeed } from '@memlayer/witness'
import { afterAll, describe, expect, it, type TestContext } from 'vitest'
import { MAXIMUM, type Summary } from './history/history.js'
import { expectedBeyond, expectedGigabyte, expectedLife, expectedLimits } from './portable/expected.js'

const entry = new URL('./portable/entry.ts', import.meta.url)

const browsers = [
  { name: 'Chromium', isWide: true, growsFast: true },
  // Firefox copies a 64-bit memory when it grows, which takes 20 seconds for 5 GiB.
  { name: 'Firefox', isWide: true, growsFast: false },
  { name: 'WebKitGTK', isWide: false, growsFast: false },
] as const

describe.each(isLong ? browsers : browsers.slice(0, 1))('os-js in $name', ({ name, isWide, growsFast }) => {
  // One for all tests, because it takes seconds to start.
  let engine: Promise<Engine> | undefined
  afterAll(async () => (await engine?.catch(() => undefined))?.[Symbol.asyncDispose]())

  /** Runs one function of the entry, and expects an empty console. */
  async function inBrowser(ctx: TestContext, options: RunOptions): Promise<Outcome['value']> {
    engine ??= openEngine[name](ctx)
    const { value, complaints } = await runModule(await engine, entry, options)
    expect(complaints).toEqual([])
    return value
  }

  describe.each(['page', 'worker'] as const)('in a %s', (where) => {
    it.for([
      ['32-bit', {}],
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

    it.runIf(isWide)('runs a whole life on a 64-bit memory', async (ctx) => {
      const args = [{ address: 'i64' }]
      expect(await inBrowser(ctx, { in: where, call: 'life', args })).toEqual(expectedLife)
    })

    it.runIf(growsFast)('reaches beyond 4 GiB on a 64-bit memory', async (ctx) => {
      expect(await inBrowser(ctx, { in: where, call: 'beyond' })).toEqual(expectedBeyond)
    })

    it.runIf(!isWide)('says that the engine has no 64-bit memories, before any effect', async (ctx) => {
      await expect(inBrowser(ctx, { in: where, call: 'beyond' })).rejects.toThrow(
        "can't make a memory with address 'i64'",
      )
    })

    it.for((['32-bit', '64-bit', 'shared', 'module'] as const).filter((kind) => isWide || kind !== '64-bit'))(
      'agrees with a shadow of its pages for 20,000 random operations on a %s memory',
      async (kind, ctx) => {
        const args = [kind, 20_000, testSeed()]
        const summary = (await inBrowser(ctx, { in: where, call: 'liveHistory', args })) as Summary
        expect(summary.refusals).toBeGreaterThan(20)
        expect(summary.pages).toBeGreaterThan(MAXIMUM * 0.9)
      },
    )

    it('shares a memory with a worker, also while it grows', async (ctx) => {
      const counts = { seen: 1000, here: 1000, throughNew: 1000 }
      expect(await inBrowser(ctx, { in: where, call: 'sharedWithWorker' })).toEqual(counts)
    })
  })
})
