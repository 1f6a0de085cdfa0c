// Drives Debian's Chromium with playwright-core.
import { chromium, type Browser as Driver, type Page } from 'playwright-core'
import { pageLifeMsMax, runModule, type Engine, type Outcome, type RunOptions, type Tab } from './engine.js'
import { requireProgram, type SkippingContext } from './programs.js'

/** An open page of Chromium. */
export interface ChromiumTab extends AsyncDisposable {
  /** The driver's own page. */
  readonly page: Page
  /** Errors and warnings so far. */
  readonly complaints: readonly string[]
}

/** An open Chromium. It ends on disposal, or when the process ends. */
export interface Browser extends AsyncDisposable {
  /** `Chromium 156.0…`. */
  readonly version: string
  /** Opens a page and waits until it has loaded. */
  open(url: string): Promise<ChromiumTab>
  /** Bundles a module, serves it, runs one of its functions, and closes the page. @throws what the function throws. */
  run(entry: string | URL, options?: RunOptions): Promise<Outcome>
}

/** Starts a Chromium for a test. Without one it skips the test, or fails it in CI. */
export async function openBrowser(context: SkippingContext): Promise<Browser> {
  const driver = await launch(context)
  const engine = engineOf(driver)
  return {
    version: engine.version,
    open: (url) => openTab(driver, url),
    run: (entry, options) => runModule(engine, entry, options),
    [Symbol.asyncDispose]: () => driver.close(),
  }
}

/** Starts a Chromium that does what every engine does. */
export async function openChromium(context: SkippingContext): Promise<Engine> {
  return engineOf(await launch(context))
}

function engineOf(driver: Driver): Engine {
  return {
    version: `Chromium ${driver.version()}`,
    async open(url): Promise<Tab> {
      const { page, complaints, [Symbol.asyncDispose]: close } = await openTab(driver, url)
      return {
        evaluate: (expression) => page.evaluate(expression),
        complaints: () => Promise.resolve(complaints),
        [Symbol.asyncDispose]: close,
      }
    },
    [Symbol.asyncDispose]: () => driver.close(),
  }
}

function launch(context: SkippingContext): Promise<Driver> {
  return chromium.launch({
    executablePath: requireProgram('Chromium', context),
    // Chromium's sandbox does not start as root or in most containers. The other flags turn background traffic off.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

async function openTab(driver: Driver, url: string): Promise<ChromiumTab> {
  const page = await driver.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    const type = message.type()
    if (type === 'error' || type === 'warning' || type === 'assert')
      complaints.push(`console ${type}: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.stack ?? error.message}`))
  page.on('requestfailed', (request) => complaints.push(`request failed: ${request.url()}`))
  page.on('crash', () => complaints.push('the page crashed'))
  const timer = setTimeout(() => void page.close(), pageLifeMsMax).unref()
  const close = async (): Promise<void> => {
    clearTimeout(timer)
    await page.close()
  }
  try {
    await page.goto(url)
  } catch (error) {
    await close()
    throw error
  }
  return { page, complaints, [Symbol.asyncDispose]: close }
}
