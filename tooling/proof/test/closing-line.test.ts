// Tests the line that `npm run conformance` ends with.
import { closingLine, type Column } from '@memlayer/proof'
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
