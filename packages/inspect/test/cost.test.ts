// What the inspector costs the observed process. It is the processor time with one request per second from a page, less
// the time without, over 10,000 ranges. The limit is a multiple of a computation that is as slow as the machine is.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isLong } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { yardstick } from './yardstick.js'

const SECONDS = 5
/** Seconds between two explanations, and between two questions for pages. page/app.ts has the same numbers. */
const [EXPLAIN_EVERY, PAGES_EVERY] = [120, 2]

interface Ready {
  readonly url: string
  readonly regions: readonly { readonly id: number; readonly address: number; readonly size: number }[]
}

interface Used {
  readonly microseconds: number
  readonly ranges: number
}

async function used(child: ChildProcess): Promise<Used> {
  child.send('?')
  const [told] = (await once(child, 'message')) as [Used]
  return told
}

async function ask(origin: string, path: string): Promise<{ readonly folder: string; readonly bytes: number }> {
  const sent = request(new URL(path, origin)).end()
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  let bytes = 0
  for await (const chunk of response) bytes += (chunk as Buffer).length
  return { folder: response.headers.location ?? '', bytes }
}

/** Milliseconds of processor time that `child` uses while `act` runs. */
async function during(child: ChildProcess, act: () => Promise<unknown>): Promise<number> {
  const before = await used(child)
  await act()
  return ((await used(child)).microseconds - before.microseconds) / 1000
}

describe.skipIf(process.platform !== 'linux' || !isLong)('observing', () => {
  it('costs little at a snapshot a second with 10,000 ranges, pages and explanations included', async () => {
    const child = fork(fileURLToPath(new URL('observed.mjs', import.meta.url)), { execArgv: [] })
    const [ready] = (await once(child, 'message')) as [Ready]
    expect((await used(child)).ranges).toBe(10_000)
    const { origin, pathname, search } = new URL(ready.url)
    const { folder } = await ask(origin, pathname + search)
    // A page has at most ten lanes.
    const pages = ready.regions
      .slice(0, 10)
      .map(({ id, address, size }) => `of=${id},${address},${size},4096`)
      .join('&')
    let seen = 0
    const second = async (i: number): Promise<void> => {
      const until = performance.now() + 1000
      expect((await ask(origin, `${folder}snapshot?seen=${seen}`)).bytes).toBeGreaterThan(50_000)
      // The workload makes 40 operations in a second.
      seen += 40
      if (i % PAGES_EVERY === 0) await ask(origin, `${folder}pages?${pages}`)
      await after(until - performance.now())
    }
    // Warm up, because the engine compiles code that runs often.
    for (let i = 0; i < 40; i++) await ask(origin, i % 2 === 0 ? '/snapshot' : `${folder}pages?${pages}`)
    const explained = await during(child, () => ask(origin, `${folder}snapshot?explain`))
    const costs: number[] = []
    for (let round = 0; round < 3; round++) {
      const without = await during(child, () => after(SECONDS * 1000))
      const observed = await during(child, async () => {
        for (let i = 0; i < SECONDS; i++) await second(i)
      })
      costs.push((observed - without) / (SECONDS * 1000))
    }
    child.kill()
    const median = costs.toSorted((a, b) => a - b)[1] ?? NaN
    const share = median + explained / (EXPLAIN_EVERY * 1000)
    const percent = (n: number): string => `${(100 * n).toFixed(2)} %`
    console.log(
      `observing costs ${percent(share)}: ${costs.map(percent).join(', ')}, ` +
        `and ${Math.round(explained)} ms every ${EXPLAIN_EVERY} seconds for an explanation`,
    )
    // The milliseconds of one second, beside the yardstick. A busy machine makes the one longer than the other, so only
    // a cost of another order is found.
    expect(share * 1000).toBeLessThan(20 * yardstick(10_000))
  })
})
