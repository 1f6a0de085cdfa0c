// Programs and packages set Error.prepareStackTrace and write to Object.prototype. The layer's stacks are text, and its
// errors are its own, whatever they set.
import { createMemory, UsageError } from '@memlayer/core'
import { afterEach, describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096
const engine = Error as { prepareStackTrace?: unknown }
const { prepareStackTrace } = engine

afterEach(() => {
  engine.prepareStackTrace = prepareStackTrace
  Reflect.deleteProperty(Object.prototype, 'get')
})

describe('a region', () => {
  it.each([
    ['call sites', (_: Error, sites: unknown[]) => sites, /stacks\.test\.ts/],
    ['a number', () => 5, /^$/],
    ['a text of its own', () => 'mine', /^mine$/],
  ])('has the place of its making as text where a stack is %s', (_, prepare, made) => {
    const memory = createMemory(new PageOS())
    engine.prepareStackTrace = prepare
    const region = memory.reserve(page)
    const found: unknown = region.made
    engine.prepareStackTrace = prepareStackTrace
    expect(found).toMatch(made)
  })

  it('is reserved where making a stack throws, and its errors are told in its words', () => {
    const memory = createMemory(new PageOS())
    engine.prepareStackTrace = () => {
      throw new Error('mine')
    }
    const region = memory.reserve(page, { name: 'a' })
    const error = errorOf(() => region.used(0, page))
    engine.prepareStackTrace = prepareStackTrace
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_STATE', op: 'used', region: 'a' })
    expect(memory.stats().total.reserved).toBe(page)
    region.free()
    expect(memory.ranges()).toEqual([])
  })
})

describe('an error', () => {
  it('is the same where Object.prototype has a member that a descriptor reads', () => {
    const memory = createMemory(new PageOS())
    const told = errorOf(() => memory.sysUsed(page, page))
    Reflect.set(Object.prototype, 'get', () => 1)
    const error = errorOf(() => memory.sysUsed(page, page))
    Reflect.deleteProperty(Object.prototype, 'get')
    expect(error).toBeInstanceOf(UsageError)
    expect([error.code, error.message, error.op, error.hint]).toEqual([told.code, told.message, told.op, told.hint])
  })
})
