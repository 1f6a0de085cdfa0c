// Backends conform over the real kernels that are here: Linux, its segment as Plan 9's, and the
// engine's own memory. Windows: os-windows under Wine.
import { defineTests } from '@memlayer/conformance'
import { realSubjects } from '@memlayer/proof'
import { testSeed } from '@memlayer/witness'
import { describe, it } from 'vitest'

for (const subject of realSubjects()) defineTests(subject, { describe, it }, { seed: testSeed() })
