// A random history on kernel32 beside a shadow. Runs in Node for Windows.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createOS } from '@memlayer/os-windows'
import { testSeed } from '@memlayer/witness'
import { cacheHistory } from '../portable/history.ts'

const seed = testSeed()

it('a cache is the same as its shadow after 50,000 operations', () => {
  const { hits, held } = cacheHistory(createOS(), 50_000, seed)
  assert.ok(hits > 1000, `${hits} hits`)
  assert.equal(held, 0)
})
