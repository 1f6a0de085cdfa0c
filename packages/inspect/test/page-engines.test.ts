// The page in every browser engine. page.test.ts reads all of it in Chromium; here it is opened in Firefox and in
// WebKitGTK as well, and each engine then visits another port of the same host, where another program's server is.
import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openEngine, type Engine, type Tab } from '@memlayer/browser'
import { inspect } from '@memlayer/inspect'
import { afterAll, describe, expect, it, type TestContext } from 'vitest'
import { living } from './living.js'

/** A figure of the page. */
const figureOf = (name: string): string => `Number(document.querySelector('[data-name="${name}"]')?.dataset.value)`

describe.skipIf(process.platform !== 'linux').each(['Chromium', 'Firefox', 'WebKitGTK'] as const)(
  'the page in %s (needs Linux)',
  (name) => {
    let engine: Promise<Engine> | undefined
    afterAll(async () => (await engine?.catch(() => undefined))?.[Symbol.asyncDispose]())

    const open = async (ctx: TestContext, url: string): Promise<Tab> => {
      engine ??= openEngine[name](ctx)
      const tab = await (await engine).open(url)
      await shown(tab)
      return tab
    }

    it('shows the figures of stats(), draws, and does what a click asks for', async (ctx) => {
      const memory = living()
      await using inspector = await inspect(memory)
      await using tab = await open(ctx, inspector.url)
      const { reserved, prepared, ready, held } = memory.stats().total
      const figures = ['Reserved', 'Prepared', 'Ready', 'Held'].map(figureOf)
      expect(await tab.evaluate(`[${figures.join()}]`)).toEqual([reserved, prepared, ready, held])
      // The lanes of the states, each in its color.
      expect(await tab.evaluate(colorsOfStrip)).toBeGreaterThan(3)
      const buttons = "document.querySelectorAll('#regions tbody td:first-child button')"
      const names = `[...${buttons}].map(({ textContent }) => textContent)`
      await tab.evaluate(`document.querySelector('[data-key="sort-name"]').click()`)
      await expect.poll(() => tab.evaluate(names)).toEqual(['cache', 'index <b>'])
      await tab.evaluate(`document.querySelector('[data-key="sort-name"]').click()`)
      await expect.poll(() => tab.evaluate(names)).toEqual(['index <b>', 'cache'])
      await tab.evaluate(`[...document.querySelectorAll('#regions tbody td:first-child button')].at(-1).click()`)
      const said = `document.querySelector('#said').textContent`
      await expect.poll(() => tab.evaluate(said)).toMatch(/^cache: 8 MiB of 64 MiB resident/)
      expect(await tab.complaints()).toEqual([])
    })

    it('sends nothing to another port that opens the session', async (ctx) => {
      await using inspector = await inspect(living())
      const sent: IncomingMessage[] = []
      const other = createServer((received, response) => {
        sent.push(received)
        response.writeHead(200, { 'Content-Type': 'text/html' }).end('<link rel="icon" href="data:,">')
      }).listen(0, '127.0.0.1')
      await once(other, 'listening')
      const otherOrigin = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`
      await using tab = await open(ctx, inspector.url)
      const page = String(await tab.evaluate('location.href'))
      // By a navigation of the page, which could tell a referrer.
      await tab.evaluate(`void setTimeout(() => location.assign(${JSON.stringify(otherOrigin)}))`)
      await expect.poll(() => sent.length, { timeout: 20_000 }).toBe(1)
      // By a link of the other page to itself, with whatever the engine keeps for this host.
      await expect.poll(() => tab.evaluate('location.origin + "/"').catch(() => ''), waiting).toBe(otherOrigin)
      await tab.evaluate(`void setTimeout(() => location.assign('/again'))`)
      await expect.poll(() => sent.length, { timeout: 20_000 }).toBe(2)
      other.close()

      const secret = new URL(page).pathname
      for (const { url = '', rawHeaders, headers } of sent) {
        expect([url, ...rawHeaders].join('\n')).not.toContain(secret.replaceAll('/', ''))
        for (const path of ['/', '/snapshot', '/pages'])
          expect(await status(inspector.origin + path, headers.cookie ?? '')).toBe(403)
      }
      // The session itself is still open.
      await using again = await open(ctx, page)
      expect(await again.evaluate('location.href')).toBe(page)
    })
  },
)

const waiting = { timeout: 20_000 }

/** Waits until the page shows a snapshot. A page that is being left answers with an error. */
async function shown(tab: Tab): Promise<void> {
  const ready = `document.body.dataset.at !== undefined && ${figureOf('Ready')} > 0`
  await expect.poll(() => tab.evaluate(ready).catch(() => false), waiting).toBe(true)
}

/** The number of colors of the strip. */
const colorsOfStrip = `(() => {
  const strip = document.querySelector('#strip')
  const { width, height } = strip
  const context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d')
  context.drawImage(strip, 0, 0)
  return new Set(new Uint32Array(context.getImageData(0, 0, width, height).data.buffer)).size
})()`

async function status(url: string, cookie: string): Promise<number> {
  const [response] = (await once(request(url, { headers: { cookie } }).end(), 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode ?? 0
}
