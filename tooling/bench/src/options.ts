// The command line of the benchmark.
import { parseArgs } from 'node:util'
import type { Benchmark } from './benchmark.js'

/** What is asked for. */
export interface Options {
  readonly help: boolean
  readonly list: boolean
  readonly quick: boolean
  readonly write: boolean
  /** Where the figures go as JSON. */
  readonly json: string
  /** Parts of names; none: every benchmark. */
  readonly names: readonly string[]
}

const defaultJson = 'bench-results/latest.json'

/** Reads the arguments. @throws TypeError for one that is not known. */
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

/** The benchmarks whose names have one of `names` in them. */
export function pick(benchmarks: readonly Benchmark[], names: readonly string[]): Benchmark[] {
  return benchmarks.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)))
}

/** What --help prints. */
export function helpText(benchmarks: readonly Benchmark[]): string {
  const width = Math.max(...benchmarks.map(({ name }) => name.length))
  return `npm run bench -- [options] [part of a name …]

Measures memlayer beside a C program that makes the same kernel calls (where gcc is installed), beside the bare
foreign call, and beside what JavaScript offers instead. The ways of doing a work take turns in one run; a line
gives medians, and of the comparison, made turn by turn, the middle half. Goals that are missed are marked: nothing fails.

  --quick      little work, few turns: shows that every benchmark works, not what anything costs
  --json FILE  where the figures go as JSON (default ${defaultJson})
  --write      also writes them to packages/docs/benchmarks.md
  --list       the names
  --help       this text

${benchmarks.map(({ name, says }) => `  ${name.padEnd(width)}  ${says}`).join('\n')}
`
}
