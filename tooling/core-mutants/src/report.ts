// The figures of a run, as a table and as the line that ends it.
import type { Mutant } from './mutants.js'
import type { Verdict } from './trial.js'

/** A mutant, and what became of it. */
export interface Outcome {
  readonly mutant: Mutant
  readonly verdict: Verdict
  /** Whether no test can tell it from the right code. */
  readonly isEquivalent: boolean
}

/** The scores by module, as Markdown. `totals` has the number of all mutants of each. */
export function tableOf(outcomes: readonly Outcome[], totals: ReadonlyMap<string, number>): string {
  const rows = [...totals].map(([name, total]) => {
    const own = outcomes.filter(({ mutant }) => moduleOf(mutant) === name)
    const { caught, survived, same } = countsOf(own)
    return `| ${name} | ${total} | ${own.length} | ${caught} | ${survived} | ${same} | ${scoreOf(own)} |`
  })
  return [
    '| module | mutants | tried | caught | survived | equivalent | score |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

/** `412 caught, 20 survived, 8 equivalent, score 95 %` */
export function closingLine(outcomes: readonly Outcome[]): string {
  const { caught, survived, same } = countsOf(outcomes)
  return `${caught} caught, ${survived} survived, ${same} equivalent, score ${scoreOf(outcomes)}`
}

/** Whether a test failed, or did not end. */
export function isCaught({ verdict }: Outcome): boolean {
  return verdict.end === 'caught' || verdict.end === 'endless'
}

function countsOf(outcomes: readonly Outcome[]): { caught: number; survived: number; same: number } {
  const caught = outcomes.filter(isCaught).length
  const same = outcomes.filter((outcome) => !isCaught(outcome) && outcome.isEquivalent).length
  return { caught, survived: outcomes.length - caught - same, same }
}

/** The part that was caught of those that can be. */
function scoreOf(outcomes: readonly Outcome[]): string {
  const { caught, survived } = countsOf(outcomes)
  return caught + survived === 0 ? '-' : `${Math.floor((100 * caught) / (caught + survived))} %`
}

/** The module of a mutant: its folder, or its file if it has none. */
export function moduleOf({ file }: Pick<Mutant, 'file'>): string {
  return file.replace(/(\/.*|\.ts)$/, '')
}

/** The mutants that no test can tell, and why, as Markdown: a row for each reason in a module. */
export function tableOfEqual(reasons: ReadonlyMap<string, string>): string {
  const rows = new Map<string, { readonly places: Set<string>; count: number }>()
  for (const [name, why] of reasons) {
    const [, file = '', scope = ''] = /^(\S+)\.ts ([^:]*):/.exec(name) ?? []
    const key = `${moduleOf({ file })}\n${why}`
    const row = rows.get(key) ?? { places: new Set(), count: 0 }
    row.places.add(scope === '' ? `a constant of ${file.replace(/.*\//, '')}` : `\`${scope}\``)
    row.count += 1
    rows.set(key, row)
  }
  const lines = [...rows].map(([key, { places, count }]) => {
    const [module, why] = key.split('\n')
    return `| ${module} | ${[...places].join(', ')} | ${count} | ${why} |`
  })
  return ['| module | where | mutants | why no test can tell |', '| --- | --- | --- | --- |', ...lines.toSorted()].join(
    '\n',
  )
}
