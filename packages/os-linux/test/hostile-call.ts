// The calls of the hostile test: any value in any argument, and right values at some places.
import { createMemory, type Memory } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import fc from 'fast-check'

const page = process.platform === 'linux' ? posixKernel().pageSize : 4096

/** An argument before it is bound to a memory, so that fast-check can show it and shrink it. */
export type Argument =
  | { readonly region: number; readonly at: number }
  | { readonly engine: number }
  | { readonly number: number }
  | { readonly other: number }
  | { readonly any: unknown }

/**
 * Values that are not numbers, some of them right at some places. They are the same in every run. Later regions
 * come after them.
 */
export const others = (memory: Memory): readonly unknown[] => [
  undefined,
  null,
  memory.stat('a'),
  memory.stat('b'),
  createMemory(memory.os).stat('a'),
  Uint8Array,
  Float64Array,
  DataView,
  Array,
  Buffer,
  Object.create(Uint8Array),
  class extends Uint8Array {},
  Object.assign(Object.setPrototypeOf(() => {}, Object.getPrototypeOf(Uint8Array) as object) as object, {
    BYTES_PER_ELEMENT: -1,
  }),
  new Uint8Array(10),
  new DataView(new ArrayBuffer(16), 4),
  detached(),
  memory,
  {},
  [],
  { length: -2 },
  { length: 2, 0: '4096', 1: page },
  () => page,
  Symbol('page'),
  4096n,
  '4096',
  '',
  true,
  { once: 5 },
  { valueOf: () => page },
  new Date(0),
  new Proxy({}, {}),
]

function detached(): Uint8Array {
  const buffer = new ArrayBuffer(8)
  const bytes = new Uint8Array(buffer)
  buffer.transfer(0)
  return bytes
}

const pages = fc.integer({ min: 0, max: 20 }).map((n): Argument => ({ number: n * page }))
const argument: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 8, arbitrary: pages },
  { weight: 8, arbitrary: fc.record({ region: fc.nat(9), at: fc.integer({ min: -1, max: 24 }) }) },
  { weight: 1, arbitrary: fc.record({ engine: fc.nat(200) }) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(NaN, -0, -1, 0.5, 1, 2 ** 53, 2 ** 53 - page, 2 ** 47, 2 ** 64, -Infinity, Infinity, 8, 100)
      .map((number) => ({ number })),
  },
  { weight: 5, arbitrary: fc.record({ other: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.oneof(fc.double(), fc.string(), fc.bigInt(), fc.anything()).map((any) => ({ any })) },
)

/** Every operation. */
const names = [
  'sysAlloc',
  'sysUnused',
  'sysUsed',
  'sysHugePage',
  'sysPopulate',
  'sysFree',
  'sysFault',
  'sysReserve',
  'sysMap',
  'sysUnusedAll',
  'memoryView',
  'attach',
  'reserve',
  'map',
  'used',
  'commit',
  'unused',
  'unusedAll',
  'hugePage',
  'fault',
  'view',
  'read',
  'write',
  'share',
  'hold',
  'release',
  'free',
  'dispose',
  'mutate',
  'buffer',
] as const
/** The name of an operation. */
export type Name = (typeof names)[number]

/** A call with any three arguments. If the operation belongs to a region, `on` chooses it. */
export interface Call {
  readonly name: Name
  readonly region: number
  readonly a: Argument
  readonly b: Argument
  readonly c: Argument
  /** A call that the first observer makes when it is told of something. */
  readonly inside: {
    readonly name: Name
    readonly region: number
    readonly a: Argument
    readonly b: Argument
    readonly c: Argument
  } | null
}

const plain = { name: fc.constantFrom(...names), region: fc.nat(9), a: argument, b: argument, c: argument }
/** Any call. */
export const call: fc.Arbitrary<Call> = fc.record({ ...plain, inside: fc.option(fc.record(plain), { freq: 4 }) })
