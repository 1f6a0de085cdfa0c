// Tests a region's methods without arguments, the types of views, and methods that are called without their memory.
import { createMemory, type Memory, type Region } from '@memlayer/core'
import { beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

/** Makes bytes whose values are their addresses. */
const bytesAt = (v: number, n: number): ArrayBuffer => Uint8Array.from({ length: n }, (_, i) => v + i).buffer

let memory: Memory
let region: Region
beforeEach(() => {
  // The OS of the other tests makes views of whole pages only.
  memory = createMemory(Object.assign(new PageOS(), { view: (v: number, n: number) => bytesAt(v, n) }))
  region = memory.reserve(4 * page, { name: 'all' })
})

const states = (): string[] => memory.ranges().map(({ state, size }) => `${state} ${size / page}`)

describe('without arguments', () => {
  it('a method acts on the whole region, and with only an offset on the rest of it', () => {
    region.map()
    expect(states()).toEqual(['Prepared 4'])
    region.used(2 * page)
    expect(states()).toEqual(['Prepared 2', 'Ready 2'])
    region.commit()
    expect(states()).toEqual(['Ready 4'])
    region.unused(3 * page)
    expect(states()).toEqual(['Ready 3', 'Prepared 1'])
    region.used()
    region.hugePage()
    region.populate()
    region.unused()
    expect(states()).toEqual(['Prepared 4'])
    region.fault()
    expect(states()).toEqual(['Reserved 4'])
  })

  it('free gives back what is left, though an observer of its first part frees the rest', () => {
    region.free(page, page)
    let heard = 0
    memory.observe(({ op }) => {
      if (op === 'sysFree' && (heard += 1) === 1) region[Symbol.dispose]()
    })
    region.free()
    expect([heard, memory.ranges(), region.disposed]).toEqual([2, [], true])
    memory.check()
  })

  it('a view is as long as the region, in whole elements', () => {
    region.commit()
    expect(region.view(Uint8Array).length).toBe(4 * page)
    expect(region.view(Float64Array, 8).length).toBe((4 * page) / 8 - 1)
    expect(region.view(Float64Array, 4 * page - 8).length).toBe(1)
    expect(region.view(DataView, 10).byteLength).toBe(4 * page - 10)
    expect(region.view(Uint8Array, 4 * page).length).toBe(0)
    for (const offset of [4 * page + 1, -1, NaN, 0.5]) {
      expect(errorOf(() => region.view(Uint8Array, offset)).code).toBe('ERR_MEMLAYER_RANGE')
    }
  })
})

describe('a view', () => {
  it('can be a Buffer over the bytes at its offset', () => {
    region.commit()
    const bytes = region.view(Buffer, 16, 5)
    expect(bytes).toBeInstanceOf(Buffer)
    expect([...bytes]).toEqual([16, 17, 18, 19, 20])
    bytes.write('hello')
    expect(bytes.toString()).toBe('hello')
    region.unused()
    expect(bytes.length).toBe(0)
  })

  it('can be of a class that extends a typed array', () => {
    class Vector extends Float32Array {
      sum(): number {
        return this.reduce((a, b) => a + b, 0)
      }
    }
    region.commit()
    const vector = region.view(Vector, 0, 3)
    vector.set([1, 2, 3])
    expect([vector.sum(), vector.byteLength]).toEqual([6, 12])
    region.free()
    expect(vector.length).toBe(0)
  })

  it('has the type of its class, over an ArrayBuffer', () => {
    region.commit()
    expectTypeOf(region.view(DataView)).toEqualTypeOf<DataView<ArrayBuffer>>()
    expectTypeOf(memory.view(DataView, region.address, 8)).toEqualTypeOf<DataView<ArrayBuffer>>()
    expectTypeOf(region.view(Float32Array)).toEqualTypeOf<Float32Array<ArrayBuffer>>()
    expectTypeOf(region.view(Uint8Array, 0, 8)).toEqualTypeOf<Uint8Array<ArrayBuffer>>()
    expectTypeOf<Parameters<Region['view']>[0]>().not.toExtend<MapConstructor>()
  })

  it.each<[unknown, string]>([
    [Map, 'the class Map'],
    [ArrayBuffer, 'the class ArrayBuffer'],
    [(): void => {}, 'a function'],
    ['Uint8Array', '"Uint8Array"'],
  ])('of another type gives an error that names the type: %s', (type, name) => {
    region.commit()
    const error = errorOf(() => region.view(type as never))
    expect(error.code).toBe('ERR_MEMLAYER_VIEW')
    expect(error.message).toContain(`view: ${name} is not the class of a view`)
  })
})

it('methods that are not operations work without their memory as `this`', () => {
  const { reserve, stat, stats, regions, ranges, check, observe, mappings, residency, explain, trimHost } = memory
  let heard = 0
  const end = observe(() => (heard += 1))
  const other = reserve(page, { stat: stat('other') })
  end()
  expect([heard, regions().includes(other), ranges().length, stats().total.reserved]).toEqual([1, true, 1, 5 * page])
  expect([mappings(), residency(other.address, 1), explain(), trimHost()]).toEqual([null, null, null, 0])
  check()
})
