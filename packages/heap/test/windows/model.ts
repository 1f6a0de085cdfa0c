// A random history on kernel32 beside a shadow. Runs in Node for Windows.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createOS } from '@memlayer/os-windows'
import { isLong, testSeed } from '@memlayer/witness'
import { heapHistory } from '../portable/history.ts'

const seed = testSeed()
const operations = isLong ? 1_000_000 : 50_000

it(`a heap is the same as its shadow after ${operations} operations`, () => {
  const { objects, held } = heapHistory(createOS(), operations, seed)
  assert.ok(objects > 1000, `${objects} objects`)
  assert.equal(held, 0)
})
