// A setup file of vitest: tells the switch which test file runs, and until when it may.
import { expect } from 'vitest'

process.env['MEMLAYER_MUTANT_FILE'] = expect.getState().testPath ?? ''
process.env['MEMLAYER_MUTANT_END'] = String(Date.now() + Number(process.env['MEMLAYER_MUTANT_LIMIT'] ?? 60_000))
