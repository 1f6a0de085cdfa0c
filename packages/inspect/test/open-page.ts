// The set-up that the page's tests have in common: a browser, an inspector over a memory, and its page with a first
// snapshot. The browser ends with the file, because it takes seconds to start, and the rest with the test.
import { openBrowser, type Browser, type ChromiumTab } from '@memlayer/browser'
import type { Memory } from '@memlayer/core'
import { inspect, type InspectOptions, type Inspector } from '@memlayer/inspect'
import type { Page } from 'playwright-core'
import { afterAll, type TestContext } from 'vitest'
import { fresh, living } from './living.js'

let shared: Promise<Browser> | undefined
afterAll(async () => (await shared)?.[Symbol.asyncDispose]())

/** The browser of this file's tests. Each page of it has cookies and stores of its own. */
export async function browserOf(context: TestContext): Promise<Browser> {
  shared ??= openBrowser(context)
  try {
    return await shared
  } catch (error) {
    // Each test says by itself that it has no browser.
    shared = undefined
    throw error
  }
}

/** An open page over a live memory. */
export interface OpenPage extends AsyncDisposable {
  /** The browser. */
  readonly browser: Browser
  /** The memory. */
  readonly memory: Memory
  /** Its inspector. */
  readonly inspector: Inspector
  /** The tab, with what the page complained of. */
  readonly tab: ChromiumTab
  /** The page, which has shown a snapshot. */
  readonly page: Page
}

/** Opens the page of `memory`. Without a browser it skips the test. */
export async function openPage(
  context: TestContext,
  memory: Memory = living(),
  options: InspectOptions = {},
): Promise<OpenPage> {
  await using ending = new AsyncDisposableStack()
  const browser = await browserOf(context)
  const inspector = ending.use(await inspect(memory, options))
  const tab = ending.use(await browser.open(inspector.url))
  await fresh(tab.page)
  const all = ending.move()
  return { browser, memory, inspector, tab, page: tab.page, [Symbol.asyncDispose]: () => all.disposeAsync() }
}
