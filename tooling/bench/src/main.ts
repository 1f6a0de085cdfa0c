// `npm run bench` runs the benchmarks one after the other, each in its own process, and prints one page.
import { fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import type { Benchmark, Settings } from './benchmark.js'
import { benchmarks } from './benchmarks/index.js'
import type { Comparison } from './comparison.js'
import { writeDocument } from './document.js'
import { buildFloor } from './floor.js'
import { openMemory } from './layer.js'
import { describeMachine } from './machine.js'
import { helpText, pick, readOptions, type Options } from './options.js'
import { pageText, type Results } from './page.js'

const root: string = join(import.meta.dirname, '..', '..', '..')

/** Runs one benchmark in its own process. */
async function runApart(benchmark: Benchmark, settings: Settings): Promise<readonly Comparison[]> {
  return new Promise((fulfil, reject) => {
    const args = [benchmark.name, JSON.stringify(settings)]
    const child = fork(join(import.meta.dirname, 'child.js'), args, {
      // A benchmark's regions end with its process, so it need not free them.
      execArgv: ['--expose-gc', '--disable-warning=MEMLAYER_LEAK', ...(benchmark.flags ?? [])],
    })
    let lines: readonly Comparison[] | undefined
    child.on('message', (message) => (lines = message as readonly Comparison[]))
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (lines === undefined)
        reject(new Error(`the benchmark '${benchmark.name}' ended without lines, with ${code ?? signal}`))
      else fulfil(lines)
    })
  })
}

async function measure({ quick, names }: Options, progress: (text: string) => void): Promise<Results> {
  const folder = mkdtempSync(join(tmpdir(), 'memlayer-bench-'))
  try {
    const floor = buildFloor(folder)
    const { pageSize, hugePageSize } = openMemory().os.traits
    const compiler = floor.path === null ? floor.reason : floor.compiler
    const machine = describeMachine(compiler, pageSize, hugePageSize)
    const comparisons: Results['comparisons'][number][] = []
    for (const benchmark of pick(benchmarks, names)) {
      progress(`${benchmark.name}: ${benchmark.says}`)
      const lines = await runApart(benchmark, { quick, floor: floor.path })
      comparisons.push(...lines.map((line) => ({ benchmark: benchmark.name, ...line })))
    }
    return { date: new Date().toISOString(), quick, machine, comparisons }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args)
  if (options.help) return console.log(helpText(benchmarks))
  if (options.list) return console.log(benchmarks.map(({ name }) => name).join('\n'))
  if (process.platform !== 'linux')
    throw new Error(`the benchmark measures the Linux backend, and this is ${process.platform}: run it on Linux`)
  if (pick(benchmarks, options.names).length === 0)
    throw new Error(`no name of a benchmark contains ${options.names.join(' or ')}: see --list`)
  const results = await measure(options, (text) => process.stderr.write(`${text}\n`))
  console.log(`\n${pageText(results)}\n`)
  const file = resolve(root, options.json)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
  console.log(`Figures as JSON: ${relative(root, file)}`)
  if (options.write) console.log(`Written to ${relative(root, writeDocument(root, results))}`)
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
