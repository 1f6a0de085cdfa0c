// The command line of the benchmark.
import { parseArgs } from 'node:util'
import type { Benchmark } from './benchmark.js'

/** The options of one run. */
export interface Options {
  readonly help: boolean
  readonly list: boolean
  readonly quick: boolean
  readonly write: boolean
  /** The file that gets the figures as JSON. */
  readonly json: string
  /** Parts of names. An empty list means every benchmark. */
  readonly names: readonly string[]
}

const defaultJson = 'bench-results/latest.json'

/** Reads the arguments. @throws TypeError for an unknown argument. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      list: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      json: { type: 'string', default: defaultJson },
    },
  })
  return { ...values, names: positionals }
}

/** Returns the benchmarks whose names contain one of `names`. */
export function pick(benchmarks: readonly Benchmark[], names: readonly string[]): Benchmark[] {
  return benchmarks.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)))
}

/** Returns the text that --help prints. */
export function helpText(benchmarks: readonly Benchmark[]): string {
  const width = Math.max(...benchmarks.map(({ name }) => name.length))
  return `npm run bench -- [options] [part of a name …]

Measures memlayer beside three others: a C program that makes the same kernel calls (where gcc is installed), the
bare foreign call, and what JavaScript offers instead. The ways of doing a work take turns in one run. A line shows
the median of each way. It also shows the middle half of the comparisons, which are made turn by turn.
The page marks a missed goal, and the run still succeeds.

  --quick      does little work in few turns; this shows that every benchmark works, not what the work costs
  --json FILE  writes the figures to FILE as JSON (default ${defaultJson})
  --write      also writes the page to packages/docs/benchmarks.md
  --list       prints the names
  --help       prints this text

${benchmarks.map(({ name, says }) => `  ${name.padEnd(width)}  ${says}`).join('\n')}
`
}
