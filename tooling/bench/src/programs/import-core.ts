// A program that imports core and does not use it.
import { createMemory } from '@memlayer/core'

if (typeof createMemory !== 'function')
  throw new Error('@memlayer/core does not export createMemory: run npm run build')
