// Debian's Chromium, driven by playwright-core: opens pages, runs modules in them or in
// workers of theirs, and keeps whatever they complain about.
import { chromium, type Browser as Driver, type Page } from 'playwright-core'
import { bundle } from './bundle.js'
import { requireChromium, type SkippingContext } from './chromium.js'
import { serve } from './serve.js'

/** Where and what a module is asked to run. */
export interface RunOptions {
  /** The page's own thread, or a module worker of it. Default `'page'`. */
  readonly in?: 'page' | 'worker'
  /** The exported function. Default `'run'`. */
  readonly call?: string
  /** What it is given: anything that JSON can say. */
  readonly args?: readonly unknown[]
}

/** What came of a run. */
export interface Outcome {
  /** What the function returned, or its promise was fulfilled with. */
  readonly value: unknown
  /** Errors and warnings on the console, uncaught exceptions, requests that failed, in order. */
  readonly complaints: readonly string[]
}

/** A page that is open. */
export interface Tab extends AsyncDisposable {
  /** The driver's own page. */
  readonly page: Page
  /** Errors and warnings so far. */
  readonly complaints: readonly string[]
}

/** A browser that is open. Disposing of it ends it; so does the end of the process. */
export interface Browser extends AsyncDisposable {
  /** `Chromium 156.0…`. */
  readonly version: string
  /** Opens a page and waits until it has loaded. */
  open(url: string): Promise<Tab>
  /** Bundles a module, serves it, runs one function of it, and closes the page. What the function throws is thrown here. */
  run(entry: string | URL, options?: RunOptions): Promise<Outcome>
}

// No page gets longer: one that hangs is closed, and what waits for it fails.
const LONGEST = 100_000

/** Starts a browser for a test; without one the test is skipped, or in CI fails. */
export async function openBrowser(context: SkippingContext): Promise<Browser> {
  const executablePath = requireChromium(context)
  const driver = await chromium.launch({
    executablePath,
    // Without a sandbox: containers and root have none to give. The rest keeps it from calling home.
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
  const timer = setTimeout(() => void page.close(), LONGEST).unref()
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
  const { in: where = 'page', call = 'run', args = [] } = options
  const files = { '/entry.js': await bundle(entry) }
  await using site = await serve({ folder: new URL('../page/', import.meta.url), files })
  await using tab = await openTab(driver, site.url)
  const [name, given] = [JSON.stringify(call), JSON.stringify(args)]
  // As text: the compiler here knows no browser, and would rewrite import().
  const value: unknown = await tab.page.evaluate(
    where === 'worker'
      ? `import('/in-worker.js').then(({ inWorker }) => inWorker(${name}, ${given}))`
      : `import('/entry.js').then((entry) => entry[${name}](...${given}))`,
  )
  return { value, complaints: tab.complaints }
}
