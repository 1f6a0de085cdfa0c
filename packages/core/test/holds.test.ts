// memory.holds() and the error of pages that are kept: who keeps them, since when, and from which place in the program.
import { createMemory, UsageError, type Memory, type Region } from '@memlayer/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

let memory: Memory
let region: Region

beforeEach(() => {
  memory = createMemory(Object.assign(new PageOS({}), { view: (_v: number, n: number) => new ArrayBuffer(n) }))
  region = memory.reserve(16 * page, { name: 'vectors' })
  region.commit()
})

/** Places in this file begin with the function that made the hold. */
const placeIn = (made: string): string => /at (?:async )?(\S+)/.exec(made)?.[1] ?? ''

describe('memory.holds', () => {
  it('lists holds, lends, transfers and streams with their place, and nothing that has ended', async () => {
    expect(memory.holds()).toEqual([])
    const hold = (function holder() {
      return region.hold(page, 2 * page)
    })()
    const stream = (function streamer() {
      return region.stream(0, page)
    })()
    await (function lender() {
      return region.lend(Uint8Array, 5, 10, () => {
        const all = memory.holds()
        expect(all.map(({ kind, offset, length }) => [kind, offset, length])).toEqual([
          ['hold', page, 2 * page],
          ['stream', 0, page],
          ['lend', 5, 10],
        ])
        expect(all.map(({ made }) => placeIn(made))).toEqual(['holder', 'streamer', 'lender'])
        expect(all.every(({ made }) => made.split('\n').length <= 5)).toBe(true)
        expect(all.map(({ address, region: name, worker }) => [address - region.address, name, worker])).toEqual([
          [page, 'vectors', null],
          [0, 'vectors', null],
          [5, 'vectors', null],
        ])
        expect(all.every(({ age }, i) => age >= (all[i + 1]?.age ?? 0))).toBe(true)
      })
    })()
    hold.release()
    await stream.cancel()
    expect(memory.holds()).toEqual([])
  })

  it('lists a view that was moved, until it is reclaimed', () => {
    const { buffer } = region.view(Uint8Array, 2 * page, page)
    structuredClone(buffer, { transfer: [buffer] })
    expect(() => region.unused()).toThrow(UsageError)
    expect(memory.holds()).toMatchObject([
      { kind: 'moved', region: 'vectors', offset: 2 * page, length: page, made: region.made, worker: null },
    ])
  })

  it('lists nothing without a ledger', () => {
    expect(createMemory(new PageOS(), { ledger: false }).holds()).toEqual([])
  })
})

describe('the error of pages that are kept', () => {
  it('has all who keep them, and names three with their place', () => {
    const holds = Array.from({ length: 5 }, (_, i) => region.hold(i * page, page))
    const error = errorOf(() => region.unused())
    expect(error.code).toBe('ERR_MEMLAYER_SHARED')
    expect(error.holds?.length).toBe(5)
    expect(new Set(error.holds?.map(({ offset }) => offset / page))).toEqual(new Set([0, 1, 2, 3, 4]))
    const one = /region\.hold\(\) keeps the 4096 bytes at 0x\w+ Ready \(\d+ ms old, made at holds\.test\.ts:\d+:\d+\)/g
    expect(error.message.match(one)?.length).toBe(3)
    expect(error.message).toContain('), and 2 more. Release the hold')
    for (const hold of holds) hold.release()
    region.unused()
  })

  it('has only those of the range', () => {
    using hold = region.hold(0, page)
    using other = region.hold(page, page)
    expect(errorOf(() => region.unused(page, page)).holds).toMatchObject([{ offset: page }])
    expect([hold.released, other.released]).toEqual([false, false])
  })
})

describe('the place of a region', () => {
  it('begins in the program, and not in the layer', () => {
    const own = (function maker() {
      return memory.reserve(page)
    })()
    expect(own.made).toMatch(/^Error: reserved here\n {4}at maker \(.*holds\.test\.ts/)
    own.free()
  })

  it('begins below a function that stands before reserve and says so', () => {
    const before = (size: number): Region => {
      const reserve = memory.reserve as (...given: unknown[]) => Region
      return reserve(size, {}, before)
    }
    const own = (function maker() {
      return before(page)
    })()
    expect(own.made).toMatch(/^Error: reserved here\n {4}at maker /)
    own.free()
  })
})
