// Drives Debian's Chromium with playwright-core. It opens pages, runs modules in a page or in a worker, and
// records errors and warnings.
import { chromium, type Browser as Driver, type Page } from 'playwright-core'
import { bundle } from './bundle.js'
import { requireChromium, type SkippingContext } from './chromium.js'
import { serve } from './serve.js'

/** Where a module runs, and which function of it. */
export interface RunOptions {
  /** The page's own thread, or one of its module workers. Default is `'page'`. */
  readonly in?: 'page' | 'worker'
  /** The exported function. Default is `'run'`. */
  readonly call?: string
  /** The function's arguments, as JSON values. */
  readonly args?: readonly unknown[]
}

/** The result of a run. */
export interface Outcome {
  /** The function's return value, or the value of its promise. */
  readonly value: unknown
  /** Console errors and warnings, uncaught exceptions and failed requests, in order. */
  readonly complaints: readonly string[]
}

/** An open page. */
export interface Tab extends AsyncDisposable {
  /** The driver's own page. */
  readonly page: Page
  /** Errors and warnings so far. */
  readonly complaints: readonly string[]
}

/** An open browser. It ends on disposal, or when the process ends. */
export interface Browser extends AsyncDisposable {
  /** `Chromium 156.0…`. */
  readonly version: string
  /** Opens a page and waits until it has loaded. */
  open(url: string): Promise<Tab>
  /** Bundles a module, serves it, runs one of its functions, and closes the page. @throws what the function throws. */
  run(entry: string | URL, options?: RunOptions): Promise<Outcome>
}

/** Closes a page that hangs after this time, in ms. A call that waits for the page then fails. */
export const pageLifeMsMax = 100_000

/** Starts a browser for a test. Without a Chromium it skips the test, or fails it in CI. */
export async function openBrowser(context: SkippingContext): Promise<Browser> {
  const executablePath = requireChromium(context)
  const driver = await chromium.launch({
    executablePath,
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
  return {
    version: `Chromium ${driver.version()}`,
    open: (url: string): Promise<Tab> => openTab(driver, url),
    run: (entry: string | URL, options: RunOptions = {}): Promise<Outcome> => run(driver, entry, options),
    [Symbol.asyncDispose]: () => driver.close(),
  }
}

async function openTab(driver: Driver, url: string): Promise<Tab> {
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

async function run(driver: Driver, entry: string | URL, options: RunOptions): Promise<Outcome> {
  const files = { '/entry.js': await bundle(entry) }
  await using site = await serve({ folder: new URL('../page/', import.meta.url), files })
  await using tab = await openTab(driver, site.url)
  const value: unknown = await tab.page.evaluate(expressionOf(options))
  return { value, complaints: tab.complaints }
}

/** The expression that calls the function, in a page with the module at /entry.js. */
export function expressionOf({ in: where = 'page', call = 'run', args = [] }: RunOptions): string {
  const [name, given] = [JSON.stringify(call), JSON.stringify(args)]
  // The code is text, because the compiler does not know browsers and would rewrite import().
  return where === 'worker'
    ? `import('/in-worker.js').then(({ inWorker }) => inWorker(${name}, ${given}))`
    : `import('/entry.js').then((entry) => entry[${name}](...${given}))`
}
