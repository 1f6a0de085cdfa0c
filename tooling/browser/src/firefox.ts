// Drives Debian's Firefox with puppeteer-core, by WebDriver BiDi: Firefox itself is the server, without a driver
// program.
import { launch, type Browser as Driver } from 'puppeteer-core'
import { pageLifeMsMax, recorded, type Engine, type Tab } from './engine.js'
import { requireProgram, type SkippingContext } from './programs.js'

/** Starts a Firefox for a test. Without one it skips the test, or fails it in CI. */
export async function openFirefox(context: SkippingContext): Promise<Engine> {
  const executablePath = requireProgram('Firefox', context)
  const driver = await launch({ browser: 'firefox', executablePath, headless: true, protocolTimeout: pageLifeMsMax })
  const version = (await driver.version()).split('/').at(-1) ?? ''
  return {
    version: `Firefox ${version}`,
    open: (url) => openTab(driver, url),
    [Symbol.asyncDispose]: () => driver.close(),
  }
}

async function openTab(driver: Driver, url: string): Promise<Tab> {
  const page = await driver.newPage()
  page.setDefaultTimeout(pageLifeMsMax)
  const complaints: string[] = []
  page.on('console', (message) => {
    const type = message.type()
    if (type === 'error' || type === 'warn' || type === 'assert') complaints.push(`console ${type}: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`uncaught: ${String(error)}`))
  page.on('requestfailed', (request) => complaints.push(`request failed: ${request.url()}`))
  try {
    await page.goto(url)
  } catch (error) {
    await page.close()
    throw error
  }
  return {
    evaluate: (expression) => page.evaluate(expression),
    // Events may come later than answers, and there is none of a missing file. The served pages record by themselves.
    complaints: async () => [...complaints, ...((await page.evaluate(recorded)) as string[])],
    [Symbol.asyncDispose]: () => page.close(),
  }
}
