// Tests the errors of regions and buffers. They name the called method, the region, and the caller's offsets.
import {
  createMemory,
  FatalError,
  GrowableBuffer,
  OutOfMemoryError,
  type Memory,
  type MemoryEvent,
} from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096
const hex = (v: number): string => `0x${v.toString(16)}`

function made(): { os: PageOS; memory: Memory } {
  const os = new PageOS()
  return { os, memory: createMemory(os) }
}

describe('an error of a region', () => {
  it.each<[string, (region: ReturnType<Memory['reserve']>) => void, string]>([
    ['unused', (r) => r.unused(2 * page, page), 'unused(8192, 4096)'],
    ['used', (r) => r.used(2 * page, page), 'used(8192, 4096)'],
    ['fault', (r) => r.fault(2 * page, page), 'fault(8192, 4096)'],
    ['populate', (r) => r.populate(2 * page, page), 'populate(8192, 4096)'],
    ['hold', (r) => r.hold(2 * page, page), 'hold(8192, 4096)'],
    ['view', (r) => r.view(Uint8Array, 2 * page, page), 'view(8192, 4096)'],
    ['read', (r) => r.read(2 * page, new Uint8Array(8)), 'read(8192, 8)'],
    ['write', (r) => r.write(2 * page, new Uint8Array(8)), 'write(8192, 8)'],
    ['map', (r) => r.map(0, page), 'map(0, 4096)'],
  ])('names %s, the region and its offset beside the address', (op, call, head) => {
    const { memory } = made()
    const region = memory.reserve(4 * page, { name: 'vectors' })
    region.commit(0, page)
    const error = errorOf(() => call(region))
    const at = region.address + (op === 'map' ? 0 : 2 * page)
    expect(error.message).toContain(`${head} of the region 'vectors' at ${hex(at)}: the range has to be `)
    expect(error).toMatchObject({ op, region: 'vectors', offset: at - region.address, address: at })
    expect(error.stack).toContain(error.message)
  })

  it('is also in the observers’ event, with the kernel’s answer', () => {
    const { os, memory } = made()
    const region = memory.reserve(4 * page, { name: 'vectors' })
    const heard: MemoryEvent[] = []
    memory.observe((event) => heard.push(event))
    os.fate = () => new FatalError('out of memory', { op: 'sysMap', syscall: 'mmap', errno: 12, errnoName: 'ENOMEM' })
    const error = errorOf(() => region.commit())
    expect(error.message).toBe(
      "out of memory: mmap() answered ENOMEM (12), in commit(0, 16384) of the region 'vectors'",
    )
    expect(error).toMatchObject({ name: 'FatalError', op: 'commit', errnoName: 'ENOMEM', region: 'vectors', offset: 0 })
    expect(heard.at(-1)?.error).toBe(error)
    expect(heard.at(-1)?.op).toBe('sysMap')
  })

  it('names the reservation that the OS refuses', () => {
    const { os, memory } = made()
    os.fate = () => ({ hint: 'Free some.' })
    const error = errorOf(() => memory.reserve(4 * page, { name: 'vectors' }))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error.message).toMatch(/^reserve\(16384\) of the region 'vectors': pages refused 16 KiB/)
    expect(error).toMatchObject({ op: 'reserve', region: 'vectors', size: 4 * page })
  })

  it('has its hint once, at the end', () => {
    const { memory } = made()
    const error = errorOf(() => memory.reserve(page, { name: 'a' }).unused())
    expect(error.message.endsWith(`. ${error.hint}`)).toBe(true)
    expect(error.message.split(error.hint as string)).toHaveLength(2)
  })
})

describe('an error of a view of a region', () => {
  it('names bytes, because the caller passed a number of elements', () => {
    const region = made().memory.reserve(page, { name: 'vectors' })
    const says = "the region 'vectors' of 4096 bytes. Pass an offset in bytes and a length in elements."
    expect(errorOf(() => region.view(Float64Array, 8, 1000)).message).toContain(
      `view: bytes 8 to 8008 do not lie within ${says}`,
    )
    expect(errorOf(() => region.view(Uint8Array, 70000)).message).toContain(
      `view: the offset 70000 does not lie within ${says}`,
    )
    expect(errorOf(() => region.view(Uint8Array, 'x' as never, 1)).message).toContain(
      `view: the range ("x", 1) does not lie within ${says}`,
    )
  })
})

describe('an error of a buffer', () => {
  it('names its own method when the OS refuses growth, and the length does not change', () => {
    const { os, memory } = made()
    const buffer = new GrowableBuffer(memory, { maximum: 16 * page, length: page, name: 'index' })
    buffer.resize(0)
    os.fate = (fn) =>
      fn === 'sysUsedOS' ? new OutOfMemoryError('sysUsed: pages refused it', { op: 'sysUsed' }) : undefined
    const error = errorOf(() => buffer.resize(2 * page))
    expect(error.message).toMatch(/^resize\(8192\) of the buffer 'index': pages refused it/)
    expect(error).toMatchObject({ op: 'resize', region: 'index' })
    expect(buffer.length).toBe(0)
  })

  it('names the buffer after free', () => {
    const { memory } = made()
    const buffer = new GrowableBuffer(memory, { maximum: 16 * page, length: page, name: 'index' })
    buffer.free()
    for (const [op, call] of [
      ['resize', () => buffer.resize(page)],
      ['grow', () => buffer.grow(page)],
      ['zero', () => buffer.zero(0, 0)],
      ['discard', () => buffer.discard(0, 0)],
      ['view', () => buffer.view(Uint8Array, 0, 0)],
      ['bytes', () => buffer.bytes()],
    ] as const) {
      const error = errorOf(call)
      expect(error.code).toBe('ERR_MEMLAYER_DISPOSED')
      expect(error.message).toMatch(new RegExp(`^${op}: the buffer 'index' was freed. Make another`))
    }
  })

  it('names its range in bytes of the buffer', () => {
    const buffer = new GrowableBuffer(made().memory, { maximum: 16 * page, length: 10, name: 'index' })
    expect(errorOf(() => buffer.view(Uint8Array, 8, 4)).message).toMatch(
      /^view: bytes 8 to 12 do not lie within the buffer 'index' of 10 bytes\. /,
    )
    // Without a length there is no range to show.
    expect(errorOf(() => buffer.view(Uint8Array, 70000)).message).toMatch(
      /^view: the offset 70000 does not lie within the buffer 'index' of 10 bytes\. /,
    )
  })

  it('names its method and the length that is wrong', () => {
    const buffer = new GrowableBuffer(made().memory, { maximum: 16 * page, length: 10, name: 'index' })
    const messages = [() => buffer.resize(70000), () => buffer.grow(-1), () => buffer.grow(70000)].map((call) => {
      const error = errorOf(call)
      expect(error).toMatchObject({ code: 'ERR_MEMLAYER_SIZE', region: 'index' })
      return error.message
    })
    expect(messages).toEqual([
      "resize of the buffer 'index': the length is 70000. Pass a whole number of bytes from 0 to 65536.",
      "grow of the buffer 'index': the number of bytes is -1. " +
        'Pass a whole number of bytes from 0 to 9007199254740991.',
      "grow of the buffer 'index' by 70000 bytes: it would have 70010 bytes, and its maximum is 65536. " +
        'Pass a whole number of bytes from 0 to 65526.',
    ])
  })
})
