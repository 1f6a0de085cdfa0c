// Tests views whose properties a user has changed. Core must still detach every view before its pages are given back.
import { createMemory, type Memory, type Region, type ViewConstructor } from '@memlayer/core'
import { beforeDetach } from '@memlayer/kernel'
import { beforeEach, describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096
const byteLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')?.get

describe('a view with changed properties', () => {
  let memory: Memory
  let region: Region

  beforeEach(() => {
    memory = createMemory(new PageOS())
    region = memory.reserve(8 * page)
    region.commit(0, 8 * page)
  })

  it('is detached, also when its buffer lies about `detached`', () => {
    const { buffer } = region.view(Uint8Array, 0, page)
    let asked = 0
    Object.defineProperty(buffer, 'detached', { get: () => (asked += 1) > 1 })
    region.unused(0, page)
    expect([asked, byteLength?.call(buffer)]).toEqual([0, 0])
  })

  it('runs no code of its user when it is detached', () => {
    const { buffer } = region.view(Uint8Array, 0, page)
    let ran = 0
    const run = (): never => {
      ran += 1
      throw new Error('ran')
    }
    for (const key of [
      Symbol.for('memlayer.beforeDetach'),
      'transfer',
      'byteLength',
      'slice',
      'constructor',
      Symbol.species,
    ]) {
      Object.defineProperty(buffer, key, { get: run, configurable: true })
    }
    region.free()
    expect([ran, byteLength?.call(buffer)]).toEqual([0, 0])
  })

  it('is ended as well when code that runs during the detach has made it', () => {
    const made: Uint8Array[] = []
    const make = (): void => {
      for (const offset of [0, page]) made.push(region.view(Uint8Array, offset, page))
    }
    beforeDetach(region.view(Uint8Array, 0, page).buffer, make)
    region.fault(0, page)
    expect(made.map(({ length }) => length)).toEqual([0, page])
    expect(memory.ranges().map(({ state }) => state)).toEqual(['Reserved', 'Ready'])
    region.commit(0, page)
    expect(region.view(Uint8Array, 0, page).length).toBe(page)
  })
})

describe('a type that does not belong to the engine', () => {
  const lying = (size: unknown): ViewConstructor => {
    const type: unknown = Object.assign(function View() {}, { BYTES_PER_ELEMENT: size })
    return Object.setPrototypeOf(type, Object.getPrototypeOf(Uint8Array) as object) as ViewConstructor
  }

  it.each([-1, 0, NaN, 0.5, 2 ** 53, '1', 8])('makes no view if its BYTES_PER_ELEMENT is %s', (size) => {
    const os = new PageOS()
    const memory = createMemory(os)
    const region = memory.reserve(page)
    region.commit(0, page)
    const asked: number[] = []
    os.view = (v) => {
      asked.push(v)
      return new ArrayBuffer(0)
    }
    for (const run of [
      () => memory.view(lying(size), 4096, 8),
      () => region.view(lying(size), 0, 8),
      () => region.view({ BYTES_PER_ELEMENT: size } as never, 0, 8),
    ]) {
      expect(errorOf(run)).toMatchObject({ name: 'UsageError', code: 'ERR_MEMLAYER_VIEW' })
    }
    expect(asked).toEqual([])
  })
})

describe('read and write', () => {
  it('refuse an array or a DataView that has lost its bytes', () => {
    const region = createMemory(new PageOS()).reserve(page)
    region.commit(0, page)
    const gone = new ArrayBuffer(8)
    const kept = [new Uint8Array(gone), new DataView(gone)]
    gone.transfer(0)
    const shrunk = new ArrayBuffer(8, { maxByteLength: 8 })
    kept.push(new DataView(shrunk, 4, 4))
    shrunk.resize(2)
    for (const data of kept) {
      expect(errorOf(() => region.read(0, data))).toMatchObject({ name: 'UsageError', code: 'ERR_MEMLAYER_VIEW' })
      expect(errorOf(() => region.write(0, data))).toMatchObject({ name: 'UsageError', code: 'ERR_MEMLAYER_VIEW' })
    }
  })
})
