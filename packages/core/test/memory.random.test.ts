// Compares random histories of the eight operations with a shadow model. After every step the account, the ledger and
// the pages must agree. A failure prints the shortest history that shows it.
import { FatalError } from '@memlayer/core'
import { testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ENOMEM, EINVAL, type PageOSOptions } from './page-os.js'
import type { Call } from './shadow.js'
import { createWorld, expectAgreement, judge, make, type World } from './world.js'

fc.configureGlobal({ seed: testSeed() })

const operations = [
  'sysAlloc',
  'sysUnused',
  'sysUsed',
  'sysHugePage',
  'sysFree',
  'sysFault',
  'sysReserve',
  'sysReserveAligned',
  'sysMap',
] as const

/** The random choices of a step. The test makes a call of them when it runs the step, from the pages owned then. */
const step = fc.record({
  op: fc.constantFrom(...operations),
  pick: fc.nat(),
  pages: fc.integer({ min: 1, max: 24 }),
  stat: fc.integer({ min: -1, max: 2 }),
  align: fc.integer({ min: 10, max: 17 }),
  // Most ranges are legal for the operation. A blind step takes any range.
  blind: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
  // Which of the step's calls on the OS fails, and how.
  at: fc.integer({ min: 1, max: 3 }),
  fate: fc.oneof(
    { weight: 8, arbitrary: fc.constant('done') },
    { weight: 1, arbitrary: fc.constantFrom('refused', 'kept', 'broken') },
  ),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const legalFrom: Record<string, readonly string[]> = {
  sysUnused: ['Ready'],
  sysUsed: ['Prepared', 'Ready'],
  sysHugePage: ['Reserved', 'Prepared', 'Ready'],
  sysFree: ['Reserved', 'Prepared', 'Ready'],
  sysFault: ['Prepared', 'Ready'],
  sysMap: ['Reserved'],
}

function callOf({ shadow, stats, os }: World, { op, pick, pages, stat, align, blind }: Step): Call {
  const { pageSize, freesParts } = os.traits
  const category = stat < 0 ? null : stats[stat]
  const numbers = [...shadow.pages.keys()].sort((a, b) => a - b)
  const allowed = legalFrom[op]
  if (op === 'sysAlloc') return { op, n: pages * pageSize, stat: category }
  if (op === 'sysReserve' || op === 'sysReserveAligned') {
    const hint = blind ? (0x10 + (pick % 256)) * pageSize : null
    const range = { v: hint, n: pages * pageSize }
    return op === 'sysReserve' ? { op, ...range } : { op, ...range, align: 2 ** align }
  }
  const legal =
    blind && pick % 4 === 0
      ? numbers
      : numbers.filter((number) => allowed?.includes(shadow.pages.get(number)?.state ?? 'None'))
  let first = legal[pick % Math.max(legal.length, 1)] ?? 0x10
  let count = 0
  const whole = op === 'sysFree' && !freesParts
  const { reservation } = shadow.pages.get(first) ?? {}
  const isAlike = (number: number): boolean =>
    whole ? reservation !== undefined && shadow.pages.get(number)?.reservation === reservation : legal.includes(number)
  if (whole) while (isAlike(first - 1)) first -= 1
  while (isAlike(first + count) && (whole || count < pages)) count += 1
  if (blind && pick % 3 === 0) count = pages
  const counted = shadow.pages.get(first)?.category
  const own = stats.find(({ name }) => name === counted) ?? null
  const range = { v: first * pageSize, n: count * pageSize }
  if (op === 'sysFree') return { op, ...range, stat: blind ? category : own }
  return op === 'sysMap' ? { op, ...range, stat: category } : { op, ...range }
}

/** Sets the kernel's answers to a step's calls. A function that can't refuse in Go can only break. */
function setFate({ os }: World, { at, fate }: Step): void {
  const before = os.calls.length
  os.fate = (fn, k) => {
    if (fate === 'done' || k !== before + at) return undefined
    if (fate === 'broken')
      return new FatalError('cannot map pages in arena address space', { op: 'sysMap', syscall: 'mmap' })
    const canRefuse = ['sysAllocOS', 'sysReserveOS', 'sysFreeOS', 'sysFaultOS'].includes(fn)
    if (!canRefuse) return undefined
    return fate === 'refused' ? ENOMEM : fn === 'sysFreeOS' || fn === 'sysFaultOS' ? EINVAL : 'silent'
  }
}

const worlds: [string, PageOSOptions][] = [
  ['an OS like Linux', {}],
  ['an OS like Windows', { traits: { freesParts: false, granularity: 65536, unusedTraps: true } }],
  [
    'an OS that releases only whole reservations, which may start at any page',
    { traits: { freesParts: false }, pages: 64 },
  ],
  ['an OS without hints', { traits: { hints: false } }],
  [
    'pages of 64 KiB at the end of all addresses',
    { traits: { pageSize: 65536, granularity: 65536 }, pages: 64, base: 2 ** 64 - 64 * 65536 },
  ],
  ['an OS with room for few pages', { pages: 32 }],
]

describe('random histories agree with a shadow model', () => {
  it.each(worlds)('on %s', (_, options) => {
    const ends = new Map<string, number>()
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }), (steps) => {
        const world = createWorld(options)
        for (const one of steps) {
          const call = callOf(world, one)
          setFate(world, one)
          const end = judge(world, make(world, call))
          if (one.op === 'sysReserveAligned' && end !== 'done') world.shadow.adopt(world.os.pages)
          ends.set(end, (ends.get(end) ?? 0) + 1)
          expectAgreement(world)
        }
      }),
      { numRuns: 150 },
    )
    // The histories must have reached every kind of end, or they prove little.
    for (const end of [
      'done',
      'refused',
      'broken',
      'ERR_MEMLAYER_STATE',
      'ERR_MEMLAYER_NOT_OWNED',
      'ERR_MEMLAYER_STAT',
    ]) {
      expect(ends.get(end) ?? 0, `${end} in ${JSON.stringify([...ends])}`).toBeGreaterThan(0)
    }
  })
})
