// Formats the matrix as Markdown, and puts it into a README.
import type { Row } from './rows.js'

/** The rows in order. A row is `null` if its run was skipped. */
export interface Matrix {
  readonly runtimes: readonly (Row | null)[]
  readonly bundles: readonly (Row | null)[]
}

const runtimeHead = ['runtime', 'started with', 'backend', 'chosen by', 'engine', 'suite']
const bundleHead = ['bundler', 'for', 'in the bundle', 'suite']

const begin = '<!-- matrix: written by `npm run matrix` -->'
const end = '<!-- end of matrix -->'

/** Formats the matrix as Markdown. */
export function matrixText({ runtimes, bundles }: Matrix): string {
  return `${table(runtimeHead, runtimes)}\n\n${table(bundleHead, bundles)}`
}

/** Formats a row as a line of the matrix. */
export function lineOf(row: Row): string {
  return `| ${row.join(' | ')} |`
}

/** Returns the text between the marks of a README. */
export function matrixIn(readme: string): string {
  const [from, to] = marks(readme)
  return readme.slice(from, to).trim()
}

/** Returns a README with another matrix in it. */
export function withMatrix(readme: string, text: string): string {
  const [from, to] = marks(readme)
  return `${readme.slice(0, from)}\n\n${text}\n\n${readme.slice(to)}`
}

function marks(readme: string): [number, number] {
  const from = readme.indexOf(begin)
  const to = readme.indexOf(end)
  if (from === -1 || to < from)
    throw new Error(`the README has no place for the matrix: add the lines '${begin}' and '${end}'`)
  return [from + begin.length, to]
}

function table(head: Row, rows: readonly (Row | null)[]): string {
  const lines = rows.filter((row) => row !== null).map(lineOf)
  return [lineOf(head), lineOf(head.map(() => '---')), ...lines].join('\n')
}
