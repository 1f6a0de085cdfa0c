// Makes ten thousand calls with arbitrary arguments, while observers throw and make their own calls. A wrong call must
// always throw a UsageError, make no call on the OS, and never change a count.
import { createMemory, MemlayerError, UsageError, type MemoryEvent, type SysMemStat } from '@memlayer/core'
import { testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PageOS, type PageOSOptions } from './page-os.js'
import type { Call } from './shadow.js'
import { createWorld, expectAgreement, judge, make, type Made, type World } from './world.js'

fc.configureGlobal({ seed: testSeed() })

const page = 4096
const base = 0x10000

// Errors of observers become unhandled rejections. The runner would treat those as its own failures.
let runners: NodeJS.UnhandledRejectionListener[] = []
let rejections = 0
const count = (reason: unknown): void => {
  if (reason === thrown) rejections += 1
  else throw reason
}
const thrown = new Error('an observer of the caller’s own')
beforeAll(() => {
  runners = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', count)
})
afterAll(async () => {
  await new Promise((done) => setImmediate(done))
  process.off('unhandledRejection', count)
  for (const listener of runners) process.on('unhandledRejection', listener)
})

const trap = (): never => {
  throw new Error('code of an argument ran')
}
const handler = {
  get: trap,
  has: trap,
  getPrototypeOf: trap,
  ownKeys: trap,
  getOwnPropertyDescriptor: trap,
  apply: trap,
}

const oddNumbers = [
  NaN,
  -0,
  0,
  -1,
  1,
  0.5,
  4095,
  4096.5,
  -4096,
  Infinity,
  -Infinity,
  5e-324,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 53 - page,
  2 ** 63,
  2 ** 64 - page,
  2 ** 64,
  1e308,
]
const noNumbers: unknown[] = [
  '4096',
  '',
  4096n,
  -1n,
  2n ** 200n,
  null,
  undefined,
  true,
  false,
  {},
  [],
  [4096],
  () => page,
  Symbol('page'),
  new Date(),
  new ArrayBuffer(page),
  { trap: 'object' },
  { trap: 'proxy' },
]

/** Makes an object that throws on every access. It is made for each call, because fast-check reads its values. */
function sprung(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'trap')) return value
  const kind = (value as { trap: unknown }).trap
  if (kind === 'object') return { valueOf: trap, toString: trap, [Symbol.toPrimitive]: trap }
  return kind === 'proxy' ? new Proxy({}, handler) : value
}

const anything = fc.oneof(
  fc.constantFrom(...oddNumbers),
  fc.constantFrom(...noNumbers),
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.string(),
  fc.anything({ withBigInt: true, withNullPrototype: true, withDate: true, withMap: true }),
)
/** Addresses of the memory, also freed ones, addresses beside them, and addresses of the engine's heap. */
const address = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -2, max: 70 }).map((n) => base + n * page) },
  { weight: 1, arbitrary: fc.constantFrom(0, page, 0x7f0000000000, 2 ** 47 - page, base + 1, base + page / 2) },
  { weight: 2, arbitrary: anything },
)
const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 20 }).map((n) => n * page) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 40, 2 ** 47, 2 ** 52) },
  { weight: 2, arbitrary: anything },
)
const alignment = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 18 }).map((n) => 2 ** n) },
  { weight: 1, arbitrary: anything },
)
/** One of the memory's own stats by its index, another memory's stat, a forgery, or any value. */
const stat = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -1, max: 2 }).map((own) => ({ own })) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('foreign', 'forged', 'frozen', 'proxy', 'made').map((kind) => ({ kind })),
  },
  { weight: 1, arbitrary: anything.map((other) => ({ other })) },
)
type Stat = typeof stat extends fc.Arbitrary<infer T> ? T : never

const hostile = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('sysAlloc' as const), n: size, stat }) },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constantFrom('sysUnused', 'sysUsed', 'sysHugePage', 'sysFault'),
      v: address,
      n: size,
    }),
  },
  { weight: 8, arbitrary: fc.record({ op: fc.constantFrom('sysFree', 'sysMap'), v: address, n: size, stat }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('sysReserve' as const), v: address, n: size }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('sysReserveAligned' as const), v: address, n: size, align: alignment }),
  },
)
type Hostile = typeof hostile extends fc.Arbitrary<infer T> ? T : never

const foreign = createMemory(new PageOS()).stat('heap')

function statOf(world: World, chosen: Stat): unknown {
  if ('own' in chosen) return chosen.own < 0 ? null : world.stats[chosen.own]
  if ('other' in chosen) return sprung(chosen.other)
  const heap = world.stats[0] as SysMemStat
  switch (chosen.kind) {
    case 'foreign':
      return foreign
    case 'forged':
      return { name: 'heap', index: 1, add: trap, load: trap }
    case 'frozen':
      return Object.freeze(Object.create(Object.getPrototypeOf(foreign) as object) as object)
    case 'proxy':
      return new Proxy(heap, handler)
    default:
      return Reflect.construct(foreign.constructor, ['heap', 1, { bytes: 0 }])
  }
}

function callOf(world: World, one: Hostile): Call {
  const args = Object.entries(one).map(([name, value]) => [
    name,
    name === 'stat' ? statOf(world, value as Stat) : sprung(value),
  ])
  return Object.fromEntries(args) as Call
}

const kinds: [string, PageOSOptions][] = [
  ['an OS like Linux', { pages: 64 }],
  ['an OS like Windows', { pages: 64, traits: { freesParts: false, granularity: 65536 } }],
]

describe('ten thousand hostile calls', () => {
  it.each(kinds)('on %s: each throws a UsageError or was legal, and the account is right', (_, options) => {
    const ends = new Map<string, number>()
    let made = 0
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 100, size: 'max' }), (calls) => {
        const world = createWorld(options)
        for (const one of calls) {
          const end = judge(world, make(world, callOf(world, one)))
          ends.set(end, (ends.get(end) ?? 0) + 1)
          made += 1
          expectAgreement(world)
        }
      }),
      { numRuns: 300 },
    )
    expect(made).toBeGreaterThan(10_000)
    for (const end of [
      'done',
      'refused',
      'nothing',
      'ERR_MEMLAYER_SIZE',
      'ERR_MEMLAYER_ADDRESS',
      'ERR_MEMLAYER_ALIGNMENT',
      'ERR_MEMLAYER_NOT_OWNED',
      'ERR_MEMLAYER_STATE',
      'ERR_MEMLAYER_STAT',
    ]) {
      expect(ends.get(end) ?? 0, `${end} in ${JSON.stringify([...ends])}`).toBeGreaterThan(0)
    }
  })

  it.each(kinds)('on %s, while one observer throws and another makes hostile calls', async (_, options) => {
    let nestedCalls = 0
    let heardThrower = 0
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 100, size: 'max' }), (calls) => {
        const world = createWorld(options)
        const queue = calls.map((one) => callOf(world, one))
        const nested: Made[] = []
        const heard: MemoryEvent[] = []
        world.memory.observe(() => {
          heardThrower += 1
          throw thrown
        })
        world.memory.observe(() => {
          world.memory.check()
          // This observer answers each event with the next call, so all of them run inside an observer.
          const next = queue.shift()
          if (next !== undefined) nested.push(make(world, next))
        })
        world.memory.observe((event) => heard.push(event))
        for (let call = queue.shift(); call !== undefined; call = queue.shift()) {
          const outer = withoutNested(make(world, call), nested)
          // The observers' calls came after the call that they heard of, one after the other.
          const inOrder = [outer, ...nested.splice(0)]
          for (const one of inOrder) judge(world, one)
          nestedCalls += inOrder.length - 1
        }
        expectAgreement(world)
        expect(heard.length).toBe(world.memory.stats().total.calls)
      }),
      { numRuns: 300 },
    )
    expect(nestedCalls).toBeGreaterThan(100)
    await new Promise((done) => setImmediate(done))
    expect(rejections).toBeGreaterThan(0)
    expect(rejections).toBe(heardThrower)
    rejections = 0
  })

  it('on the other functions: stat, observe, createMemory', () => {
    fc.assert(
      fc.property(fc.array(anything, { minLength: 20, maxLength: 20, size: 'max' }), (values) => {
        const memory = createMemory(new PageOS())
        const names = new Set<unknown>()
        for (const value of values.map(sprung)) {
          for (const call of [
            () => void (memory.stat(value as string), names.add(value)),
            () => memory.observe(value as never)(),
            () => createMemory(value as never),
            () => createMemory(new PageOS(), value as never),
            () => createMemory(new PageOS(), { ledger: value as never }),
          ]) {
            try {
              call()
            } catch (error) {
              // Core reads options and backends, so their getters may throw their own errors.
              if (!(error instanceof MemlayerError)) expect((error as Error).message).toBe('code of an argument ran')
              else expect(error).toBeInstanceOf(UsageError)
            }
          }
        }
        expect(Object.keys(memory.stats().categories).sort()).toEqual([...names].map(String).sort())
        memory.check()
      }),
      { numRuns: 500 },
    )
  })
})

/** Subtracts the OS calls of nested calls from those of the outer call. */
function withoutNested(outer: Made, nested: readonly Made[]): Made {
  return { ...outer, osCalls: outer.osCalls - nested.reduce((sum, { osCalls }) => sum + osCalls, 0) }
}
