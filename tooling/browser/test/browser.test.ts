// Tests the runner in every engine: a page's return values, errors and warnings arrive in the test.
import { get } from 'node:http'
import { bundle, findProgram, openEngine, requireProgram, runModule, serve } from '@memlayer/browser'
import { afterEach, describe, expect, it, vi } from 'vitest'

const facts = new URL('./pages/facts.ts', import.meta.url)

afterEach(() => vi.unstubAllEnvs())

describe.each(['Chromium', 'Firefox', 'WebKitGTK'] as const)('%s', (name) => {
  // One test, because an engine takes seconds to start.
  it('runs a module in an isolated page and in its worker, and reports what goes wrong there', async (ctx) => {
    await using engine = await openEngine[name](ctx)
    expect(engine.version).toMatch(new RegExp(`^${name} \\d+\\.`))
    for (const where of ['page', 'worker'] as const) {
      const { value, complaints } = await runModule(engine, facts, { in: where })
      expect(value).toEqual({ isolated: true, worker: where === 'worker', shared: '[object SharedArrayBuffer]' })
      expect(complaints).toEqual([])
      expect((await runModule(engine, facts, { in: where, call: 'sum', args: [1, 2, 3] })).value).toBe(6)
      await expect(runModule(engine, facts, { in: where, call: 'fail' })).rejects.toThrow('thrown on purpose')
      const told = (await runModule(engine, facts, { in: where, call: 'complain' })).complaints.join('\n')
      for (const one of ['a warning', 'an error']) expect(told).toContain(one)
      expect(told).not.toContain('quiet')
    }

    const html = `<!doctype html><script src="/complaints.js"></script><script src="/missing.js"></script>
      <script>throw new Error("uncaught on purpose")</script>`
    const files = { '/index.html': html }
    await using site = await serve({ folder: new URL('../page/', import.meta.url), files })
    await using tab = await engine.open(site.url)
    const told = (await tab.complaints()).join('\n')
    expect(told).toContain('uncaught on purpose')
    expect(told).toMatch(/404|missing\.js/)
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

describe.each([
  ['Chromium', 'MEMLAYER_CHROMIUM', 'chromium'],
  ['Firefox', 'MEMLAYER_FIREFOX', 'firefox-esr'],
  ['WebKitGTK', 'MEMLAYER_WEBKIT_DRIVER', 'webkit2gtk-driver xvfb'],
] as const)('without a %s', (name, variable, packages) => {
  it('skips the test with the install command, and fails it in CI', () => {
    vi.stubEnv(variable, '/nonexistent/browser')
    expect(findProgram(name)).toBeNull()
    const skipped: (string | undefined)[] = []
    const context = {
      skip(note?: string): never {
        skipped.push(note)
        throw new Error('skipped')
      },
    }
    vi.stubEnv('CI', '')
    expect(() => requireProgram(name, context)).toThrow('skipped')
    expect(skipped).toEqual([`needs ${name}: apt-get install --no-install-recommends ${packages}`])
    vi.stubEnv('CI', 'true')
    expect(() => requireProgram(name, context)).toThrow(`apt-get install --no-install-recommends ${packages}`)
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
