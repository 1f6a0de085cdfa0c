// Runs the suite over os-windows on kernel32, in Node for Windows.
import { describe, it } from 'node:test'
import { defineTests } from '@memlayer/conformance'
import { windowsSubject } from '@memlayer/proof'
import { testSeed } from '@memlayer/witness'

defineTests(windowsSubject(), { describe, it }, { seed: testSeed() })
