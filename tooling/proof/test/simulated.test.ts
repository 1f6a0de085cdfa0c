// Tests that every backend of the repository conforms over a simulated kernel. This runs on every machine. The other
// options and flavors are columns of `npm run conformance`.
import { defineTests } from '@memlayer/conformance'
import { simulatedSubjects } from '@memlayer/proof'
import { testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const names = ['linux', 'darwin', 'freebsd', 'aix', 'windows', 'plan9', 'js']
const subjects = simulatedSubjects.filter(({ name }) => names.includes(name))

for (const subject of subjects) defineTests(subject, { describe, it }, { seed: testSeed() })

it('are all backends that a simulated kernel can serve', () => {
  expect(subjects.map(({ name }) => name)).toEqual(names)
})
