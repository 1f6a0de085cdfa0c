// Tests that values of another realm (node:vm, the REPL, test runners) are taken by what they are.
import { runInNewContext } from 'node:vm'
import { memory, UsageError } from 'memlayer'
import { describe, expect, it } from 'vitest'

type Types = Record<string, typeof Uint8Array>

const names = ['Int8Array', 'Uint8ClampedArray', 'Int16Array', 'Float32Array', 'BigUint64Array', 'DataView', 'Own']

describe('the class of a view from another realm', () => {
  const region = memory.reserve(65_536)
  region.commit(0, 65_536)
  const types = runInNewContext(`class Own extends Float64Array {}; ({ ${names.join(', ')} })`) as Types

  it.each(names)('%s makes a view of that class, with its elements', (name) => {
    const type = types[name] as typeof Uint8Array
    const view = region.view(type, 0, 16)
    expect(view).toBeInstanceOf(type)
    const size = (type as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1
    expect(view.byteLength).toBe(16 * size)
  })

  it('is not taken by its name alone', () => {
    const fake = runInNewContext('(function Uint8Array() {})') as typeof Uint8Array
    expect(() => region.view(fake, 0, 1)).toThrow(UsageError)
  })
})
