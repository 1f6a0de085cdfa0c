// Tests that every backend of the repository conforms over its simulated kernel. This runs on every machine.
import { defineTests } from '@memlayer/conformance'
import { simulatedSubjects } from '@memlayer/proof'
import { testSeed } from '@memlayer/witness'
import { describe, it } from 'vitest'

for (const subject of simulatedSubjects) defineTests(subject, { describe, it }, { seed: testSeed() })
