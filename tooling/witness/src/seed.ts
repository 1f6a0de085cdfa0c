// The seed of a run's random tests: MEMLAYER_SEED, or a new one, told so that the run can be had again.

let seed: number | undefined

/** This process's seed, from 0 to 2^31 - 1. The first call prints it. */
export function testSeed(): number {
  if (seed === undefined) {
    const given = process.env['MEMLAYER_SEED']
    seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
    if (!Number.isInteger(seed)) throw new Error(`MEMLAYER_SEED is ${given}, and not a whole number`)
    console.log(`seed ${seed}: this run comes again with MEMLAYER_SEED=${seed}`)
  }
  return seed
}
