// Compares the tests' own kernel with kernel32: the same calls at the same addresses, the same answers and the same
// pages. Runs in Node for Windows.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { windowsKernel } from '@memlayer/ffi'
import { bytesInState, random, testSeed } from '@memlayer/witness'
import { pagesKernel } from '../pages-kernel.ts'

const COMMIT = 0x1000
const RESERVE = 0x2000
const DECOMMIT = 0x4000
const RELEASE = 0x8000
const READWRITE = 4
const PAGE = 4096
const CALLS = 5000
const seed = testSeed()

// Far from the engine's own mappings.
const GROUND = 0x3000_0000_0000
const GROUND_PAGES = 128

const types: readonly [fn: 'virtualAlloc' | 'virtualFree', type: number][] = [
  ['virtualAlloc', RESERVE],
  ['virtualAlloc', COMMIT | RESERVE],
  ['virtualAlloc', COMMIT],
  ['virtualAlloc', COMMIT],
  ['virtualFree', DECOMMIT],
  ['virtualFree', DECOMMIT],
  ['virtualFree', RELEASE],
  ['virtualFree', COMMIT],
]

it(`answers ${CALLS} random calls as kernel32 does (MEMLAYER_SEED=${seed})`, () => {
  const ours = pagesKernel()
  const theirs = windowsKernel()
  const refusals = new Set<number>()
  const { below, pick } = random(seed)
  for (let i = 0; i < CALLS; i++) {
    const [fn, type] = pick(types)
    const page = below(4) === 0 ? below(GROUND_PAGES) : below(GROUND_PAGES / 16) * 16
    const addr = GROUND + page * PAGE
    const size = type === RELEASE && below(6) !== 0 ? 0 : (1 + below(40)) * PAGE
    const answers = [ours, theirs].map((kernel) =>
      fn === 'virtualAlloc' ? kernel.virtualAlloc(addr, size, type, READWRITE) : kernel.virtualFree(addr, size, type),
    )
    const [own = 0, real = 0] = answers
    const call = `call ${i}, MEMLAYER_SEED=${seed}: ${fn}(0x${addr.toString(16)}, ${size}, 0x${type.toString(16)})`
    // For a wrong range Windows has two error numbers. Wine answers the other one in some places.
    const same = own === real || (isRangeError(own) && isRangeError(real))
    assert.ok(same, `${call} is ${own} here and ${real} on kernel32`)
    if (real < 0) refusals.add(real)
    if (i % 10 !== 0) continue
    for (const found of ['FREE', 'RESERVE', 'COMMIT'] as const) {
      const bytes = [
        ours.bytesInState(found, GROUND, GROUND_PAGES * PAGE),
        bytesInState(found, GROUND, GROUND_PAGES * PAGE),
      ]
      assert.equal(bytes[0], bytes[1], `${call}: bytes ${found}`)
    }
  }
  assert.deepEqual(
    [...refusals].sort((a, b) => a - b),
    [-487, -87],
  )
})

function isRangeError(answer: number): boolean {
  return answer === -87 || answer === -487
}
