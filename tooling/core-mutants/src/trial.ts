// Runs a package's tests: once without a mutant, to see which test files come to which mutant, and then these files for
// each mutant, the quick ones first, up to the first test that fails.
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { createVitest, type TestModule, type TestSpecification, type TestUserConfig, type Vitest } from 'vitest/node'
import type { Scratch } from './scratch.js'

/** A test file, and the mutants that it comes to. */
export interface TestFile {
  readonly path: string
  /** How long its tests take, in milliseconds. */
  readonly time: number
  readonly mutants: ReadonlySet<number>
}

/** How a mutant ended. */
export interface Verdict {
  /** `caught`: a test failed. `endless`: the tests did not end. `survived`: they passed. `unreached`: none runs it. */
  readonly end: 'caught' | 'endless' | 'survived' | 'unreached'
  /** The first test that failed. */
  readonly by: string
}

/** How long tests may take before a mutant counts as endless, in milliseconds. */
export interface Patience {
  /** The least time for the tests of one file. Five times what they take without a mutant is added. */
  readonly fileTimeMin: number
  /** The time for a process of tests to start. */
  readonly startTime: number
}

const patient: Patience = { fileTimeMin: 4000, startTime: 15_000 }
const fileTimeFactor = 5
/** A mutant may make a loop that allocates. It must not take the machine's memory. */
const heapLimit = '--max-old-space-size=768'
/** Random tests find the same in every run. */
const seed = '1'

/** The tests of a scratch copy. */
export class Trial {
  readonly #scratch: Scratch
  readonly #hits: string
  readonly #pids: string

  readonly #patience: Patience

  constructor(scratch: Scratch, patience: Patience = patient) {
    this.#patience = patience
    this.#scratch = scratch
    this.#hits = join(scratch.root, 'hits')
    this.#pids = join(scratch.root, 'pids')
    const preload = pathToFileURL(join(import.meta.dirname, 'switch.js')).href
    process.env['NODE_OPTIONS'] = `--import=${preload} ${heapLimit}`
    process.env['MEMLAYER_SEED'] = seed
    process.env['MEMLAYER_MUTANT_PIDS'] = this.#pids
  }

  /**
   * Runs every test file in a process of its own, and all of them once more in one process. Files that fail in either
   * are not used: `unfit` has their names.
   */
  async record(isUsed: (path: string) => boolean): Promise<{ files: TestFile[]; unfit: string[] }> {
    appendFileSync(this.#hits, '')
    process.env['MEMLAYER_MUTANT_HITS'] = this.#hits
    const alone = await this.#start(true, 0)
    const specifications = (await alone.globTestSpecifications()).filter(({ moduleId }) => isUsed(moduleId))
    const { testModules } = await alone.runTestSpecifications(specifications)
    await alone.close()
    delete process.env['MEMLAYER_MUTANT_HITS']
    const hits = new Map<string, Set<number>>()
    for (const line of readFileSync(this.#hits, 'utf8').split('\n')) {
      const space = line.indexOf(' ')
      const path = line.slice(space + 1)
      if (space > 0) hits.set(path, (hits.get(path) ?? new Set()).add(Number(line.slice(0, space))))
    }
    const passed = testModules.filter((module) => module.ok())
    const files = passed
      .map((module) => ({
        path: module.moduleId,
        time: module.diagnostic().duration,
        mutants: hits.get(module.moduleId) ?? new Set<number>(),
      }))
      .toSorted((a, b) => a.time - b.time)
    const together = await this.#together(files)
    const fit = files.filter(({ path }) => together.has(path))
    const unfit = testModules.map(({ moduleId }) => moduleId).filter((path) => !together.has(path))
    return { files: fit, unfit }
  }

  /** The paths of the files that pass when all run in one process. */
  async #together(files: readonly TestFile[]): Promise<Set<string>> {
    const vitest = await this.#start(false, 0)
    const { testModules } = await vitest.runTestSpecifications(ordered(await vitest.globTestSpecifications(), files))
    await vitest.close()
    return new Set(testModules.filter((module) => module.ok()).map(({ moduleId }) => moduleId))
  }

  /** Tries mutants, each with the source file that it is in, and tells each verdict when it is there. */
  async judge(
    mutants: readonly (readonly [mutant: number, source: string])[],
    files: readonly TestFile[],
    tell: (mutant: number, verdict: Verdict) => void,
  ): Promise<void> {
    const vitest = await this.#start(false, 1)
    const specifications = await vitest.globTestSpecifications()
    const catches = new Catches()
    for (const [mutant, source] of mutants) {
      const reaching = catches.order(
        source,
        files.filter((file) => file.mutants.has(mutant)),
      )
      if (reaching.length === 0) {
        tell(mutant, { end: 'unreached', by: '' })
        continue
      }
      // One mutant after the other: their tests measure time and memory.
      const verdict = await this.#judgeOne(vitest, mutant, reaching, ordered(specifications, reaching))
      catches.count(source, verdict)
      tell(mutant, verdict)
    }
    await vitest.close()
    // vitest sets it when a test fails, and here tests are meant to fail.
    process.exitCode = 0
  }

  async #judgeOne(
    vitest: Vitest,
    mutant: number,
    files: readonly TestFile[],
    specifications: TestSpecification[],
  ): Promise<Verdict> {
    const slowest = Math.max(...files.map(({ time }) => time))
    const limit = this.#patience.fileTimeMin + fileTimeFactor * slowest
    process.env['MEMLAYER_MUTANT'] = String(mutant)
    process.env['MEMLAYER_MUTANT_LIMIT'] = String(limit)
    rmSync(this.#pids, { force: true })
    const ended = new AbortController()
    const total = files.reduce((sum, { time }) => sum + time, this.#patience.startTime + limit)
    const killed = wait(total, true, { signal: ended.signal }).then(
      () => this.#kill(),
      () => false,
    )
    // vitest keeps what failed in its earlier runs, and counts it for `bail`.
    vitest.state.filesMap.clear()
    vitest.state.idMap.clear()
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications)
    ended.abort()
    if (await killed) return { end: 'endless', by: '' }
    const failed = testModules.find((module) => module.state() === 'failed')
    if (failed !== undefined) return { end: 'caught', by: firstFailure(failed) }
    return unhandledErrors.length > 0
      ? { end: 'caught', by: 'an error outside of a test' }
      : { end: 'survived', by: '' }
  }

  /** Ends the processes of the run, which their switches wrote down. */
  #kill(): boolean {
    if (!existsSync(this.#pids)) return false
    for (const pid of readFileSync(this.#pids, 'utf8').trim().split('\n')) {
      try {
        process.kill(Number(pid), 'SIGKILL')
      } catch {
        // It has ended by itself.
      }
    }
    return true
  }

  #start(isolate: boolean, bail: 0 | 1): Promise<Vitest> {
    const setup = join(import.meta.dirname, 'setup.js')
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
    const options = {
      root: this.#scratch.folder,
      config: false,
      watch: false,
      include: ['test/**/*.test.ts'],
      setupFiles: [setup],
      reporters: [{}],
      pool: 'forks',
      maxWorkers: 1,
      isolate,
      bail,
      testTimeout: 60_000,
      sequence: { sequencer: GivenOrder },
    } satisfies TestUserConfig
    // The warnings of wrong code say nothing here.
    return createVitest(options, {}, { stdout: nowhere, stderr: nowhere })
  }
}

/** Which test file caught how many mutants of a source file: the one that caught most goes first. */
class Catches {
  readonly #counts = new Map<string, number>()

  count(source: string, { by }: Verdict): void {
    const key = `${source} ${basename(by.replace(/:.*/, ''))}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  /** The files, which come in the order of their time, in the order in which they are likely to catch. */
  order(source: string, files: readonly TestFile[]): TestFile[] {
    const own = `${basename(source, '.ts')}.test.ts`
    const weight = ({ path }: TestFile): number =>
      (this.#counts.get(`${source} ${basename(path)}`) ?? 0) + (basename(path) === own ? 1 : 0)
    return files.toSorted((a, b) => weight(b) - weight(a))
  }
}

/** Test files in the order in which they are given. vitest would put those that failed before first. */
class GivenOrder {
  shard(files: TestSpecification[]): TestSpecification[] {
    return files
  }

  sort(files: TestSpecification[]): TestSpecification[] {
    return files
  }
}

/** The specifications of these files, in their order. */
function ordered(every: readonly TestSpecification[], files: readonly TestFile[]): TestSpecification[] {
  const byPath = new Map(every.map((specification) => [specification.moduleId, specification]))
  return files.flatMap(({ path }) => byPath.get(path) ?? [])
}

function firstFailure(module: TestModule): string {
  for (const test of module.children.allTests('failed')) return `${module.relativeModuleId}: ${test.fullName}`
  return module.relativeModuleId
}
