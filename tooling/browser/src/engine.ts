// What every browser does for a test: it opens pages, runs modules in a page or in a worker, and records errors and
// warnings. chromium.ts, firefox.ts and webkit.ts say how each of them is driven.
import { bundle } from './bundle.js'
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
  /** Returns the value of an expression, or of its promise, as a JSON value. @throws what the expression throws. */
  evaluate(expression: string): Promise<unknown>
  /** Errors and warnings until now. */
  complaints(): Promise<readonly string[]>
}

/** An open browser. It ends on disposal. */
export interface Engine extends AsyncDisposable {
  /** `Chromium 156.0…`, `Firefox 153.0…`, `WebKitGTK 2.50…`. */
  readonly version: string
  /** Opens a page and waits until it has loaded. */
  open(url: string): Promise<Tab>
}

/** Closes a page that hangs after this time, in ms. A call that waits for the page then fails. */
export const pageLifeMsMax = 100_000

/** The expression of what page/complaints.js has recorded in a page that has it. */
export const recorded = 'globalThis.memlayerComplaints ?? []'

/** Bundles a module, serves it, runs one of its functions, and closes the page. @throws what the function throws. */
export async function runModule(engine: Engine, entry: string | URL, options: RunOptions = {}): Promise<Outcome> {
  const files = { '/entry.js': await bundle(entry) }
  await using site = await serve({ folder: new URL('../page/', import.meta.url), files })
  await using tab = await engine.open(site.url)
  const value = await tab.evaluate(expressionOf(options))
  return { value, complaints: await tab.complaints() }
}

/** The expression that calls the function, in a page with the module at /entry.js. */
function expressionOf({ in: where = 'page', call = 'run', args = [] }: RunOptions): string {
  const [name, given] = [JSON.stringify(call), JSON.stringify(args)]
  // The code is text, because the compiler does not know browsers and would rewrite import().
  return where === 'worker'
    ? `import('/in-worker.js').then(({ inWorker }) => inWorker(${name}, ${given}))`
    : `import('/entry.js').then((entry) => entry[${name}](...${given}))`
}
