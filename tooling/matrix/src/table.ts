// Formats the matrix as Markdown, and puts it into a README.
import type { Row } from './rows.js'

/** The rows in order. A row is `null` if its run was skipped. */
export interface Matrix {
  readonly runtimes: readonly (Row | null)[]
  readonly bundles: readonly (Row | null)[]
}

const runtimeHead = ['runtime', 'started with', 'backend', 'chosen by', 'engine', 'suite']
const bundleHead = ['bundler', 'for', 'in the bundle', 'suite']

const placeHead = ['program', 'Node', 'what to set', 'backend', 'chosen by']

/** The name of a table in the README's marks. */
type Marked = 'matrix' | 'places'

/** Formats the matrix as Markdown. */
export function matrixText({ runtimes, bundles }: Matrix): string {
  return `${table(runtimeHead, runtimes)}\n\n${table(bundleHead, bundles)}`
}

/** Formats the places as Markdown. */
export function placesText(rows: readonly Row[]): string {
  return table(placeHead, rows)
}

/** Formats a row as a line of the matrix. */
export function lineOf(row: Row): string {
  return `| ${row.join(' | ')} |`
}

/** Returns the text between the marks of a README. */
export function matrixIn(readme: string): string {
  const [from, to] = marks(readme, 'matrix')
  return readme.slice(from, to).trim()
}

/** Returns a README with another text between its marks. */
export function withMatrix(readme: string, text: string, name: Marked = 'matrix'): string {
  const [from, to] = marks(readme, name)
  return `${readme.slice(0, from)}\n\n${text}\n\n${readme.slice(to)}`
}

function marks(readme: string, name: Marked): [number, number] {
  const begin = `<!-- ${name}: written by \`npm run matrix\` -->`
  const end = `<!-- end of ${name} -->`
  const from = readme.indexOf(begin)
  const to = readme.indexOf(end)
  if (from === -1 || to < from)
    throw new Error(`the README has no place for the ${name}: add the lines '${begin}' and '${end}'`)
  return [from + begin.length, to]
}

function table(head: Row, rows: readonly (Row | null)[]): string {
  const lines = rows.filter((row) => row !== null).map(lineOf)
  return [lineOf(head), lineOf(head.map(() => '---')), ...lines].join('\n')
}
