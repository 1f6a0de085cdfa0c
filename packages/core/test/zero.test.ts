// region.zero: which bytes it clears, what it asks of the OS, and what it refuses. The bytes of this OS are real, so a
// view shows what was cleared. os-linux has its test on real pages.
import { createMemory, GrowableBuffer, OutOfMemoryError, type Memory, type Region } from '@memlayer/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

/** Pages with bytes, of one buffer that is never detached. */
class BytesOS extends PageOS {
  readonly bytes = new Uint8Array(2 ** 21)
  readonly asked: [number, number][] = []
  /** What sysZeroOS answers. It zeroes only where that is true. */
  answer = true

  override view(_v: number, n: number): ArrayBuffer {
    return new ArrayBuffer(n)
  }

  override readonly host = {
    write: (v: number, source: Uint8Array): void => this.bytes.set(source, v),
    read: (v: number, target: Uint8Array): void => target.set(this.bytes.subarray(v, v + target.length)),
  }
}

class ZeroingOS extends BytesOS {
  sysZeroOS(v: number, n: number): boolean {
    this.asked.push([v, n])
    if (this.answer) this.bytes.fill(0, v, v + n)
    return this.answer
  }
}

let os: BytesOS
let memory: Memory
let region: Region

function open(made: BytesOS): void {
  os = made
  memory = createMemory(os)
  region = memory.reserve(16 * page, { name: 'pages' })
  region.commit(0, 12 * page)
  os.bytes.fill(7)
}

/** The offsets at which the bytes change from 7 to 0 or back. */
function edges(): number[] {
  const bytes = os.bytes.subarray(region.address, region.address + 12 * page)
  const found: number[] = []
  for (let at = 0, before = 7; at < bytes.length; at++) {
    if (bytes[at] === before) continue
    before = bytes[at] as number
    found.push(at)
  }
  return found
}

beforeEach(() => open(new ZeroingOS()))

describe('region.zero', () => {
  it('asks the OS once for whole pages, and writes nothing', () => {
    const { length } = os.calls
    region.zero(page, 3 * page)
    expect(os.asked).toEqual([[region.address + page, 3 * page]])
    expect([edges(), os.calls.length]).toEqual([[page, 4 * page], length])
  })

  it('writes the bytes beside the whole pages, and all of a range that has none', () => {
    region.zero(100, 2 * page)
    expect(os.asked).toEqual([[region.address + page, page]])
    expect(edges()).toEqual([100, 100 + 2 * page])
    open(new ZeroingOS())
    region.zero(page + 1, page)
    expect([os.asked, edges()]).toEqual([[], [page + 1, 2 * page + 1]])
    region.zero(5, 0)
    expect(edges()).toEqual([page + 1, 2 * page + 1])
  })

  it('writes all of it where the kernel keeps the pages', () => {
    os.answer = false
    region.zero(0, 2 * page)
    expect([edges(), memory.stats().kept]).toEqual([[0, 2 * page], 0])
  })

  it('counts what the kernel keeps, where it says why', () => {
    os.answer = false
    os.refusal = null
    const { sysZeroOS } = ZeroingOS.prototype
    Object.assign(os, {
      sysZeroOS(v: number, n: number) {
        os.refusal = { syscall: 'madvise', errno: 22, errnoName: 'EINVAL', hint: 'Unlock it.' }
        return sysZeroOS.call(os as ZeroingOS, v, n)
      },
    })
    region.zero(10, 2 * page)
    expect([edges(), memory.stats().kept, os.refusal]).toEqual([[10, 10 + 2 * page], page, null])
    memory.check()
  })

  it('writes all of it where the OS has no such call, and then offers the pages to the kernel', () => {
    open(new BytesOS())
    const { length } = os.calls
    region.zero(page, 2 * page)
    expect(edges()).toEqual([page, 3 * page])
    expect(os.calls.slice(length).map((call) => call.slice(0, call.indexOf('(')))).toEqual(['sysUnusedOS', 'sysUsedOS'])
    memory.check()
  })

  it('offers nothing where unused pages trap, because a view may be touched meanwhile', () => {
    open(new BytesOS({ traits: { unusedTraps: true } }))
    const { length } = os.calls
    region.zero(page, 2 * page)
    expect([edges(), os.calls.length]).toEqual([[page, 3 * page], length])
  })

  it('leaves no refusal to a later error where the kernel declines the offer', () => {
    open(new BytesOS())
    os.fate = (fn) => (fn === 'sysUnusedOS' ? { hint: 'not now' } : undefined)
    region.zero(0, page)
    expect([edges(), os.refusal]).toEqual([[0, page], null])
  })

  it('keeps views, states, the account and the version of the ledger, and tells no observer', () => {
    const view = region.view(Uint8Array, 0, 2 * page)
    const told: unknown[] = []
    memory.observe((event) => told.push(event))
    const before = [memory.ranges(), memory.stats()]
    region.zero(0, 2 * page)
    expect([memory.ranges(), memory.stats()]).toEqual(before)
    expect([view.length, told]).toEqual([2 * page, []])
    memory.check()
  })

  it('refuses a range that is not Ready as a whole, before any effect, and says what to do', () => {
    const error = errorOf(() => region.zero(11 * page, 2 * page))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_STATE', op: 'zero', region: 'pages', offset: 11 * page })
    expect(error.message).toMatch(
      /has to be Ready, and is Reserved.*leave it out, or make it Ready first with region\.commit\.$/,
    )
    region.unused(10 * page, page)
    expect(errorOf(() => region.zero(9 * page, 3 * page)).message).toContain('Prepared')
    expect([os.asked, edges()]).toEqual([[], []])
  })

  it('refuses what a hold has, to the byte, because a call in flight would lose what it reads', () => {
    using _ = region.hold(page, 100)
    expect(errorOf(() => region.zero(0, 2 * page))).toMatchObject({ code: 'ERR_MEMLAYER_SHARED', op: 'zero' })
    expect([os.asked, edges()]).toEqual([[], []])
    region.zero(page + 100, 2 * page)
    expect(edges()).toEqual([page + 100, 3 * page + 100])
  })

  it.each([
    [-1, 1],
    [0, 17 * page],
    [0.5, 1],
    [NaN, 1],
  ])('refuses the offset %s and the length %s', (offset, length) => {
    expect(errorOf(() => region.zero(offset, length)).code).toBe('ERR_MEMLAYER_RANGE')
  })

  it('is refused while no kernel mapping is to spare for its advice, and changes nothing', () => {
    let used = 10
    const full = new ZeroingOS({ traits: { unusedTraps: true } })
    Object.assign(full.host, { mappings: () => ({ used, limit: 65530 }) })
    open(full)
    used = 65530
    const zeroAll = (): void => {
      for (let i = 0; i < 10_000; i++) region.zero(page, page)
    }
    expect(errorOf(zeroAll)).toBeInstanceOf(OutOfMemoryError)
    const { length } = full.asked
    expect(errorOf(zeroAll)).toMatchObject({ code: 'ERR_MEMLAYER_OUT_OF_MEMORY', op: 'zero', region: 'pages' })
    expect(full.asked.length).toBe(length)
    memory.check()
  })
})

describe('GrowableBuffer.zero', () => {
  it.each(['zero', 'discard'] as const)('%s clears bytes of the buffer, keeps its views, and names itself', (op) => {
    using buffer = new GrowableBuffer(memory, { maximum: 8 * page, length: 4 * page, name: 'log' })
    os.bytes.fill(7)
    const view = buffer.view(Uint8Array, 0, 4 * page)
    buffer[op](10, 2 * page)
    const from = buffer.address
    expect([
      os.bytes[from + 9],
      os.bytes[from + 10],
      os.bytes[from + 2 * page + 9],
      os.bytes[from + 2 * page + 10],
    ]).toEqual([7, 0, 0, 7])
    expect([view.length, buffer.length]).toEqual([4 * page, 4 * page])
    const error = errorOf(() => buffer[op](0, 4 * page + 1))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_RANGE', op })
    using _ = buffer.region.hold(0, page)
    expect(errorOf(() => buffer[op](0, page))).toMatchObject({ code: 'ERR_MEMLAYER_SHARED', op, region: 'log' })
  })
})
