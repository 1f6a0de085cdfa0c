// The mutants' table lists each fault, its backend, and the case that catches it. The README of
// @memlayer/conformance has the table between two marks.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Mutant } from './mutant.js'

/** The suite's result for a mutant. */
export interface Catch {
  readonly mutant: Mutant
  /** The ids of the failed cases. */
  readonly failed: readonly string[]
}

/** The path of the README with the table. */
export const readme: string = join(import.meta.dirname, '..', '..', '..', 'packages', 'conformance', 'README.md')

const opening = '<!-- mutants: written by `npm run mutants` -->'
const closing = '<!-- end of mutants -->'

/** Formats the table as Markdown. The seed does not change it. */
export function tableOf(catches: readonly Catch[]): string {
  const rows = catches.map(({ mutant, failed }) => {
    const caught = failed.includes(mutant.caughtBy) ? `\`${mutant.caughtBy}\`` : 'NOT CAUGHT'
    return `| ${mutant.subject} | ${mutant.wrong} | ${caught} |`
  })
  return ['| backend | what is wrong | caught by |', '| --- | --- | --- |', ...rows].join('\n')
}

/** Reads the table from the README. */
export function tableInReadme(): string {
  const text = readFileSync(readme, 'utf8')
  const [, after] = text.split(opening)
  const [table] = (after ?? '').split(closing)
  return (table ?? '').trim()
}

/** Writes the table into the README. */
export function writeTable(table: string): void {
  const text = readFileSync(readme, 'utf8')
  const [before, after] = text.split(opening)
  const rest = after?.split(closing)[1]
  if (before === undefined || rest === undefined)
    throw new Error(`${readme} has no place for the table: add the lines '${opening}' and '${closing}'`)
  writeFileSync(readme, `${before}${opening}\n\n${table}\n\n${closing}${rest}`)
}
