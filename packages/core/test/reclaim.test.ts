// The way back from a moved view: who has the buffer that its bytes went to gives it up, and the pages are the owner's.
import { createMemory, type Address, type Memory, type Region } from '@memlayer/core'
import { isDetached } from '@memlayer/kernel'
import { markAsUntransferable } from 'node:worker_threads'
import { beforeEach, describe, expect, it } from 'vitest'
import { bufferGiven, isOver } from '../src/borrows/reclaim.js'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

/** Its views are buffers that the engine can move. `moved` are those that the bytes went to, by their place. */
class MovingOS extends PageOS {
  readonly moved = new Map<Address, ArrayBuffer>()

  override view(v: Address, n: number): ArrayBuffer {
    const moved = this.moved.get(v)
    return moved?.byteLength === n ? moved : super.view(v, n)
  }
}

let os: MovingOS
let memory: Memory
let region: Region

beforeEach(() => {
  os = new MovingOS()
  memory = createMemory(os)
  region = memory.reserve(8 * page, { name: 'rows' })
  region.commit()
})

/** Makes a view of pages, and moves its bytes. */
function move(offset: number, n: number): ArrayBuffer {
  const { buffer } = region.view(Uint8Array, offset, n)
  const moved = structuredClone(buffer, { transfer: [buffer] })
  os.moved.set(region.address + offset, moved)
  return moved
}

describe('a moved view', () => {
  it('is given back by its buffer, which is detached, and its pages are free again', () => {
    const moved = move(2 * page, 2 * page)
    new Uint8Array(moved).fill(5)
    expect(errorOf(() => region.unused()).code).toBe('ERR_MEMLAYER_VIEW')
    expect(memory.stats().pinned).toBe(2 * page)
    region.reclaim(moved)
    expect([isDetached(moved), memory.stats().pinned, memory.holds()]).toEqual([true, undefined, []])
    region.unused()
    region.free()
    memory.check()
  })

  it('is given back by a view of the buffer as well, and one of several by its own buffer', () => {
    const [first, second] = [move(0, 2 * page), move(4 * page, 2 * page)]
    region.reclaim(new Uint8Array(second, 8, 8))
    region.unused(4 * page, 2 * page)
    expect(errorOf(() => region.unused(0, page)).code).toBe('ERR_MEMLAYER_VIEW')
    region.reclaim(first)
    region.free()
  })

  it('is not given back by a buffer that was moved on, and is by the one that has the bytes', () => {
    const moved = move(0, 2 * page)
    const last = structuredClone(moved, { transfer: [moved] })
    os.moved.set(region.address, last)
    const error = errorOf(() => region.reclaim(moved))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_VIEW', op: 'reclaim', region: 'rows' })
    expect(error.message).toContain('the buffer was detached, so another buffer has the bytes')
    expect(error.message).toContain('`value.buffer` of a BYOB read')
    region.reclaim(last)
    region.free()
  })

  it('stays where its buffer can not be detached, and no other operation takes its pages', () => {
    const moved = move(0, 2 * page)
    markAsUntransferable(moved)
    const error = errorOf(() => region.reclaim(moved))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_VIEW', op: 'reclaim', address: region.address, size: 2 * page })
    expect(error.message).toMatch(/^reclaim\(0, 32768\) .*: the view of 8192 bytes at 0x\w+ can't be detached/)
    expect(errorOf(() => region.free()).code).toBe('ERR_MEMLAYER_VIEW')
  })

  it('is none of another region', () => {
    const other = memory.reserve(2 * page)
    other.commit()
    const moved = move(0, 2 * page)
    expect(errorOf(() => other.reclaim(moved)).message).toContain('no view of the region was moved to this buffer')
    expect(isDetached(moved)).toBe(false)
    region.reclaim(moved)
  })

  it('is not reclaimed by the buffer of a view that was not moved', () => {
    const view = region.view(Uint8Array, 0, 2 * page)
    os.moved.set(region.address, view.buffer)
    expect(errorOf(() => region.reclaim(view.buffer)).code).toBe('ERR_MEMLAYER_VIEW')
    expect(view.length).toBe(2 * page)
  })
})

describe('the buffer that is given', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['a number', 5],
    ['a shared buffer', new SharedArrayBuffer(8)],
    ['a view of a shared buffer', new Uint8Array(new SharedArrayBuffer(8))],
    ['an object', {}],
  ])('is not %s', (_, given) => {
    const error = errorOf(() => bufferGiven(given))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_VIEW', op: 'reclaim' })
    expect(error.message).toMatch(/^reclaim: .* is not an ArrayBuffer or a view of one/)
  })

  it('is the buffer itself, or that of a view', () => {
    const buffer = new ArrayBuffer(8)
    expect([bufferGiven(buffer) === buffer, bufferGiven(new DataView(buffer)) === buffer]).toEqual([true, true])
  })
})

describe('whether a buffer is over a range', () => {
  const over = (ours: ArrayBuffer, theirs: ArrayBuffer): boolean => isOver({ view: () => ours }, page, theirs)
  const bytes = (...values: number[]): ArrayBuffer => Uint8Array.from(values).buffer

  it('is true of the bytes of the range, which are as before then', () => {
    const buffer = bytes(1, 2, 0xff)
    expect([over(buffer, buffer), [...new Uint8Array(buffer)]]).toEqual([true, [1, 2, 0xff]])
  })

  it('is false of equal bytes elsewhere, which are as before then', () => {
    const [ours, theirs] = [bytes(1, 2, 3), bytes(1, 2, 3)]
    expect(over(ours, theirs)).toBe(false)
    expect([...new Uint8Array(ours), ...new Uint8Array(theirs)]).toEqual([1, 2, 3, 1, 2, 3])
  })

  it('is false of other bytes, and writes nothing', () => {
    const ours = bytes(1, 2, 3)
    expect([over(ours, bytes(9, 2, 3)), over(ours, bytes(1, 2, 9))]).toEqual([false, false])
    expect([...new Uint8Array(ours)]).toEqual([1, 2, 3])
  })
})
