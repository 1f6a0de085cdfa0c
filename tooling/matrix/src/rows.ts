// Rows of the matrix, each from a real run: the suite on a runtime, in a bundle, in a page. A row that is not
// as it has to be is not made: the sentence that is thrown in its place says what was found.
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openBrowser, serve, type SkippingContext } from '@memlayer/browser'
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

/** A row's cells. */
export type Row = readonly string[]

/** A bundle that was made. */
export interface Bundle extends Bundling {
  /** The folder that it was made into, and its name there. */
  readonly folder: string
  readonly file: string
}

/** The suite on a runtime, in a folder in which memlayer is installed. */
export async function runtimeRow(runtime: Runtime, app: string, { seed }: Seeded): Promise<Row> {
  const { engine, args, how, calls, says = '' } = runtime
  const outcome = await runSuite(programOf(engine) ?? engine, [...args, SUITE, String(seed)], { cwd: app })
  expectOutcome(outcome, how, calls)
  if (!outcome.reason.includes(says)) throw new Error(`the reason does not name ${says}: ${outcome.reason}`)
  return [outcome.runtime, code(runtime.shown), code(outcome.backend), how, calls ?? 'none', passed(outcome)]
}

/** A bundle for Node or Bun, run in a folder that has nothing else in it, or koffi's addon beside. */
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
  /** `null`: the bundle is itself a program. */
  readonly program: string | null
  readonly args: readonly string[]
  readonly calls: NonNullable<Runtime['calls']>
}

/** On Node 24 with koffi's addon beside the bundle, and on Node 26 with nothing beside it. */
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

/** A bundle for a browser, in a page of Chromium. */
export async function pageRow(bundle: Bundle, context: SkippingContext, { seed }: Seeded): Promise<Row> {
  const text = readFileSync(join(bundle.folder, bundle.file), 'utf8')
  const { backends, koffi, foreign } = contentsOf(text)
  if (koffi || foreign || listed(backends) !== listed(['js'])) {
    throw new Error(
      `the bundle has ${listed(backends)}${koffi ? ' and koffi' : ''}${foreign ? ' and foreign calls' : ''}`,
    )
  }
  const html = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script>globalThis.memlayerSeed = ${seed}</script>
    <script type="module" src="/bundle.js"></script>`
  await using site = await serve({ files: { '/index.html': html, '/bundle.js': text } })
  await using browser = await openBrowser(context)
  await using tab = await browser.open(site.url)
  const outcome = await tab.page.evaluate<Outcome>('globalThis.memlayerOutcome')
  if (tab.complaints.length > 0) throw new Error(`the browser complains: ${tab.complaints.join('\n')}`)
  expectOutcome(outcome, 'host', null)
  return [bundle.title, 'browser', listed(backends), `Chromium: ${passed(outcome)}`]
}

/** Runs the suite; what came of it, whether or not it passed. */
export async function runSuite(program: string, args: readonly string[], options: RunOptions): Promise<Outcome> {
  const { code: exit, signal, stdout, stderr } = await run(program, args, options)
  const line = stdout.trimEnd().split('\n').at(-1) ?? ''
  if (!line.startsWith('{'))
    throw new Error(`${program} ${args.join(' ')} ended with ${exit ?? signal}:\n${stderr}${stdout}`)
  return JSON.parse(line) as Outcome
}

function expectOutcome(outcome: Outcome, how: string, calls: string | null): void {
  const { failed, engine, how: was, backend, reason } = outcome
  const wrong = failed.map(({ title, message }) => `${title}: ${message}`)
  const expected = `@memlayer/os-${calls === null ? 'js' : 'linux'}`
  if (backend !== expected || was !== how)
    wrong.push(`chosen was ${backend} (${was}), and should be ${expected} (${how}): ${reason}`)
  if (engine !== calls) wrong.push(`the engine is ${engine}, and should be ${calls}`)
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
