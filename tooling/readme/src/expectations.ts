// Runs inside an example's own process. It makes the comparisons for `//=>`.
import { format, inspect, isDeepStrictEqual } from 'node:util'

const reached = new Set<number>()

/** Registers the lines with a claim. The process fails if it ends before it has reached each of them. */
export function claims(lines: readonly number[]): void {
  process.on('exit', (code) => {
    const missed = lines.filter((line) => !reached.has(line))
    if (code !== 0 || missed.length === 0) return
    console.error(`README:${missed[0]}: the example ended before it reached this claim`)
    process.exitCode = 1
  })
}

/** Checks `expression //=> text`. The text is the value as JavaScript, or as Node prints it. */
export function value(line: number, text: string, actual: unknown): void {
  reached.add(line)
  const shown = inspect(actual, { breakLength: Infinity, depth: Infinity })
  if (shown !== text && !isDeepStrictEqual(actual, evaluated(text))) wrong(line, shown, text, value)
}

/** Checks `console.log(…) //=> text`. The text is the printed line. */
export function printed(line: number, text: string, ...args: unknown[]): void {
  reached.add(line)
  console.log(...args)
  if (format(...args) !== text) wrong(line, format(...args), text, printed)
}

// An example can't have this value. So text that is not JavaScript equals no value of an example.
const nothing: unique symbol = Symbol('nothing')

function evaluated(text: string): unknown {
  try {
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval, typescript/no-unsafe-call -- the README's text
    return new Function(`return (${text})`)() as unknown
  } catch {
    return nothing
  }
}

/** Throws an error whose stack starts at the example's own line. */
function wrong(line: number, actual: string, text: string, above: typeof value | typeof printed): never {
  const error = new Error(`README:${line}: the value is ${actual}, but //=> says ${text}`)
  Error.captureStackTrace(error, above)
  throw error
}
