// The k-th kernel call fails, for every k of a life, on kernel32. Runs in Node for Windows.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { windowsKernel } from '@memlayer/ffi'
import { bytesInState } from '@memlayer/witness'
import { liveAndFail, type Plan } from '../life.ts'

const plans: [string, Plan, number][] = [
  ['one call is refused as out of memory', 'once', 1455],
  ['one call is refused as wrong', 'once', 87],
  ['every VirtualAlloc from one on is refused as out of memory', 'virtualAlloc', 8],
  ['every VirtualAlloc from one on is refused as wrong', 'virtualAlloc', 487],
  ['every VirtualFree from one on is refused', 'virtualFree', 87],
]

for (const [says, plan, errno] of plans) {
  it(`${says}: account and VirtualQuery agree for every k`, () => {
    let thrown = 0
    let k = 1
    for (; ; k++) {
      const { failed, op } = liveAndFail(windowsKernel(), { bytesInState }, plan, k, errno)
      if (op !== null) thrown += 1
      if (!failed) {
        assert.equal(op, null)
        break
      }
    }
    // A commit or decommit that is refused once is made again in pieces, and succeeds.
    assert.ok(thrown > 3, `${thrown} of ${k - 1} failed calls threw`)
  })
}
