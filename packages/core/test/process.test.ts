// What threads know of each other, over a table that is simulated: which ranges a thread leaves that has ended, which
// of them others have a share of, and the log that tells. The log is compared with a map, over random histories.
import type { ProcessTable } from '@memlayer/kernel'
import { testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RangeMap } from '../src/ledger/range-map.js'
import { borrow } from '../src/process/borrowings.js'
import { FREE, recordAt, STATE } from '../src/process/layout.js'
import { readLog } from '../src/process/log.js'
import { otherThreads, pairsOf, reap } from '../src/process/reap.js'
import { isInUse, leave, ProcessRecord } from '../src/process/record.js'
import { Process } from './simulated-process.js'

fc.configureGlobal({ seed: testSeed() })

const page = 4096

describe('a thread that has ended', () => {
  it('leaves its ranges to the next that looks, and its record to the next that enters', () => {
    const process = new Process()
    const [main, worker] = [process.of(1), process.of(2)]
    const own = ProcessRecord.enter(main, () => [])
    const record = ProcessRecord.enter(worker, () => []) as ProcessRecord
    own?.log.add(page, page)
    record.log.add(10 * page, 4 * page)
    record.log.add(20 * page, 4 * page)
    record.log.remove(11 * page, page)
    reap(main)
    expect(process.unmapped).toEqual([])
    expect(otherThreads(main)).toMatchObject([
      {
        ranges: [
          [10 * page, page],
          [12 * page, 2 * page],
          [20 * page, 4 * page],
        ],
      },
    ])
    process.alive.delete(2)
    reap(main)
    expect(process.unmapped).toEqual(['10+1', '12+2', '20+4'])
    expect([otherThreads(main), process.logs, process.words[recordAt(1) + STATE]]).toEqual([[], 2, FREE])
    reap(main)
    expect(process.unmapped).toHaveLength(3)
    expect(ProcessRecord.enter(process.of(3), () => [])?.at).toBe(record.at)
  })

  it('leaves to others what they have a share of, until they release it', () => {
    const process = new Process()
    const [main, owner, user] = [process.of(1), process.of(2), process.of(3)]
    const record = ProcessRecord.enter(owner, () => []) as ProcessRecord
    record.log.add(10 * page, 10 * page)
    const { use } = record
    const shares = [borrow(user, 12 * page, 4 * page), borrow(user, 14 * page, 4 * page)]
    process.alive.delete(2)
    expect(isInUse(main, record.at, use)).toBe(true)
    reap(main)
    expect(process.unmapped).toEqual(['10+2', '18+2'])
    // No thread takes up a share of it from here on.
    expect(isInUse(main, record.at, use)).toBe(false)
    shares[0]?.end()
    expect(process.unmapped.slice(2)).toEqual(['12+2'])
    shares[0]?.end()
    process.alive.delete(3)
    reap(main)
    expect(process.unmapped.slice(3)).toEqual(['14+4'])
    expect([process.logs, otherThreads(main)]).toEqual([0, []])
  })

  it('is not given back twice where a reaper ended before it was done', () => {
    const process = new Process()
    const [main, worker] = [process.of(1), process.of(2)]
    const record = ProcessRecord.enter(worker, () => []) as ProcessRecord
    for (let i = 0; i < 4; i++) record.log.add((10 + 2 * i) * page, page)
    process.alive.delete(2)
    const ending: ProcessTable = {
      ...process.of(4),
      unmap: (at, bytes) => {
        main.unmap(at, bytes)
        throw new Error('the thread has ended')
      },
    }
    expect(() => reap(ending)).toThrow('the thread has ended')
    reap(main)
    expect(process.unmapped).toEqual(['10+1'])
    process.alive.delete(4)
    reap(main)
    expect(process.unmapped).toEqual(['10+1', '12+1', '14+1', '16+1'])
  })

  it('gives nothing back where there was no memory for its log', () => {
    const process = new Process()
    const [main, worker] = [process.of(1), process.of(2)]
    const owned: [number, number][] = []
    const record = ProcessRecord.enter(worker, () => owned) as ProcessRecord
    process.hasMemory = false
    for (let i = 0; i < 5000; i++) {
      owned.push([2 * i * page, page])
      record.log.add(2 * i * page, page)
    }
    process.alive.delete(2)
    reap(main)
    expect([process.unmapped, process.logs]).toEqual([[], 0])
  })
})

describe('records', () => {
  it('are as many as there is room for', () => {
    const process = new Process()
    const table = process.of(1)
    const records = Array.from({ length: 100 }, () => ProcessRecord.enter(table, () => []))
    expect(records.filter((record) => record !== null)).toHaveLength(63)
    leave(table, (records[7] as ProcessRecord).at)
    expect(ProcessRecord.enter(table, () => [])?.at).toBe(records[7]?.at)
  })
})

describe('the log', () => {
  it('tells what is owned, over any history', () => {
    const step = fc.record({ at: fc.nat(4000), pages: fc.integer({ min: 1, max: 20 }), isGone: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { minLength: 9000, maxLength: 12_000, size: 'max' }), (steps) => {
        const table = new Process().of(1)
        const owned = new RangeMap()
        const record = ProcessRecord.enter(table, () => pairsOf(owned)) as ProcessRecord
        for (const [i, { at, pages, isGone }] of steps.entries()) {
          const [v, n] = [(at + 1) * page, pages * page]
          owned.assign(v, n, isGone ? 0 : 1)
          if (isGone) record.log.remove(v, n)
          else record.log.add(v, n)
          if (i % 500 === 0) expect(pairsOf(readLog(table, record.at).owned)).toEqual(pairsOf(owned))
        }
        expect(pairsOf(readLog(table, record.at).owned)).toEqual(pairsOf(owned))
      }),
      { numRuns: 5 },
    )
  })
})
