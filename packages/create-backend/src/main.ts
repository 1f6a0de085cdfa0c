// The command: asks for missing arguments, writes the package, and prints the next steps. Its exit codes: 0 the package
// is written, 1 writing failed, 2 the arguments are wrong.
import { relative } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { createBackend } from './create.js'
import { isKind, kinds, type Kind } from './kinds.js'
import { NameError, namesOf } from './names.js'

const usage = `usage: npm create @memlayer/backend <name> -- [options]

  <name>         the package's name, for example my-os or @acme/os-foo; also the name of its folder here
  --kind <kind>  what the system has for memory:
${Object.entries(kinds)
  .map(([kind, { says }]) => `                   ${kind.padEnd(16)}${says}`)
  .join('\n')}
  --help         print this text

In a terminal, the command asks for missing arguments.`

/** The surroundings of the command. */
export interface Surroundings {
  /** The folder that will contain the package's folder. */
  readonly cwd: string
  /** Asks the user a question; null: no user is at the terminal. */
  readonly ask: ((question: string) => Promise<string>) | null
}

/** Runs the command and returns its exit code. */
export async function main(args: readonly string[], surroundings?: Surroundings): Promise<number> {
  const terminal = surroundings === undefined && process.stdin.isTTY && process.stdout.isTTY
  const lines = terminal ? createInterface({ input: process.stdin, output: process.stdout }) : null
  const ask = lines === null ? null : (question: string): Promise<string> => lines.question(question)
  try {
    return await run(args, surroundings ?? { cwd: process.cwd(), ask })
  } catch (error) {
    const isWords =
      error instanceof NameError || String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')
    console.error(
      isWords ? `${(error as Error).message}\n\n${usage}` : `could not write the package: ${(error as Error).message}`,
    )
    return isWords ? 2 : 1
  } finally {
    lines?.close()
  }
}

async function run(args: readonly string[], { cwd, ask }: Surroundings): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { kind: { type: 'string' }, help: { type: 'boolean' } },
  })
  if (values.help === true) {
    console.log(usage)
    return 0
  }
  if (positionals.length > 1)
    throw new NameError(`${positionals.length} names given: ${positionals.join(', ')}. Give one name`)
  const kind = kindOf(values.kind)
  const name = positionals[0] ?? (await askName(ask))
  namesOf(name)
  const { folder, files } = createBackend({ name, kind: kind ?? (await askKind(ask)), into: cwd })
  const place = relative(cwd, folder)
  console.log(`${place}: ${files.length} files\n${files.map((file) => `  ${file}`).join('\n')}\n`)
  console.log(
    [
      'Next:',
      `  cd ${place}`,
      '  npm install',
      '  npm test              # the template conforms; now change it, beginning with src/mem.ts',
      '  npm run conformance   # prints the result as a report',
    ].join('\n'),
  )
  return 0
}

function kindOf(word: string | undefined): Kind | null {
  if (word === undefined) return null
  if (isKind(word)) return word
  throw new NameError(`unknown kind '${word}': use one of ${Object.keys(kinds).join(', ')}`)
}

async function askName(ask: Surroundings['ask']): Promise<string> {
  if (ask === null) throw new NameError('no name given: give the name of the package')
  for (;;) {
    const name = (await ask('The name of the package (my-os): ')).trim() || 'my-os'
    try {
      namesOf(name)
      return name
    } catch (error) {
      console.log((error as Error).message)
    }
  }
}

async function askKind(ask: Surroundings['ask']): Promise<Kind> {
  const words = Object.keys(kinds) as Kind[]
  if (ask === null) throw new NameError(`no kind given: add --kind ${words.join('|')}`)
  console.log(words.map((kind, i) => `  ${i + 1}  ${kind.padEnd(16)}${kinds[kind].says}`).join('\n'))
  for (;;) {
    const answer = (await ask('What does the system have for memory? (1): ')).trim() || '1'
    const kind = words[Number(answer) - 1] ?? answer
    if (isKind(kind)) return kind
    console.log(`Unknown kind '${answer}': type a number from 1 to ${words.length}, or a name.`)
  }
}
