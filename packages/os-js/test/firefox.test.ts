// os-js in Debian's Firefox, on a page that is served, and in a worker of that page. The console must stay empty.
import { openFirefox, type Firefox, type Outcome, type RunOptions, type SkippingContext } from '@memlayer/browser'
import { afterAll, describe, expect, it } from 'vitest'
import { expectedGigabyte, expectedLife } from './portable/expected.js'

const entry = new URL('./portable/entry.ts', import.meta.url)

// One for all tests, because it takes seconds to start.
let firefox: Promise<Firefox> | undefined
afterAll(async () => (await firefox?.catch(() => undefined))?.[Symbol.asyncDispose]())

/** Runs one function of the entry, and expects an empty console. */
async function inFirefox(ctx: SkippingContext, options: RunOptions): Promise<Outcome['value']> {
  firefox ??= openFirefox(ctx)
  const { value, complaints } = await (await firefox).run(entry, options)
  expect(complaints).toEqual([])
  return value
}

describe.each(['page', 'worker'] as const)('os-js in a %s of Firefox', (where) => {
  it.for([
    ['32-bit', {}],
    ['64-bit', { address: 'i64' }],
    ['shared', { shared: true, maximum: 1024 }],
  ] as const)('runs a whole life on a %s memory', async ([, options], ctx) => {
    expect(await inFirefox(ctx, { in: where, call: 'life', args: [options] })).toEqual(expectedLife)
  })

  it('grows to 1 GiB, frees half, reserves it again without growth, and makes new views', async (ctx) => {
    expect(await inFirefox(ctx, { in: where, call: 'gigabyte' })).toEqual(expectedGigabyte)
  })
})
