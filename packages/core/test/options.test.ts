// Tests options: core refuses an unknown option, and treats undefined like a missing option.
import { checkOptions, createMemory, GrowableBuffer } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096
const memory = createMemory(new PageOS())

describe('an unknown option', () => {
  it.each<[string, () => unknown, string, string]>([
    ['of reserve', () => memory.reserve(page, { hugepages: 'off' } as never), 'hugepages', 'hugePages'],
    ['of reserve', () => memory.reserve(page, { names: 'x' } as never), 'names', 'name'],
    ['of createMemory', () => createMemory(new PageOS(), { leger: false } as never), 'leger', 'ledger'],
    ['of GrowableBuffer', () => new GrowableBuffer(memory, { maximun: page } as never), 'maximun', 'maximum'],
    ['of observe', () => memory.observe(() => {}, { want: () => true } as never), 'want', 'wanted'],
  ])('%s stops the call, and the error names the nearest known option', (_, call, wrong, nearest) => {
    const before = memory.stats()
    const error = errorOf(call)
    expect(error.code).toBe('ERR_MEMLAYER_OPTION')
    expect(error.message).toContain(`the option "${wrong}" is not known. Did you mean '${nearest}'? Pass one of: `)
    expect(memory.stats()).toEqual(before)
  })

  it('is in the hint of a call that needs one and was given none', () => {
    for (const [call, hint] of [
      [() => void (memory.limit = '80%' as never), 'Pass an object: { bytes: 2 ** 30 }. Or null.'],
      [() => memory.reclaimer('cache' as never, () => {}), "Pass an object, { name: 'cache' }, and then"],
      [() => new GrowableBuffer(memory, undefined as never), 'Pass an object: { maximum: 2 ** 30 }.'],
      [() => void (memory.limit = { bytes: '80%' as never }), "Pass a number of bytes, or 'auto'. Four fifths"],
      [() => memory.reserve(page, 'name' as never), 'Pass an object, or leave the options out.'],
    ] as const) {
      const error = errorOf(call)
      expect([error.code, error.hint]).toEqual(['ERR_MEMLAYER_OPTION', expect.stringContaining(hint) as string])
    }
  })

  it('has no suggestion without a similar known option', () => {
    const error = errorOf(() => memory.reserve(page, { colour: 'red' } as never))
    expect(error.hint).toBe('Pass one of: name, stat, align, address, hugePages.')
  })

  it('is an own key, so that a property of Object.prototype is not an option', () => {
    Reflect.defineProperty(Object.prototype, 'polluted', { value: 1, enumerable: true, configurable: true })
    try {
      checkOptions('op', {}, ['known'])
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted')
    }
    expect(errorOf(() => checkOptions('op', { polluted: 1 }, [])).hint).toBe(
      'Leave the options out, because this call takes none.',
    )
  })
})

it('undefined is like a missing option', () => {
  const region = memory.reserve(page, {
    name: undefined,
    stat: undefined,
    align: undefined,
    address: undefined,
    hugePages: undefined,
  })
  expect([region.name, region.hugePages]).toEqual(['region', 'default'])
  region.free()
  createMemory(new PageOS(), { ledger: undefined })
  memory.observe(() => {}, { wanted: undefined })()
  const buffer = new GrowableBuffer(memory, { maximum: page, length: undefined, name: undefined, hugePages: undefined })
  expect(buffer.length).toBe(0)
})
