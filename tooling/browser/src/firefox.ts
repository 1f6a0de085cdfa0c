// Drives Debian's Firefox with puppeteer-core, by WebDriver BiDi: Firefox itself is the server, without a driver
// program. It runs modules in a page or in a worker, as browser.ts does in Chromium.
import { accessSync, constants } from 'node:fs'
import { launch } from 'puppeteer-core'
import { bundle } from './bundle.js'
import { expressionOf, pageLifeMsMax, type Outcome, type RunOptions } from './browser.js'
import type { SkippingContext } from './chromium.js'
import { serve } from './serve.js'

// Debian's path, and Ubuntu's.
const paths = ['/usr/bin/firefox-esr', '/usr/bin/firefox']

/** An open Firefox. It ends on disposal. */
export interface Firefox extends AsyncDisposable {
  /** `firefox/153.0…`. */
  readonly version: string
  /** Bundles a module, serves it, runs one of its functions, and closes the page. @throws what the function throws. */
  run(entry: string | URL, options?: RunOptions): Promise<Outcome>
}

/** Starts a Firefox for a test. Without one it skips the test, or fails it in CI. */
export async function openFirefox(context: SkippingContext): Promise<Firefox> {
  const executablePath = requireFirefox(context)
  const driver = await launch({ browser: 'firefox', executablePath, headless: true })
  return {
    version: await driver.version(),
    async run(entry, options = {}): Promise<Outcome> {
      const files = { '/entry.js': await bundle(entry) }
      await using site = await serve({ folder: new URL('../page/', import.meta.url), files })
      const page = await driver.newPage()
      page.setDefaultTimeout(pageLifeMsMax)
      const complaints: string[] = []
      page.on('console', (message) => {
        const type = message.type()
        if (type === 'error' || type === 'warn' || type === 'assert')
          complaints.push(`console ${type}: ${message.text()}`)
      })
      page.on('pageerror', (error) => complaints.push(`uncaught: ${String(error)}`))
      try {
        await page.goto(site.url)
        return { value: await page.evaluate(expressionOf(options)), complaints }
      } finally {
        await page.close()
      }
    },
    [Symbol.asyncDispose]: () => driver.close(),
  }
}

/** Returns the path of a Firefox. Without one it skips the test with the install command, or fails it in CI. */
function requireFirefox(context: SkippingContext): string {
  const asked = process.env['MEMLAYER_FIREFOX']
  const found = (asked === undefined ? paths : [asked]).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  if (found !== undefined) return found
  const note = 'needs Firefox: apt-get install --no-install-recommends firefox-esr'
  if (process.env['CI'] === 'true') throw new Error(note)
  return context.skip(note)
}
