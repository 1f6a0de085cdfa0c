// Has one test of each kind: a test that passes, one that fails, a skipped one, and one in a suite.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

it('passes', () => assert.equal(process.platform, 'win32'))
it('fails', () => assert.equal(1, 2))
it('is skipped', { skip: 'for a reason' }, () => assert.fail())
describe('a suite', () => {
  describe('in a suite', () => {
    it('holds a test', () => assert.ok(true))
    it('that fails', async () => {
      await Promise.resolve()
      throw new Error('the words of the error')
    })
  })
})
describe('a suite that breaks', () => {
  throw new Error('before its tests')
})
