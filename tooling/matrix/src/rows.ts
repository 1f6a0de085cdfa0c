// Makes each row of the matrix from a real run of the suite: on a runtime, in a bundle, or in a page. If a result is
// not the expected one, it throws an error that says what it found, and makes no row.
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openEngine, serve, type Engine, type EngineName, type SkippingContext } from '@memlayer/browser'
import type { Bundling } from './bundlers.js'
import { run, type RunOptions } from './command.js'
import { contentsOf } from './contents.js'
import { programOf, type Runtime } from './runtimes.js'
import type { Outcome } from './suite/case.js'
import { SUITE } from './suite-files.js'

/** The seed of the suite's random history. */
export interface Seeded {
  readonly seed: number
}

/** The cells of a row. */
export type Row = readonly string[]

/** A finished bundle. */
export interface Bundle extends Bundling {
  /** The folder with the bundle, and the bundle's file name. */
  readonly folder: string
  readonly file: string
}

/** Runs the suite on a runtime, in a folder with memlayer installed. */
export async function runtimeRow(runtime: Runtime, app: string, { seed }: Seeded): Promise<Row> {
  const { engine, args, how, calls, says = '' } = runtime
  const outcome = await runSuite(programOf(engine) ?? engine, [...args, SUITE, String(seed)], { cwd: app })
  expectOutcome(outcome, how, calls)
  if (!outcome.reason.includes(says))
    throw new Error(`the fallback's reason should contain '${says}', but it is: ${outcome.reason}`)
  return [outcome.runtime, code(runtime.shown), code(outcome.backend), how, calls ?? 'none', passed(outcome)]
}

/** Runs a bundle for Node or Bun, in a folder with only the bundle, or with the bundle and koffi's addon. */
export async function bundleRow(bundle: Bundle, empty: string, addon: string, { seed }: Seeded): Promise<Row> {
  const text = readFileSync(join(bundle.folder, bundle.file), 'latin1')
  const { backends } = contentsOf(text)
  const { how } = bundle
  const cells: string[] = []
  for (const { program, args, calls } of startsOf(bundle)) {
    rmSync(empty, { recursive: true, force: true })
    mkdirSync(empty)
    cpSync(join(bundle.folder, bundle.file), join(empty, bundle.file))
    if (calls === 'koffi') copyFileSync(addon, join(empty, 'koffi.node'))
    const outcome = await runSuite(program ?? join(empty, bundle.file), [...args, String(seed)], { cwd: empty })
    expectOutcome(outcome, how, calls)
    cells.push(`${calls}: ${passed(outcome)}`)
  }
  return [bundle.title, bundle.for === 'bun' ? 'Bun' : 'Node', listed(backends), cells.join(', ')]
}

interface Start {
  /** The program that runs the bundle, or `null` if the bundle is itself a program. */
  readonly program: string | null
  readonly args: readonly string[]
  readonly calls: NonNullable<Runtime['calls']>
}

/** Returns how to start a bundle. For Node: on Node 24 with koffi's addon, and on Node 26 with only the bundle. */
function startsOf({ for: target, file }: Bundle): Start[] {
  if (target === 'bun') {
    return [
      file === 'bundle'
        ? { program: null, args: [], calls: 'bun:ffi' }
        : { program: programOf('bun'), args: [file], calls: 'bun:ffi' },
    ]
  }
  return [
    { program: programOf('node24'), args: [file], calls: 'koffi' },
    { program: programOf('node26'), args: ['--disable-warning=ExperimentalWarning', file], calls: 'node:ffi' },
  ]
}

const engineNames: readonly EngineName[] = ['Chromium', 'Firefox', 'WebKitGTK']

/** One browser of each engine, for all bundles, because Firefox and WebKitGTK take seconds to start. */
export class Browsers implements AsyncDisposable {
  readonly #open = new Map<EngineName, Promise<Engine>>()

  /** Returns every engine by its name. Without one of them it skips the test, or fails it in CI. */
  async all(context: SkippingContext): Promise<[EngineName, Engine][]> {
    const opened: [EngineName, Engine][] = []
    for (const name of engineNames) {
      const engine = this.#open.get(name) ?? openEngine[name](context)
      this.#open.set(name, engine)
      opened.push([name, await engine])
    }
    return opened
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of this.#open.values()) await (await engine.catch(() => null))?.[Symbol.asyncDispose]()
  }
}

/** Runs a bundle for a browser in every engine, in a page and in a module worker. */
export async function pageRow(
  bundle: Bundle,
  browsers: Browsers,
  context: SkippingContext,
  { seed }: Seeded,
): Promise<Row> {
  const text = readFileSync(join(bundle.folder, bundle.file), 'utf8')
  const { backends, koffi, foreign } = contentsOf(text)
  if (koffi || foreign || listed(backends) !== listed(['js'])) {
    const found = `${listed(backends)}${koffi ? ' and koffi' : ''}${foreign ? ' and foreign calls' : ''}`
    throw new Error(`the bundle for a browser contains ${found}, but should contain only os-js`)
  }
  await using site = await serve({ files: { ...siteOf(seed), '/bundle.js': text } })
  const cells: string[] = []
  for (const [name, engine] of await browsers.all(context)) {
    const found: string[] = []
    for (const where of ['page', 'worker'] as const) {
      await using tab = await engine.open(`${site.url}/${where}.html`)
      const outcome = (await tab.evaluate('globalThis.memlayerOutcome')) as Outcome
      const complaints = await tab.complaints()
      if (complaints.length > 0) throw new Error(`${where} of ${name}: errors or warnings: ${complaints.join('\n')}`)
      expectOutcome(outcome, 'host', null)
      found.push(`${where} ${passed(outcome)}`)
    }
    cells.push(`${name}: ${found.join(', ')}`)
  }
  return [bundle.title, 'browser', listed(backends), cells.join('; ')]
}

/** The pages that run a bundle: one in its own thread, the other in a module worker. Both tell their outcome. */
function siteOf(seed: number): Record<string, string> {
  const html = (body: string): string => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${body}`
  const complain = `addEventListener('error', ({ message }) => (globalThis.memlayerComplaints ??= []).push(message))`
  return {
    '/page.html': html(`<script>${complain}; globalThis.memlayerSeed = ${seed}</script>
      <script type="module" src="/bundle.js"></script>`),
    '/worker.html': html(`<script>
      globalThis.memlayerOutcome = new Promise((resolve, reject) => {
        const worker = new Worker('/worker.js', { type: 'module' })
        worker.onmessage = ({ data }) => resolve(data)
        worker.onerror = ({ message }) => reject(new Error('the worker failed: ' + message))
      })</script>`),
    // An import runs before the lines around it.
    '/seed.js': `globalThis.memlayerSeed = ${seed}`,
    '/worker.js': `import '/seed.js'; import '/bundle.js'
      void globalThis.memlayerOutcome.then((outcome) => postMessage(outcome))`,
  }
}

/** Runs the suite and returns its outcome, also when cases failed. */
export async function runSuite(program: string, args: readonly string[], options: RunOptions): Promise<Outcome> {
  const { code: exit, signal, stdout, stderr } = await run(program, args, options)
  const line = stdout.trimEnd().split('\n').at(-1) ?? ''
  if (!line.startsWith('{'))
    throw new Error(
      `${program} ${args.join(' ')} printed no outcome, ended with ${exit ?? signal}:\n${stderr}${stdout}`,
    )
  return JSON.parse(line) as Outcome
}

function expectOutcome(outcome: Outcome, how: string, calls: string | null): void {
  const { failed, engine, how: was, backend, reason } = outcome
  const wrong = failed.map(({ title, message }) => `${title}: ${message}`)
  const expected = `@memlayer/os-${calls === null ? 'js' : 'linux'}`
  if (backend !== expected || was !== how)
    wrong.push(`memlayer chose ${backend} (${was}), but should choose ${expected} (${how}): ${reason}`)
  if (engine !== calls) wrong.push(`the engine is ${engine}, but should be ${calls}`)
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
}

function passed({ passed: good, failed }: Outcome): string {
  return `${good.length} of ${good.length + failed.length}`
}

function listed(backends: readonly string[]): string {
  return backends.map((backend) => code(`os-${backend}`)).join(', ')
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``
}
