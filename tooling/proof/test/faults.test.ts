// Tests the table of faults: its size, that a wrapped backend without a fault is the right one, and that the suite
// catches a fault of each function. `npm run mutants` tries all of them.
import { conformance, runCases } from '@memlayer/conformance'
import { faultsOf, faulty, figuresOf, nameOf, simulatedSubjects, tryFaults, type AnySubject } from '@memlayer/proof'
import { isLong, testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const linux = simulatedSubjects.find(({ name }) => name === 'linux') as AnySubject

/** One subject of each other backend. */
const backends = ['darwin', 'freebsd', 'aix', 'windows', 'plan9', 'js']

describe('the table of faults', () => {
  it.each(simulatedSubjects.map((subject) => [subject.name, subject] as const))(
    'has at least 120 faults for %s, each with a name of its own',
    (_, subject) => {
      const names = faultsOf(subject).map(nameOf)
      expect(names.length).toBeGreaterThanOrEqual(120)
      expect(new Set(names).size).toBe(names.length)
    },
  )

  it('has at least 400 faults for os-linux', () => {
    expect(faultsOf(linux).length).toBeGreaterThanOrEqual(400)
  })

  it.each(
    simulatedSubjects
      .filter(({ name }) => name === 'linux' || (isLong && backends.includes(name)))
      .map((subject) => [subject.name, subject] as const),
  )('leaves %s right when a fault changes nothing', (_, subject) => {
    const same = faulty(subject, { fn: 'none', way: 'is right', change: () => ({}) })
    const { results } = runCases(conformance(same, { seed: testSeed() }))
    expect(results.filter(({ status }) => status === 'fail')).toEqual([])
  })

  it('has faults that the suite catches, and names the first case that fails', async () => {
    const trials = await tryFaults(linux, { seed: testSeed(), only: 'sysFaultOS leaves' })
    expect(trials.map(({ fault }) => fault.way)).toEqual([
      'leaves the last page',
      'leaves the first page',
      'leaves a page in the middle',
      'leaves the last page of a range over several reservations',
      'leaves the first page of a range over several reservations',
      'leaves the last page before the next reservation',
      'leaves the first page of the last reservation',
      'leaves all but the first page of the last reservation',
      'leaves a reservation in the middle',
    ])
    for (const { caughtBy } of trials) expect(caughtBy).toHaveLength(1)
    expect(figuresOf('linux', trials)).toMatchObject({ faults: 9, caught: 9, unexplained: 0 })
  })
})
