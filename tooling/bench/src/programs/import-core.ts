// A program that imports core and uses none of it.
import { createMemory } from '@memlayer/core'

if (typeof createMemory !== 'function') throw new Error('core is not there')
