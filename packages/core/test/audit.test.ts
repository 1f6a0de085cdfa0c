// The proof of the ledger's sums, for memory.check(): each disagreement has its own sentence, and what agrees has none.
import { describe, expect, it } from 'vitest'
import { firstFault } from '../src/ledger/audit.js'
import { pack, PREPARED, READY, RESERVED, type LedgerRange } from '../src/ledger/states.js'

const page = 4096
const ready: LedgerRange = { address: 4 * page, size: 2 * page, packed: pack(READY, 1) }
const prepared: LedgerRange = { address: 6 * page, size: page, packed: pack(PREPARED, 1) }
const reserved: LedgerRange = { address: 9 * page, size: page, packed: pack(RESERVED, 0) }

/** The sums of these ranges. */
function sumsOf(ranges: readonly LedgerRange[]): Float64Array {
  const sums = new Float64Array(12)
  for (const { size, packed } of ranges) sums[packed] = (sums[packed] as number) + size
  return sums
}

interface Told {
  ranges?: readonly LedgerRange[]
  sums?: Float64Array
  ready?: number
  reservations?: [number, number][] | null
}

function faultOf({ ranges = [ready, prepared, reserved], sums, ready: bytes = 2 * page, reservations = null }: Told) {
  const known = reservations === null ? null : new Map(reservations)
  return firstFault(ranges, sums ?? sumsOf(ranges), bytes, known, (category) => `c${category}`)
}

describe('an audit', () => {
  it('finds nothing where ranges and sums agree', () => {
    expect([
      faultOf({}),
      faultOf({ ranges: [], ready: 0 }),
      faultOf({ ranges: [], ready: 0, reservations: [] }),
    ]).toEqual([null, null, null])
    const reservations: [number, number][] = [
      [4 * page, 3 * page],
      [9 * page, page],
    ]
    expect(faultOf({ reservations })).toBe(null)
  })

  it('finds ranges that overlap, and one of no bytes', () => {
    expect(faultOf({ ranges: [ready, { ...prepared, address: 5 * page }] })).toBe(
      'the range at 0x5000 overlaps the one before it',
    )
    expect(faultOf({ ranges: [ready, { ...prepared, size: 0 }] })).toBe('the range at 0x6000 has 0 bytes')
  })

  it('finds a sum that is not that of its ranges, with its category and its state', () => {
    const sums = sumsOf([ready, prepared, reserved])
    sums[pack(PREPARED, 1)] = 5
    expect(faultOf({ sums })).toBe("category 'c1' counts 5 bytes Prepared, but its ranges have 4096")
    const first = sumsOf([ready, prepared, reserved])
    first[pack(RESERVED, 0)] = 0
    expect(faultOf({ sums: first })).toBe("category 'c0' counts 0 bytes Reserved, but its ranges have 4096")
    // Place 0 is what nothing owns, and counts nothing.
    const none = sumsOf([ready, prepared, reserved])
    none[0] = -77
    expect(faultOf({ sums: none })).toBe(null)
    const last = sumsOf([ready, prepared, reserved])
    last[11] = 1
    expect(faultOf({ sums: last })).toBe("category 'c2' counts 1 bytes Ready, but its ranges have 0")
  })

  it('finds a count of what is Ready that is wrong', () => {
    expect(faultOf({ ready: page })).toBe('4096 bytes are counted Ready, but the Ready ranges have 8192')
  })

  it('finds reservations that are not owned, from where they are not', () => {
    expect(faultOf({ reservations: [[4 * page, 5 * page]] })).toBe(
      'the reservation at 0x4000 is not owned from 0x7000 on',
    )
    expect(faultOf({ reservations: [[2 * page, page]] })).toBe('the reservation at 0x2000 is not owned from 0x2000 on')
    expect(faultOf({ reservations: [[4 * page, 3 * page]] })).toBe(
      `the reservations have ${3 * page} bytes, but the owned ranges have ${4 * page}`,
    )
  })
})
