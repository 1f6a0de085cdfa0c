// Runs inside an example's own process: the comparisons that `//=>` stands for.
import { format, inspect, isDeepStrictEqual } from 'node:util'

const reached = new Set<number>()

/** The lines that make a claim; the process fails when it ends without having come to each. */
export function claims(lines: readonly number[]): void {
  process.on('exit', (code) => {
    const missed = lines.filter((line) => !reached.has(line))
    if (code !== 0 || missed.length === 0) return
    console.error(`README:${missed[0]}: the claim was never reached`)
    process.exitCode = 1
  })
}

/** `expression //=> text`: the value is what the text says, as JavaScript or as node shows it. */
export function value(line: number, text: string, actual: unknown): void {
  reached.add(line)
  const shown = inspect(actual, { breakLength: Infinity, depth: Infinity })
  if (shown !== text && !isDeepStrictEqual(actual, evaluated(text))) wrong(line, shown, text, value)
}

/** `console.log(…) //=> text`: the line printed is the text. */
export function printed(line: number, text: string, ...args: unknown[]): void {
  reached.add(line)
  console.log(...args)
  if (format(...args) !== text) wrong(line, format(...args), text, printed)
}

// No value that an example can have, so that text which is no JavaScript equals none.
const nothing: unique symbol = Symbol('nothing')

function evaluated(text: string): unknown {
  try {
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval, typescript/no-unsafe-call -- the README's own text
    return new Function(`return (${text})`)() as unknown
  } catch {
    return nothing
  }
}

/** The stack begins at the example's own line. */
function wrong(line: number, actual: string, text: string, above: typeof value | typeof printed): never {
  const error = new Error(`README:${line}: is ${actual}, and //=> says ${text}`)
  Error.captureStackTrace(error, above)
  throw error
}
