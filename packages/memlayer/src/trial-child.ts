// The program of the child that trial.ts starts. It names each step before it makes it, so that the last name says
// where a filter ended it.
import { memory } from './memory.js'
import { trialSteps } from './trial-steps.js'

interface Host {
  readonly console: { log(text: string): void }
}

const { console } = globalThis as unknown as Host

for (const [name, run] of Object.entries(trialSteps)) {
  console.log(name)
  run(memory)
}
console.log('end')
