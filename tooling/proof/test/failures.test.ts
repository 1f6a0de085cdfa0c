// Tests what the suite says of a wrong backend: which function, on which range, and what was expected and found.
import { conformance, runCases } from '@memlayer/conformance'
import { faultsOf, faulty, nameOf, simulatedSubjects } from '@memlayer/proof'
import { testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const parts = ['alloc', 'reserve', 'map', 'unused', 'used', 'contents', 'hints', 'fault', 'free', 'across', 'charge']

describe.each(['linux', 'windows'])('the report of a wrong os-%s', (name) => {
  const subject = simulatedSubjects.find((one) => one.name === name)
  if (subject === undefined) throw new Error(`no subject has the name '${name}'`)
  const wrong = ['sysUnusedOS leaves the last page', 'sysFaultOS does nothing', 'sysReserveOS takes a page more']
  const faults = faultsOf(subject).filter((fault) => wrong.includes(nameOf(fault)))

  it.each(faults.map((fault) => [nameOf(fault), fault] as const))('names a function and a range: %s', (_, fault) => {
    const cases = conformance(faulty(subject, fault), { seed: testSeed() })
    const { results } = runCases(cases.filter(({ id }) => parts.includes(id.slice(0, id.indexOf('/')))))
    const said = results.flatMap((result) => (result.status === 'fail' ? [result.why] : []))
    expect(said.length).toBeGreaterThan(0)
    for (const why of said) {
      expect(why).toMatch(/sys[A-Z][a-zA-Z]+|os\.view/)
      expect(why).toMatch(/0x[0-9a-f]+/)
    }
  })
})
