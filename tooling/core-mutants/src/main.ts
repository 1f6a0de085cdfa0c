// `npm run mutants:core`: makes core wrong in one place at a time, and says which mutants its tests do not catch.
// packages/docs/core-mutants.md has its figures.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { mutantsIn, type Mutant } from './mutants.js'
import { closingLine, isCaught, tableOf, tableOfEqual, type Outcome } from './report.js'
import { sample } from './sample.js'
import { scratchOf } from './scratch.js'
import { equivalent } from './equivalent.js'
import { Trial } from './trial.js'

const packageFolder = join(import.meta.dirname, '..', '..', '..', 'packages', 'core')

/** The modules, by name: files, or folders, below packages/core/src. */
const modules: readonly string[] = ['check', 'ledger', 'borrows', 'mappings', 'account', 'limit', 'scavenge', 'retired']

/** Test files that take seconds, or look at files and texts. They run with --all. */
const slow = /\.(random|hostile)\.test\.ts$|\b(readme|copies)\.test\.ts$/

const usage = `usage: npm run mutants:core -- [module …] [--sample N] [--seed N] [--only TEXT] [--all] [--list]
                                 [--equal] [--out FILE] [--again FILE]

  module         one of ${modules.join(', ')}. Default: all
  --sample <n>   try as many mutants of each module, chosen by the seed. Default: 60
  --seed <n>     choose others. Default: 1
  --only <text>  only mutants with this text in their name
  --all          run the random and the hostile tests too: much longer, so best with --again
  --list         print the mutants, and try none
  --equal        print the mutants that no test can tell, with the reasons, and try none
  --out <file>   write the verdicts into this file, as JSON, each when it is there
  --again <file> try those that the run with this --out did not catch, and count the others as they were
  --help         print this text`

await main()

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      sample: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      out: { type: 'string' },
      again: { type: 'string' },
      all: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      equal: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(usage)
  if (values.equal) return console.log(tableOfEqual(equivalent))
  const [count, seed] = [Number(values.sample), Number(values.seed)]
  const unknown = positionals.find((name) => !modules.includes(name))
  if (unknown !== undefined) return refuse(`there is no module '${unknown}'`)
  if (!Number.isSafeInteger(count) || count < 1) return refuse('--sample takes a whole number from 1')
  if (!Number.isSafeInteger(seed)) return refuse('--seed takes a whole number')
  const chosen: Mutant[] = []
  const totals = new Map<string, number>()
  for (const name of positionals.length > 0 ? positionals : modules) {
    const every = filesOf(name).flatMap((file) => mutantsIn(file, sourceOf(file)))
    totals.set(name, every.length)
    chosen.push(...sample(every, count, seed).filter((mutant) => mutant.name.includes(values.only)))
  }
  warnOfGone()
  if (values.list) {
    for (const { line, name } of chosen) console.log(`${line}\t${name}`)
    return console.log(`${chosen.length} mutants`)
  }
  const before = values.again === undefined ? [] : caughtIn(values.again)
  const caught = new Set(before.map(({ mutant }) => mutant.name))
  const left = chosen.filter(({ name }) => !caught.has(name))
  const outcomes = before.filter(({ mutant }) => chosen.some(({ name }) => name === mutant.name))
  await tryAll(left, values.all, (outcome) => {
    outcomes.push(outcome)
    if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(outcomes, null, 1))
  })
  console.log(`\n${tableOf(outcomes, totals)}\n\nseed ${seed}, ${count} of each module\n${closingLine(outcomes)}`)
}

/** Says which entries of the equivalent mutants are of an older core. */
function warnOfGone(): void {
  const files = modules.flatMap((name) => filesOf(name))
  const names = new Set(files.flatMap((file) => mutantsIn(file, sourceOf(file))).map(({ name }) => name))
  for (const name of equivalent.keys())
    if (!names.has(name)) console.log(`equivalent.ts has a mutant that is gone: ${name}`)
}

/** Tries the mutants, and prints what survives. */
async function tryAll(mutants: readonly Mutant[], isAll: boolean, add: (outcome: Outcome) => void): Promise<void> {
  const started = Date.now()
  const seconds = (): string => `${Math.round((Date.now() - started) / 1000)} s`
  const scratch = await scratchOf(packageFolder, new Map(mutants.map((mutant, at) => [mutant, at])))
  try {
    const trial = new Trial(scratch)
    console.log(`${mutants.length} mutants. First the tests without any of them, twice.`)
    const { files, unfit } = await trial.record((path) => isAll || !slow.test(path))
    console.log(`${seconds()}: ${files.length} test files pass, in processes of their own and in one`)
    for (const path of unfit)
      console.log(`not used, because it does not pass there: ${path.slice(scratch.folder.length)}`)
    let done = 0
    const tell = (at: number, verdict: Outcome['verdict']): void => {
      const mutant = mutants[at] as Mutant
      const isEquivalent = equivalent.has(mutant.name)
      add({ mutant, verdict, isEquivalent })
      done += 1
      if (verdict.end === 'survived' || verdict.end === 'unreached') {
        console.log(`${isEquivalent ? 'equivalent' : verdict.end}, line ${mutant.line}: ${mutant.name}`)
      }
      if (done % 50 === 0) console.log(`${seconds()}: ${done} of ${mutants.length}`)
    }
    await trial.judge(
      mutants.map(({ file }, at) => [at, file]),
      files,
      tell,
    )
  } finally {
    scratch.dispose()
  }
}

/** What an earlier run caught. More tests catch it too. */
function caughtIn(file: string): Outcome[] {
  const outcomes = JSON.parse(readFileSync(file, 'utf8')) as Outcome[]
  return outcomes.filter(isCaught)
}

function filesOf(module: string): string[] {
  const src = join(packageFolder, 'src')
  if (readdirSync(src).includes(`${module}.ts`)) return [`${module}.ts`]
  return readdirSync(join(src, module))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${module}/${name}`)
}

function sourceOf(file: string): string {
  return readFileSync(join(packageFolder, 'src', file), 'utf8')
}

function refuse(why: string): void {
  console.error(`${why}\n\n${usage}`)
  process.exitCode = 2
}
