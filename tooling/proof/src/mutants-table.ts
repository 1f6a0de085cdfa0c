// The table of mutants: what is wrong, in which backend, and which case finds it. It stands in the README of
// @memlayer/conformance, between two marks.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Mutant } from './mutant.js'

/** What the suite found of a mutant. */
export interface Catch {
  readonly mutant: Mutant
  /** The cases that failed, by id. */
  readonly failed: readonly string[]
}

/** The README that has the table. */
export const readme: string = join(import.meta.dirname, '..', '..', '..', 'packages', 'conformance', 'README.md')

const opening = '<!-- mutants: written by `npm run mutants` -->'
const closing = '<!-- end of mutants -->'

/** The table in Markdown. It has nothing in it that a seed decides. */
export function tableOf(catches: readonly Catch[]): string {
  const rows = catches.map(({ mutant, failed }) => {
    const caught = failed.includes(mutant.caughtBy) ? `\`${mutant.caughtBy}\`` : 'NOT CAUGHT'
    return `| ${mutant.subject} | ${mutant.wrong} | ${caught} |`
  })
  return ['| backend | what is wrong | caught by |', '| --- | --- | --- |', ...rows].join('\n')
}

/** The table as the README has it. */
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
  if (before === undefined || rest === undefined) throw new Error(`${readme} has no place for the table`)
  writeFileSync(readme, `${before}${opening}\n\n${table}\n\n${closing}${rest}`)
}
