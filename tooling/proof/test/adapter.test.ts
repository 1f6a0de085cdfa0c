// The adapter for vitest that the README of @memlayer/conformance shows: all below this line.
import { defineTests } from '@memlayer/conformance'
import { createOS } from '@memlayer/os-linux'
import { simulate } from '@memlayer/simkernel'
import { describe, it } from 'vitest'

defineTests({ name: 'linux', kernel: ({ seed }) => simulate('linux', { seed }), createOS }, { describe, it })
