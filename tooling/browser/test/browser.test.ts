// Tests the runner: a page's return values, errors and warnings arrive in the test.
import { get } from 'node:http'
import { bundle, findChromium, openBrowser, requireChromium, serve } from '@memlayer/browser'
import { afterEach, describe, expect, it, vi } from 'vitest'

const facts = new URL('./pages/facts.ts', import.meta.url)

afterEach(() => vi.unstubAllEnvs())

describe('a browser', () => {
  it.for(['page', 'worker'] as const)('runs a module in a %s that is cross-origin isolated', async (where, ctx) => {
    await using browser = await openBrowser(ctx)
    const { value, complaints } = await browser.run(facts, { in: where })
    expect(value).toEqual({ isolated: true, worker: where === 'worker', shared: true })
    expect(complaints).toEqual([])
    expect((await browser.run(facts, { in: where, call: 'sum', args: [1, 2, 3] })).value).toBe(6)
  })

  it.for(['page', 'worker'] as const)(
    'throws what the module throws in a %s, and reports its errors and warnings',
    async (where, ctx) => {
      await using browser = await openBrowser(ctx)
      await expect(browser.run(facts, { in: where, call: 'fail' })).rejects.toThrow('thrown on purpose')
      const { complaints } = await browser.run(facts, { in: where, call: 'complain' })
      expect(complaints).toEqual(expect.arrayContaining(['console warning: a warning', 'console error: an error']))
      expect(complaints.join()).not.toContain('quiet')
    },
  )

  it('reports a missing file and an uncaught exception', async (ctx) => {
    await using browser = await openBrowser(ctx)
    const html =
      '<!doctype html><script src="/missing.js"></script><script>throw new Error("uncaught on purpose")</script>'
    await using site = await serve({ files: { '/index.html': html } })
    await using tab = await browser.open(site.url)
    expect(tab.complaints.join('\n')).toContain('404')
    expect(tab.complaints.join('\n')).toContain('uncaught on purpose')
  })
})

describe('a bundle', () => {
  it('is one module without types', async () => {
    const text = await bundle(facts)
    expect(text).toContain('thrown on purpose')
    expect(text).not.toMatch(/^import /m)
  })

  it('rejects a module that imports from Node', async () => {
    await expect(bundle(new URL('./pages/node.ts', import.meta.url))).rejects.toThrow('node:fs')
  })
})

describe('a site', () => {
  it('serves its folder and nothing outside it, on loopback', async () => {
    await using site = await serve({ folder: new URL('./pages/', import.meta.url), files: { '/a.js': 'export {}' } })
    expect(new URL(site.url).hostname).toBe('127.0.0.1')
    expect(await answer(`${site.url}/a.js`)).toMatchObject({
      status: 200,
      type: 'text/javascript',
      embedder: 'require-corp',
    })
    expect(await answer(`${site.url}/facts.ts`)).toMatchObject({ status: 200 })
    for (const path of [
      '/nothing',
      '/../browser.test.ts',
      '/%2e%2e/browser.test.ts',
      '/..%2fbrowser.test.ts',
      '/%00',
      '/%',
    ]) {
      expect(await answer(site.url, path), path).toMatchObject({ status: 404 })
    }
  })
})

describe('without a Chromium', () => {
  it('skips the test with the install command, and fails it in CI', () => {
    vi.stubEnv('MEMLAYER_CHROMIUM', '/nonexistent/chromium')
    expect(findChromium()).toBeNull()
    const skipped: (string | undefined)[] = []
    const context = {
      skip(note?: string): never {
        skipped.push(note)
        throw new Error('skipped')
      },
    }
    vi.stubEnv('CI', '')
    expect(() => requireChromium(context)).toThrow('skipped')
    expect(skipped).toEqual(['needs Chromium: apt-get install --no-install-recommends chromium'])
    vi.stubEnv('CI', 'true')
    expect(() => requireChromium(context)).toThrow('apt-get install --no-install-recommends chromium')
    expect(skipped.length).toBe(1)
  })
})

/** Requests a path as it stands, because fetch would normalize the path first. */
function answer(url: string, path?: string): Promise<{ status: number; type: string; embedder: string }> {
  const { hostname, port, pathname } = new URL(url)
  return new Promise((resolve, reject) => {
    get({ hostname, port, path: path ?? pathname }, (response) => {
      response.resume()
      const { 'content-type': type = '', 'cross-origin-embedder-policy': embedder = '' } = response.headers
      resolve({ status: response.statusCode ?? 0, type, embedder: String(embedder) })
    }).on('error', reject)
  })
}
