// Tests arguments that are not valid addresses or sizes. Each gets an error that names the argument and says what to
// pass. The OS gets no call.
import { createMemory, UsageError, type ErrorCode, type Memory } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

/** Every way to pass a size. */
const sized: [string, (memory: Memory, n: number) => unknown][] = [
  ['sysAlloc', (memory, n) => memory.sysAlloc(n, null)],
  ['sysUnused', (memory, n) => memory.sysUnused(page, n)],
  ['sysUsed', (memory, n) => memory.sysUsed(page, n)],
  ['sysHugePage', (memory, n) => memory.sysHugePage(page, n)],
  ['sysFree', (memory, n) => memory.sysFree(page, n, null)],
  ['sysFault', (memory, n) => memory.sysFault(page, n)],
  ['sysReserve', (memory, n) => memory.sysReserve(null, n)],
  ['sysReserveAligned', (memory, n) => memory.sysReserveAligned(null, n, page)],
  ['sysMap', (memory, n) => memory.sysMap(page, n, null)],
]

/** Every way to pass an address. */
const addressed: [string, (memory: Memory, v: number) => unknown][] = [
  ['sysUnused', (memory, v) => memory.sysUnused(v, page)],
  ['sysUsed', (memory, v) => memory.sysUsed(v, page)],
  ['sysHugePage', (memory, v) => memory.sysHugePage(v, page)],
  ['sysFree', (memory, v) => memory.sysFree(v, page, null)],
  ['sysFault', (memory, v) => memory.sysFault(v, page)],
  ['sysReserve', (memory, v) => memory.sysReserve(v, page)],
  ['sysReserveAligned', (memory, v) => memory.sysReserveAligned(v, page, page)],
  ['sysMap', (memory, v) => memory.sysMap(v, page, null)],
]

const mayBeEmpty = ['sysUnused', 'sysUsed', 'sysHugePage', 'sysFault']
/** These must not round a range outwards, because that takes bytes of its neighbours. */
const givingBack = ['sysUnused', 'sysUnusedAll', 'sysFault', 'sysFree']

// Each argument, and how an error shows it.
const noNumbers: [unknown, string][] = [
  ['4096', '"4096"'],
  ['x'.repeat(1000), `"${'x'.repeat(40)}…"`],
  [4096n, 'the bigint 4096n'],
  [2n ** 100n, 'a bigint'],
  [10n ** 100_000n, 'a bigint'],
  [null, 'null'],
  [undefined, 'undefined'],
  [true, 'true'],
  [Symbol('4096'), 'a symbol'],
  [() => 4096, 'a function'],
  [{ valueOf: () => 4096 }, 'an object'],
  [[4096], 'an object'],
  [new Number(4096), 'an object'],
]
const noWholeNumbers: [number, string][] = [
  [NaN, 'NaN'],
  [Infinity, 'Infinity'],
  [-Infinity, '-Infinity'],
  [0.5, '0.5'],
  [4096.5, '4096.5'],
  [-4096, '-4096'],
  [Number.MIN_VALUE, '5e-324'],
  [Number.MAX_VALUE, '1.7976931348623157e+308'],
]

function expectMisuse(op: string, run: (memory: Memory) => unknown, code: ErrorCode): UsageError {
  const os = new PageOS()
  const memory = createMemory(os)
  const before = memory.stats()
  const error = errorOf(() => run(memory))
  expect(error).toBeInstanceOf(UsageError)
  expect(error).toMatchObject({ code, op })
  expect(error.message.startsWith(`${op}: `), error.message).toBe(true)
  expect(error.hint?.length).toBeGreaterThan(10)
  expect(os.calls).toEqual([])
  expect(memory.stats()).toEqual(before)
  return error
}

describe.each(sized)('%s', (op, call) => {
  it.each([...noNumbers, ...noWholeNumbers, [2 ** 53, '9007199254740992']].map(([n, shown]) => [shown, n] as const))(
    'refuses the size %s',
    (shown, n) => {
      const error = expectMisuse(op, (memory) => call(memory, n as number), 'ERR_MEMLAYER_SIZE')
      expect(error.message).toContain(`${op}: the size is ${shown}. `)
      expect(error.size).toBe(typeof n === 'number' ? n : undefined)
      const least = mayBeEmpty.includes(op) ? 0 : 1
      const asNumber = typeof n === 'number' ? '' : ', as a number'
      expect(error.hint).toBe(`Pass a whole number of bytes, ${least} or more and below 2^53${asNumber}.`)
    },
  )

  it.each([1, 4095, 4097, 2 ** 53 - 1])('refuses %d bytes, because they are not whole pages', (n) => {
    const error = expectMisuse(op, (memory) => call(memory, n), 'ERR_MEMLAYER_ALIGNMENT')
    expect(error.message).toContain(`the size ${n} bytes is not a multiple of the page size, 4096`)
    expect(error.size).toBe(n)
    const inwards = 'Round the start up with alignUp(v, memory.os.traits.pageSize), and the end down with alignDown'
    const upwards = 'Round it up with alignUp(size, memory.os.traits.pageSize).'
    expect(error.hint).toContain(givingBack.includes(op) ? inwards : upwards)
  })

  it.each([0, -0])('does nothing for %d bytes if the range may be empty, or else refuses the size', (n) => {
    if (mayBeEmpty.includes(op)) {
      const os = new PageOS()
      const memory = createMemory(os)
      expect(call(memory, n)).toBe(undefined)
      expect(os.calls).toEqual([])
      expect(memory.stats().total.calls).toBe(0)
      return
    }
    const error = expectMisuse(op, (memory) => call(memory, n), 'ERR_MEMLAYER_SIZE')
    const shown = Object.is(n, -0) ? '-0' : '0'
    expect(error.message).toContain(`the size is ${shown}. Pass a whole number of bytes, 1 or more`)
  })
})

describe.each(addressed)('%s', (op, call) => {
  // The two reserving functions accept null, which means no hint.
  const values = [...noNumbers, ...noWholeNumbers].filter(([v]) => v !== null || !op.startsWith('sysReserve'))

  it.each([...values, [2 ** 64, String(2 ** 64)]].map(([v, shown]) => [shown, v] as const))(
    'refuses the address %s',
    (shown, v) => {
      const error = expectMisuse(op, (memory) => call(memory, v as number), 'ERR_MEMLAYER_ADDRESS')
      expect(error.message).toContain(`${op}: the address is ${shown}. `)
      expect(error.address).toBe(typeof v === 'number' ? v : undefined)
    },
  )

  it.each([1, 4095, 4097, 2 ** 53 - 1])('refuses the address %d, because it is inside a page', (v) => {
    const error = expectMisuse(op, (memory) => call(memory, v), 'ERR_MEMLAYER_ALIGNMENT')
    expect(error.message).toContain(`the address 0x${v.toString(16)} is not a multiple of the page size, 4096`)
    expect(error).toMatchObject({ address: v })
    expect(error.hint).toContain(
      givingBack.includes(op) ? 'alignDown' : 'Pass the address of the first byte of a page.',
    )
  })
})

it('sysUnusedAll refuses a range inside pages, and says to round it inwards', () => {
  for (const [v, n] of [
    [page, page + 1],
    [page + 1, page],
  ] as const) {
    const error = expectMisuse('sysUnusedAll', (memory) => memory.sysUnusedAll([v, n]), 'ERR_MEMLAYER_ALIGNMENT')
    expect(error.hint).toContain('Round the start up')
  }
})

it('runs no code of an argument to show it', () => {
  const trap = (): never => {
    throw new Error('code of the argument ran')
  }
  const traps = new Proxy(() => 0, { get: trap, has: trap, getPrototypeOf: trap, apply: trap, ownKeys: trap })
  const object = { toString: trap, valueOf: trap, toJSON: trap, [Symbol.toPrimitive]: trap }
  for (const argument of [traps, object]) {
    for (const [op, call] of sized) expectMisuse(op, (memory) => call(memory, argument as never), 'ERR_MEMLAYER_SIZE')
    for (const [op, call] of addressed)
      expectMisuse(op, (memory) => call(memory, argument as never), 'ERR_MEMLAYER_ADDRESS')
  }
})

it('accepts the last page below 2^64, and no byte beyond it', () => {
  const os = new PageOS({ base: 2 ** 64 - 4 * page, pages: 4 })
  const memory = createMemory(os)
  const v = memory.sysReserve(2 ** 64 - page, page)
  expect(v).toBe(2 ** 64 - page)
  expect(errorOf(() => memory.sysMap(v, 2 * page, null)).code).toBe('ERR_MEMLAYER_ADDRESS')
  memory.sysMap(v, page, null)
  memory.sysFree(v, page, null)
  expect(os.pages.size).toBe(0)
})

it('an address whose range ends beyond 2^64 is shown with the range, because the address itself is fine', () => {
  const memory = createMemory(new PageOS())
  const v = 2 ** 64 - page
  expect(errorOf(() => memory.sysReserve(v, 2 * page)).message).toMatch(
    /^sysReserve: the range of 8192 bytes at 0xfffffffffffff000 ends beyond 2\^64\. Pass an address/,
  )
})

it('accepts 0 as a hint, because it is an address', () => {
  const os = new PageOS()
  const memory = createMemory(os)
  expect(memory.sysReserve(0, page)).toBeGreaterThan(0)
  expect(os.calls).toEqual(['sysReserveOS(0x0, 4096)'])
  expect(errorOf(() => memory.sysUnused(0, page)).code).toBe('ERR_MEMLAYER_NOT_OWNED')
})

describe('memory.view', () => {
  it.each([...noNumbers, ...noWholeNumbers, [2 ** 65, String(2 ** 65)]].map(([v, shown]) => [shown, v] as const))(
    'refuses the address %s, and says where one may be',
    (shown, v) => {
      const view = (memory: Memory): unknown => memory.view(Uint8Array, v as number, 1)
      const error = expectMisuse('view', view, 'ERR_MEMLAYER_ADDRESS')
      expect(error.message).toBe(`view: the address is ${shown}. Pass an address inside a range that is Ready.`)
    },
  )

  it.each([0, 1, 4097, 2 ** 64 - 2048])('asks the ledger about the address %d, because a view may begin there', (v) => {
    const memory = createMemory(new PageOS())
    expect(errorOf(() => memory.view(Uint8Array, v, 1))).toMatchObject({ code: 'ERR_MEMLAYER_NOT_OWNED', address: v })
  })
})
