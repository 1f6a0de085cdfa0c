// Runs first in every process of a test, by NODE_OPTIONS. The instrumented code, which mutants.ts writes, asks it which
// mutant is on. In the first run none is, and it writes down which test file came to which mutant.
import { appendFileSync } from 'node:fs'

/** The names of environment variables by which the command speaks to the processes. */
const { MEMLAYER_MUTANT, MEMLAYER_MUTANT_HITS, MEMLAYER_MUTANT_PIDS } = process.env
/** So often the switch is asked between two looks at the clock. */
const asksPerLook = 2 ** 16
const mutantsMax = 2 ** 16

const place = globalThis as { memlayerMutant?: (mutant: number) => boolean }

if (MEMLAYER_MUTANT_PIDS !== undefined) appendFileSync(MEMLAYER_MUTANT_PIDS, `${process.pid}\n`)
if (MEMLAYER_MUTANT_HITS !== undefined) place.memlayerMutant = recorder(MEMLAYER_MUTANT_HITS)
else if (MEMLAYER_MUTANT !== undefined) place.memlayerMutant = selector(Number(MEMLAYER_MUTANT))

function recorder(hits: string): (mutant: number) => boolean {
  // A place for each number is quicker than a set: the tests ask millions of times.
  const seen = new Uint8Array(mutantsMax)
  return (mutant) => {
    if (seen[mutant] === 0) {
      seen[mutant] = 1
      appendFileSync(hits, `${mutant} ${process.env['MEMLAYER_MUTANT_FILE'] ?? ''}\n`)
    }
    return false
  }
}

/** A mutant may make a loop endless. Where the loop asks the switch, the switch ends it by an error. */
function selector(active: number): (mutant: number) => boolean {
  let asks = 0
  return (mutant) => {
    asks += 1
    if (asks % asksPerLook === 0 && Date.now() > Number(process.env['MEMLAYER_MUTANT_END'] ?? Infinity)) {
      asks = -1
      throw new Error('the time for this test file is over')
    }
    return mutant === active
  }
}
