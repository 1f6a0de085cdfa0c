// Tests the lines that `npm run conformance` prints for a seed, and the line that it ends with.
import { closingLine, failuresText, type Column } from '@memlayer/proof'
import { expect, it } from 'vitest'

const column = (pass: number, absent: number, notRun: number, fail: number): Column => ({
  name: 'mine',
  report: { conforms: fail === 0, counts: { pass, absent, 'not run': notRun, fail }, results: [] },
})

it('counts a confirmed absence as passed, and a missing kernel as one skipped case', () => {
  expect(closingLine([column(5, 2, 1, 0), column(3, 0, 0, 1)], {})).toBe('10 passed, 1 failed, 1 skipped')
  expect(closingLine([column(5, 0, 0, 0)], { 'aix on AIX': 'needs an AIX kernel' })).toBe(
    '5 passed, 0 failed, 1 skipped',
  )
})

it('names each case that fails with a seed, with its backend and the reason', () => {
  const failed = {
    name: 'mine',
    report: {
      conforms: false,
      counts: { pass: 1, absent: 0, 'not run': 0, fail: 1 },
      results: [
        { id: 'map/ready', title: 'maps', status: 'pass' },
        { id: 'map/touchable', title: 'maps', status: 'fail', why: 'it faults', error: new Error('it faults') },
      ],
    },
  } satisfies Column
  expect(failuresText([failed], 7)).toBe('seed 7: 1 fail\nX mine: map/touchable: it faults')
  expect(failuresText([column(5, 0, 0, 0)], 8)).toBe('seed 8: nothing fails')
})
