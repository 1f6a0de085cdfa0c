// A browser that has the page open visits another port of the same host, where another program's server is.
import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openBrowser } from '@memlayer/browser'
import { createMemory } from '@memlayer/core'
import { inspect } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-js'
import { expect, it } from 'vitest'

it('sends nothing to another port that opens the session', async (ctx) => {
  await using browser = await openBrowser(ctx)
  await using inspector = await inspect(createMemory(createOS()))
  const sent: IncomingMessage[] = []
  const other = createServer((received, response) => {
    sent.push(received)
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<link rel="icon" href="data:,">')
  }).listen(0, '127.0.0.1')
  await once(other, 'listening')
  const otherOrigin = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`

  await using tab = await browser.open(inspector.url)
  const page = tab.page.url()
  await tab.page.waitForSelector('[data-name="Ready"][data-value]')
  // By a link of the page, which could tell a referrer, and by the address.
  await tab.page.evaluate(`location.assign(${JSON.stringify(otherOrigin)})`)
  await tab.page.waitForURL(otherOrigin)
  await tab.page.goto(`${otherOrigin}again`)
  other.close()

  expect(sent.length).toBeGreaterThanOrEqual(2)
  const secret = new URL(page).pathname
  for (const { url = '', rawHeaders, headers } of sent) {
    expect([url, ...rawHeaders].join('\n')).not.toContain(secret.replaceAll('/', ''))
    for (const path of ['/', '/snapshot', '/pages'])
      expect(await status(inspector.origin + path, headers.cookie ?? '')).toBe(403)
  }
  // The session itself is still open.
  await tab.page.goto(page)
  await tab.page.waitForSelector('[data-name="Ready"][data-value]')
})

async function status(url: string, cookie: string): Promise<number> {
  const [response] = (await once(request(url, { headers: { cookie } }).end(), 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode ?? 0
}
