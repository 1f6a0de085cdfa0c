// Limits: what the quarantine says under those that the kernel's port reports, and whether all that the kernel has can
// be had, down to the last unit.
import { formatAddress } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'
import { claim, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { changeCalls } from '../intercept.js'
import type { Stage } from '../stage.js'
import type { WitnessLimits } from '../subject.js'

const MIB = 2 ** 20

/** A limit that bounds less than any that is looked at. */
const LARGE = 2 ** 44

/** A limit that a port may report, and the part of the quarantine that it bounds. */
interface Reported {
  readonly name: string
  readonly bounds: 'space' | 'writable'
  /** What the port reports in place of its own limits. */
  readonly limits: Readonly<Record<string, number>>
}

/** The limits of `limit` bytes that a port like this one may report, each alone and beside others that are larger. */
function reportedBy(own: object, limit: number): readonly Reported[] {
  const isPosix = 'overcommit' in own
  const space = { name: 'addressSpace', bounds: 'space', limits: { addressSpace: limit } } as const
  const data = { name: 'dataSize', bounds: 'writable', limits: { dataSize: limit } } as const
  const commit = { name: 'commitLimit', bounds: 'writable', limits: { commitLimit: limit } } as const
  const strict = { ...commit, name: 'commitLimit with overcommit 2', limits: { ...commit.limits, overcommit: 2 } }
  const alone = isPosix ? [space, data, strict] : [space, commit]
  const large = { addressSpace: LARGE, commitLimit: LARGE, ...(isPosix ? { dataSize: LARGE } : {}) }
  const beside = (isPosix ? [0, 1, 2] : [undefined]).flatMap((overcommit) =>
    alone.map((one) => ({
      ...one,
      name: `${one.name}, beside larger limits${overcommit === undefined ? '' : ` and overcommit ${overcommit}`},`,
      limits: { ...large, ...(overcommit === undefined ? {} : { overcommit }), ...one.limits },
    })),
  )
  return [...alone, ...beside]
}

/** A kernel like `kernel` whose port reports limits by `change`. */
export function reporting(kernel: object, change: (own: object) => object): object {
  return changeCalls(kernel, (fn, call) => (fn === 'limits' ? () => change(call() as object) : null))
}

/** What retired memory may take of a limit. The rest is for the program and the engine. */
export const spared = 0.5

/** Fails if a backend whose port reports `limit` bytes for a limit has more than half of that for retired memory. */
function claimSpared(world: World, limit: number, which: number): boolean {
  let asked: Reported | undefined
  const change = (own: object): object => {
    asked = reportedBy(own, limit)[which]
    return { ...own, ...asked?.limits }
  }
  return world.play(
    ({ os }) => {
      const found = os.quarantine
      if (asked === undefined) return false
      const bytes = found?.[asked.bounds] ?? 0
      claim(
        bytes >= 0 && bytes <= limit * spared,
        `quarantine.${asked.bounds} is ${bytes} where the port reports ${limit} bytes for ${asked.name}, ` +
          `expected at most ${limit * spared}`,
      )
      return true
    },
    { wrap: (kernel) => reporting(kernel, change) },
  )
}

/** No port has more ways to report one limit. */
const reportsMax = 12

function quarantine(world: World): Verdict | undefined {
  if (world.play(({ os }) => os.sysRetireOS === undefined)) return absent('sysRetireOS')
  let isAsked = false
  for (const limit of [4 * MIB, 64 * MIB, 2 ** 30, 2 ** 35])
    for (const which of Array.from({ length: reportsMax }, (_, i) => i))
      isAsked = claimSpared(world, limit, which) || isAsked
  return isAsked ? undefined : notRun('this backend asks its kernel for no limits')
}

/** Retired memory and the limit that it counts to: most of the limit is still to be had, whatever came and went. */
function underData(world: World): Verdict | undefined {
  const limit = 64 * MIB
  return world.play(
    ({ memory, os, witness }) => {
      if (os.sysRetireOS === undefined) return absent('sysRetireOS')
      const limits: object = os.host?.limits?.() ?? {}
      const isSet = witness.setLimits !== undefined && Reflect.get(limits, 'dataSize') === limit
      if (!isSet) return notRun('needs a kernel with RLIMIT_DATA whose limits can be set')
      for (const size of [4 * MIB, MIB, limit / 4])
        for (let times = 0; times < 24; times++) {
          const v = memory.sysAlloc(size, null)
          // Addresses that JavaScript has seen are retired.
          memory.view(Uint8Array, v, 64).fill(1)
          memory.sysFree(v, size, null)
        }
      // The backend is asked, because core would end the quarantine first.
      const most = (limit * 3) / 4
      const w = os.sysAllocOS(most)
      claim(w !== null, `with RLIMIT_DATA at ${limit} bytes, retired memory leaves no ${most} bytes to sysAllocOS`)
      os.sysFreeOS(w, most)
      return undefined
    },
    { limits: { dataSize: limit } },
  )
}

/** Ways to have `n` bytes; null: refused. */
const ways: Readonly<Record<string, (stage: Stage, n: number) => Address | null>> = {
  sysReserveOS: ({ os }, n) => os.sysReserveOS(null, n),
  sysAllocOS: ({ os }, n) => os.sysAllocOS(n),
  'sysReserveOS, sysMapOS and sysUsedOS': ({ os }, n) => {
    const v = os.sysReserveOS(null, n)
    const error = thrownBy(() => {
      if (v === null) return
      os.sysMapOS(v, n)
      os.sysUsedOS(v, n)
    })
    if (v === null || error === null) return v
    os.sysFreeOS(v, n)
    return null
  },
}

/** No limit that a case sets has so many units. */
const rangesMax = 200

/** Takes ranges of `sizes` units in turn, of each as many as the kernel gives. Null: there is no end to them. */
function takeAll(stage: Stage, way: string, sizes: readonly number[]): [Address, number][] | null {
  const taken: [Address, number][] = []
  for (const units of sizes) {
    for (;;) {
      stage.os.refusal = null
      const v = ways[way]?.(stage, units * stage.unit) ?? null
      const what = `the refusal after ${way} of ${units * stage.unit} bytes, which was done`
      if (v !== null) same(stage.os.refusal ?? null, null, what)
      stage.os.refusal = null
      if (v === null) break
      taken.push([v, units * stage.unit])
      if (taken.length <= rangesMax) continue
      for (const [p, n] of taken) stage.os.sysFreeOS(p, n)
      return null
    }
  }
  return taken
}

function bytesOf(taken: readonly (readonly [Address, number])[]): number {
  return taken.reduce((sum, [, n]) => sum + n, 0)
}

/** The orders in which what was taken is freed. */
const orders: Readonly<Record<string, (taken: readonly [Address, number][]) => readonly [Address, number][]>> = {
  'the first first': (taken) => taken,
  'the last first': (taken) => taken.toReversed(),
  'every second first': (taken) => [...taken.filter((_, i) => i % 2 === 0), ...taken.filter((_, i) => i % 2 === 1)],
}

/** Fails unless as many bytes can be had in pieces of any size, again and again. */
function claimAgain(stage: Stage, way: string, first: [Address, number][]): void {
  const { os, unit } = stage
  const most = bytesOf(first)
  let taken = first
  for (const [order, arrange] of Object.entries(orders)) {
    for (const sizes of [[1], [4, 1], [16, 4, 1], [most / unit, 1], [most / unit - 1, 1], [most / unit + 1, 1]]) {
      if (sizes.includes(0)) continue
      for (const [v, n] of arrange(taken)) os.sysFreeOS(v, n)
      taken = takeAll(stage, way, sizes) ?? []
      const what = `the bytes that ${way} gives in pieces of ${sizes.join(', then ')} units of ${unit} bytes`
      same(bytesOf(taken), most, `${what}, after all was freed, ${order},`)
    }
  }
  for (const [v, n] of taken) os.sysFreeOS(v, n)
}

/** A limit of few units, and what of it is used, as the witness tells. */
interface Bound {
  readonly limits: WitnessLimits
  readonly bytes: number
  readonly used: 'total' | 'charged'
  /** Whether the limit counts from what the kernel holds at first. */
  readonly isMore?: boolean
  /** Whether a request that reaches the limit is refused too. */
  readonly isBelow?: boolean
}

const UNITS = 37

/** The limits that may bound a kernel, each alone. */
const bounds = (unit: number): Readonly<Record<string, Bound>> => {
  const bytes = UNITS * unit
  const swapOf = (memory: number): WitnessLimits => ({ memory, swap: 0 })
  return {
    addressSpace: { limits: { addressSpace: bytes }, bytes, used: 'total' },
    pages: { limits: { pages: UNITS }, bytes: UNITS * 65536, used: 'total' },
    segment: { limits: { segment: bytes }, bytes, used: 'total', isMore: true },
    commit: { limits: { commit: bytes }, bytes, used: 'charged' },
    'memory and swap': { limits: swapOf(bytes), bytes, used: 'charged' },
    overcommit: {
      limits: { ...swapOf(2 * bytes), overcommit: 2 },
      bytes,
      used: 'charged',
      isBelow: true,
    },
  }
}

/** Takes unit after unit under a limit, and returns the bytes. Null: the limit bounds nothing here. */
function claimLast(stage: Stage, way: string, name: string, bound: Bound): number | null {
  const { unit, witness } = stage
  const before = bound.isMore === true ? (witness.total?.() ?? 0) : 0
  const taken = takeAll(stage, way, [1])
  if (taken === null) return null
  const used = (witness[bound.used]?.() ?? NaN) - before
  const left = bound.bytes - used
  const last = formatAddress(taken.at(-1)?.[0] ?? 0)
  const places = `${taken.length} ranges have ${bytesOf(taken)} bytes, the last at ${last}`
  claim(
    left < unit || (bound.isBelow === true && left === unit),
    `${way} refuses ${unit} bytes where the limit (${name}, ${bound.bytes} bytes) has ${left} bytes left: ${places}`,
  )
  claim(taken.length > 0, `${way} gives nothing under a limit (${name}) of ${bound.bytes} bytes`)
  const most = bytesOf(taken)
  claimAgain(stage, way, taken)
  return most
}

function lastUnits(world: World): Verdict | undefined {
  const unit = world.play((stage) => (stage.witness.setLimits === undefined ? null : stage.unit))
  if (unit === null) return notRun('needs a kernel whose limits can be set')
  let isBound = false
  for (const [name, bound] of Object.entries(bounds(unit))) {
    let first: number | null = null
    for (const way of Object.keys(ways)) {
      const most = world.play((stage) => claimLast(stage, way, name, bound), { limits: bound.limits })
      if (most === null) continue
      isBound = true
      // The witness counts what a memory has grown, also where the backend hands out less of it.
      same(most, first ?? most, `the bytes that ${way} gives under a limit (${name}), beside those of another way`)
      first = most
    }
  }
  return isBound ? undefined : notRun('none of the limits bounds this kernel')
}

export const limitCases: readonly Definition[] = [
  {
    id: 'limits/quarantine',
    title:
      'quarantine: at most half of a limit on addresses or writable memory that the kernel reports, and room without',
    show: quarantine,
  },
  {
    id: 'limits/retired',
    title: 'quarantine: ranges that come and go under RLIMIT_DATA leave three quarters of it to be had',
    show: underData,
  },
  {
    id: 'limits/last-units',
    title: 'sysReserve, sysAlloc and sysMap: all that a limit leaves can be had, to the last unit, again after frees',
    show: lastUnits,
  },
]
