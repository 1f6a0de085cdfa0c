// A program that reserves 1 GiB over the Linux backend and ends.
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'

createMemory(createOS()).sysReserve(null, 2 ** 30)
