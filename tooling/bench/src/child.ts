// Runs one benchmark in its own process. main.ts starts it with a name and the settings, and receives its lines.
import { benchmarks } from './benchmarks/index.js'
import type { Settings } from './benchmark.js'

const [name = '', settings = '{}'] = process.argv.slice(2)
const benchmark = benchmarks.find((one) => one.name === name)
if (benchmark === undefined) throw new Error(`the benchmark '${name}' does not exist: see --list`)
benchmark.run(JSON.parse(settings) as Settings).then(
  (lines) => process.send?.(lines),
  (error: unknown) => {
    console.error(error)
    process.exitCode = 1
  },
)
