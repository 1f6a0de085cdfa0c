// The code below this line is the adapter for vitest in the README of @memlayer/conformance.
import { defineTests } from '@memlayer/conformance'
import { createOS } from '@memlayer/os-linux'
import { simulate } from '@memlayer/simkernel'
import { describe, it } from 'vitest'

defineTests({ name: 'linux', kernel: (options) => simulate('linux', options), createOS }, { describe, it })
