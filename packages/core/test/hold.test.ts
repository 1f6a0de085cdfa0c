// A hold by itself: what it tells, its release, and the warning about one that was dropped.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Hold } from '../src/borrows/hold.js'
import { RELEASED, STATE, TAKEN } from '../src/borrows/share-token.js'
import type { Maker } from '../src/holding.js'
import { replaceRegistry, type Collector } from './collected.js'

const page = 4096

let collector: Collector
let words: Int32Array
const giveUp = vi.fn<() => void>(() => void (words[STATE] = RELEASED))

async function make(kind: Maker['kind'] = 'hold'): Promise<Hold> {
  const { Hold } = await import('../src/borrows/hold.js')
  words = Int32Array.of(RELEASED)
  const made = 'Error: made here\n    at maker (program.js:3:5)'
  return new Hold('rows', page, 100, { words, giveUp, maker: { kind, region: 'rows', offset: 0, made, since: 0 } })
}

beforeEach(() => {
  collector = replaceRegistry()
})

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  giveUp.mockClear()
})

describe('a hold', () => {
  it('tells its place, and keeps its pages from when it is there until it is released, once', async () => {
    const hold = await make()
    expect([hold.name, hold.address, hold.size, hold.released, words[STATE]]).toEqual(['rows', page, 100, false, TAKEN])
    expect(String(hold)).toBe("Hold of 'rows': 100 bytes at 0x1000")
    hold.release()
    expect([hold.released, words[STATE], giveUp.mock.calls.length]).toEqual([true, RELEASED, 1])
    expect(String(hold)).toBe("Hold of 'rows': 100 bytes at 0x1000, released")
    hold.release()
    hold[Symbol.dispose]()
    expect(giveUp).toHaveBeenCalledTimes(1)
  })

  it.each<[Maker['kind'], boolean, RegExp, RegExp]>([
    ['hold', true, /region\.hold\(\) of 100 bytes of .*'rows' was collected without .* stay Ready/, /'using'/],
    ['lend', true, /region\.lend\(\) of 100 bytes/, /'using'/],
    ['stream', false, /a stream of 100 bytes of the region 'rows' was collected before it ended/, /cancel it/],
    ['toReadable', false, /a stream of 100 bytes/, /cancel it/],
  ])('of a %s that is dropped warns with its place, and keeps its pages: %s', async (kind, keeps, what, advice) => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const hold = await make(kind)
    expect(collector.collect(hold)).toBe(1)
    expect(giveUp).toHaveBeenCalledTimes(keeps ? 0 : 1)
    const [text, options] = warned.mock.calls[0] as unknown as [string, { code: string; detail: string }]
    expect(text).toMatch(what)
    expect([options.code, options.detail.split('\n')[0]]).toEqual(['MEMLAYER_LEAK', '    at maker (program.js:3:5)'])
    expect(options.detail).toMatch(advice)
  })

  it('whose pages went with their buffer is collected without a word', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const hold = await make()
    words[STATE] = RELEASED
    expect(collector.collect(hold)).toBe(1)
    expect(warned).not.toHaveBeenCalled()
  })

  it('that was released is collected without a word', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const hold = await make()
    hold.release()
    expect(collector.collect(hold)).toBe(0)
    expect(warned).not.toHaveBeenCalled()
  })
})
