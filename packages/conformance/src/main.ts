// `npx @memlayer/conformance ./my-os`: runs the suite over a backend, prints a report, and says
// by its exit code how it went: 0 it conforms, 1 it does not, 2 it could not be run.
import { parseArgs } from 'node:util'
import { conformance } from './case.js'
import { LoadError, loadSubject } from './load.js'
import { reportText } from './report.js'
import { runCases } from './run.js'

const usage = `usage: memlayer-conformance <package or file> [options]

  <package or file>  a folder with a package.json, or a module that exports 'subject' or 'createOS'
  --kernel <name>    over a kernel of @memlayer/simkernel: linux, darwin, freebsd, windows, plan9, wasm, …
  --seed <number>    replays the random choices of a run
  --only <text>      the cases with this text in their id
  --json             the report as JSON
  --list             the cases, and runs none
  --help             this`

/** Runs the command; the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await run(args)
  } catch (error) {
    const isOurs =
      error instanceof LoadError || (error as { code?: unknown }).code?.toString().startsWith('ERR_PARSE_ARGS')
    console.error(isOurs === true ? `${(error as Error).message}\n\n${usage}` : error)
    return 2
  }
}

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      kernel: { type: 'string' },
      seed: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'boolean' },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) {
    console.log(usage)
    return 0
  }
  const [path, ...more] = positionals
  if (values.list !== true && (path === undefined || more.length > 0)) throw new LoadError('name one backend')
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
  if (!Number.isSafeInteger(seed)) throw new LoadError(`the seed is ${values.seed}, and not a whole number`)
  const subject = path === undefined ? nothing : await loadSubject(path, values.kernel)
  const cases = conformance(subject, { seed }).filter(({ id }) => values.only === undefined || id.includes(values.only))
  if (cases.length === 0) throw new LoadError(`no case has '${values.only}' in its id`)
  if (values.list === true) {
    for (const { id, title } of cases) console.log(`${id.padEnd(28)} ${title}`)
    return 0
  }
  const report = runCases(cases)
  const json = {
    subject: subject.name,
    seed,
    conforms: report.conforms,
    counts: report.counts,
    results: report.results,
  }
  console.log(
    values.json === true
      ? JSON.stringify(json, (key, value: unknown) => (key === 'error' ? undefined : value), 2)
      : reportText(report, subject.name, seed),
  )
  return report.conforms ? 0 : 1
}

// What --list binds its cases to: none of them is run.
const nothing = {
  name: 'none',
  createOS(): never {
    throw new LoadError('name one backend')
  },
}
