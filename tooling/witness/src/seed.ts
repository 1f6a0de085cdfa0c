// The seed of a run's random tests is MEMLAYER_SEED, or a new number. It is printed, so that you can repeat the run.

let seed: number | undefined

/** Returns this process's seed, from 0 to 2^31 - 1. The first call prints it. */
export function testSeed(): number {
  if (seed === undefined) {
    const given = process.env['MEMLAYER_SEED']
    seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
    if (!Number.isInteger(seed))
      throw new Error(`MEMLAYER_SEED is '${given}', but it must be a whole number: set another one`)
    console.log(`seed ${seed}: repeat this run with MEMLAYER_SEED=${seed}`)
  }
  return seed
}
