// Tests that backends conform over the real kernels of this host: Linux, a segment of Linux for Plan 9, and the
// engine's own memory. windows.test.ts tests os-windows under Wine.
import { defineTests } from '@memlayer/conformance'
import { realSubjects } from '@memlayer/proof'
import { testSeed } from '@memlayer/witness'
import { describe, it } from 'vitest'

for (const subject of realSubjects()) defineTests(subject, { describe, it }, { seed: testSeed() })
