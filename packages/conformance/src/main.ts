// The command `npx @memlayer/conformance ./my-os`: runs the suite on a backend and prints a report. Its exit codes:
// 0 the backend conforms, 1 it does not conform, 2 the suite could not run.
import { parseArgs } from 'node:util'
import { conformance } from './case.js'
import { LoadError, loadSubject } from './load.js'
import { reportText } from './report.js'
import { runCases } from './run.js'

const usage = `usage: memlayer-conformance <package or file> [options]

  <package or file>  a folder with a package.json, or a module that exports 'subject' or 'createOS'
  --kernel <name>    use a kernel of @memlayer/simkernel: linux, darwin, freebsd, windows, plan9, wasm, …
  --seed <number>    repeat the random choices of an earlier run
  --only <text>      run only the case with this id, or the cases with this text in their id
  --json             print the report as JSON
  --list             print the cases without running them
  --help             print this text`

/** Runs the command and returns its exit code. */
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
  if (values.list !== true && (path === undefined || more.length > 0))
    throw new LoadError('give one backend: a package or a file')
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
  if (!Number.isSafeInteger(seed)) throw new LoadError(`--seed is '${values.seed}': give a whole number`)
  const subject = path === undefined ? nothing : await loadSubject(path, values.kernel)
  const all = conformance(subject, { seed })
  const isOne = all.some(({ id }) => id === values.only)
  const cases = all.filter(({ id }) => (isOne ? id === values.only : id.includes(values.only ?? '')))
  if (cases.length === 0) throw new LoadError(`no case has '${values.only}' in its id: see --list for the ids`)
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
      : reportText(report, subject.name, seed, commandOf(path, values.kernel)),
  )
  return report.conforms ? 0 : 1
}

/** The command as it was given, without what chooses cases. */
function commandOf(path: string | undefined, kernel: string | undefined): string {
  return `npx memlayer-conformance ${path}${kernel === undefined ? '' : ` --kernel ${kernel}`}`
}

// The subject for --list, which runs no case.
const nothing = {
  name: 'none',
  createOS(): never {
    throw new LoadError('give one backend: a package or a file')
  },
}
