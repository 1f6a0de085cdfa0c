// The kernel calls of each function: a row is one function and its exact calls. Compare each row with the system's
// manual, and write down the section.
import { createMemory } from '@memlayer/core'
import { record } from '@memlayer/kernel'
import { describe, expect, it } from 'vitest'
import { createOS } from '../dist/index.js'
import { rows, shown } from './golden.js'
import { subject } from './subject.js'

describe('my-os asks the kernel', () => {
  it.each(rows)('$op: $calls', ({ op, before, run, calls }) => {
    const { kernel, take } = record(subject.kernel({ seed: 1 }))
    const memory = createMemory(createOS({ kernel }), { ledger: false })
    const made = before(memory)
    take()
    const answer = run(memory, made)
    const v = typeof answer === 'number' ? answer : made
    expect(
      take().map((call) => shown(call, v)),
      op,
    ).toEqual(calls)
  })
})
