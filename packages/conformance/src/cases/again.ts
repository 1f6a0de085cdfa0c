// Each function again: after a refusal, thousands of times, on two backends at once, and at low and high addresses.
import { alignUp, type KernelCall } from '@memlayer/kernel'
import { claimBytes, fill, withBytes } from '../bytes.js'
import { claim, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { coveredBy } from '../coverage.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import { refuseWhen } from '../intercept.js'
import type { Stage } from '../stage.js'
import { exact } from './exact.js'
import { ready } from './transitions.js'

/** More than the rounds after which a backend was seen to go wrong. */
const ROUNDS = 3100
/** The rounds at the beginning and at the end in which each step is looked at. */
const LOOKS = 8

/** Checks every function once, on a small range. */
function every(stage: Stage, pages: number): void {
  for (const check of Object.values(exact)) check(stage, pages * stage.pageSize)
}

/** Asks for everything while the kernel refuses all calls. */
function refuseAll(stage: Stage, switched: { on: boolean }): void {
  const { memory, os, unit } = stage
  const n = 4 * unit
  const v = ready(stage, 4, 1)
  const w = ready(stage, 4, 1)
  const reserved = memory.sysReserve(null, n)
  memory.sysUnused(w, n)
  switched.on = true
  for (const ask of [
    () => memory.sysAlloc(n, null),
    () => memory.sysReserve(null, n),
    () => memory.sysMap(reserved, n, null),
    () => memory.sysUsed(w, n),
    () => memory.sysFault(v, n),
    () => memory.sysFree(v, n, null),
    () => memory.sysPopulate(v, n),
    () => os.sysRetireOS?.(v, n, true),
  ])
    thrownBy(ask)
  switched.on = false
}

function afterRefusal(world: World): Verdict | undefined {
  const errno = errnosOf(world.subject)?.[0]
  if (errno === undefined) return notRun(NO_KERNEL)
  const switched = { on: false }
  world.play(
    (stage) => {
      for (let times = 0; times < 3; times++) {
        refuseAll(stage, switched)
        every(stage, 5)
      }
      // The last one is about what is large, because a fallback may know one range.
      for (const check of Object.values(exact)) check(stage, 80 * stage.pageSize)
    },
    { wrap: (kernel) => refuseWhen(kernel, () => (switched.on ? errno : null)) },
  )
  return undefined
}

/** A call without its addresses. */
function shapeOf({ fn, args }: KernelCall): string {
  if (fn === 'madviseAll') return `${fn}(${args.filter((_, i) => i % 2 === 1).join()},${args.at(-1) ?? ''})`
  return fn === 'brk' ? fn : `${fn}(${args.slice(1).join()})`
}

/** One short life without a look. */
function quickRound({ memory, os, unit }: Stage): void {
  const v = memory.sysReserve(null, 2 * unit)
  memory.sysMap(v, 2 * unit, null)
  memory.sysUsed(v, 2 * unit)
  memory.sysHugePage(v, 2 * unit)
  os.sysNoHugePageOS?.(v, 2 * unit)
  memory.sysPopulate(v, 2 * unit)
  memory.sysUnused(v, 2 * unit)
  memory.sysUsed(v, 2 * unit)
  memory.sysFault(v, 2 * unit)
  memory.sysFree(v, 2 * unit, null)
  const p = memory.sysAlloc(unit, null)
  os.sysRetireOS?.(p, unit, true)
  memory.sysUnusedAll([p, unit])
  memory.sysFree(p, unit, null)
}

/** One short life, with what the kernel holds and shows at each step. */
function round({ memory, os, witness, unit }: Stage, count: number): void {
  const v = memory.sysReserve(null, 2 * unit)
  memory.sysMap(v, 2 * unit, null)
  memory.sysUsed(v, 2 * unit)
  withBytes(os, v + unit, unit, (bytes) => {
    same(bytes[0], 0, `the first byte of new memory in round ${count}`)
    bytes[0] = 0x44
  })
  memory.sysHugePage(v, 2 * unit)
  os.sysNoHugePageOS?.(v, 2 * unit)
  memory.sysPopulate(v, 2 * unit)
  memory.sysUnused(v, 2 * unit)
  memory.sysUsed(v, 2 * unit)
  withBytes(os, v + unit, unit, (bytes) => {
    const isRight = bytes[0] === 0 || (bytes[0] === 0x44 && !os.traits.unusedDropsContents)
    claim(isRight, `memory that is used again holds ${bytes[0]} in round ${count}`)
    bytes[0] = 0x45
  })
  memory.sysFault(v, 2 * unit)
  const does = witness.faults?.(v + unit, 'read') ?? os.traits.faultTraps
  same(does, os.traits.faultTraps, `whether a read faults after sysFault in round ${count}`)
  memory.sysFree(v, 2 * unit, null)
  const p = memory.sysAlloc(unit, null)
  withBytes(os, p, unit, (bytes) => {
    same(bytes[0], 0, `the first byte of an allocation in round ${count}`)
    bytes[0] = 0x46
  })
  if (os.sysRetireOS !== undefined) {
    claim(os.sysRetireOS(p, unit, true), `sysRetireOS says in round ${count} that it can't`)
    withBytes(os, p, 1, (bytes) => same(bytes[0], 0, `the first byte of retired memory in round ${count}`))
  }
  memory.sysUnusedAll([p, unit])
  memory.sysFree(p, unit, null)
}

function manyRounds(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { witness, takeCalls } = stage
    let text = ''
    let total = NaN
    for (let count = 0; count < ROUNDS; count++) {
      takeCalls()
      if (count >= LOOKS && count < ROUNDS - LOOKS) {
        quickRound(stage)
        continue
      }
      round(stage, count)
      const calls = (takeCalls() ?? []).map(shapeOf).join(' ')
      // A backend may learn of its kernel in the first rounds.
      if (count < LOOKS) {
        text = calls
        total = witness.total?.() ?? NaN
      } else same(calls, text, `the kernel calls of round ${count}, compared with those of round ${LOOKS - 1}`)
    }
    same(witness.total?.() ?? NaN, total, `what the kernel holds after ${ROUNDS} rounds`)
    every(stage, 5)
    return undefined
  })
}

function twoBackends(world: World): void {
  world.play((one) => {
    every(one, 5)
    world.play((two) => {
      const [v, w] = [ready(one, 4, 1), ready(two, 4, 2)]
      for (const stage of [two, one, two, one]) every(stage, 5)
      claimBytes(one.os, v, 4 * one.unit, 1, 'memory of the first backend, after both were used')
      claimBytes(two.os, w, 4 * two.unit, 2, 'memory of the second backend, after both were used')
    })
    every(one, 5)
  })
}

/** Addresses below 4 GiB, across 4 GiB, and high. */
const places = [2 ** 31 + 2 ** 28, 2 ** 32 - 2 ** 20, 2 ** 40, 2 ** 46]

/** A life at a place: every transition, with what the kernel holds and shows. */
function liveAt({ memory, os, witness, unit, takeCalls }: Stage, v: number, n: number): void {
  const at = `at ${v.toString(16)}`
  memory.sysMap(v, n, null)
  memory.sysUsed(v, n)
  if (memory.sysPopulate(v, n) && witness.resident !== undefined)
    same(witness.resident(v, n), n, `resident bytes ${at} after sysPopulate`)
  claimBytes(os, v, n, 0, `new memory ${at}`)
  fill(os, v, n, 3)
  memory.sysHugePage(v, n)
  if (os.sysNoHugePageOS !== undefined && os.traits.hugePageSize > 0) {
    takeCalls()
    os.sysNoHugePageOS(v, n)
    const calls = takeCalls()
    claim(calls === null || coveredBy(calls).length > 0, `sysNoHugePage ${at} advises nothing`)
  }
  claimBytes(os, v, n, 3, `memory ${at} after sysHugePage and sysPopulate`)
  memory.sysUnused(v + unit, unit)
  witness.takeForfeit?.()
  const isSure = os.traits.unusedDropsContents || witness.takeForfeit !== undefined
  if (witness.resident !== undefined && os.traits.unusedReturnsMemory && isSure)
    same(witness.resident(v + unit, unit), 0, `resident bytes ${at} after sysUnused`)
  memory.sysUsed(v + unit, unit)
  fill(os, v + unit, unit, 4)
  claimBytes(os, v, unit, 3, `memory before it ${at}`)
  if (os.sysRetireOS?.(v, unit, true) === true) claimBytes(os, v, unit, 0, `retired memory ${at}`)
  if (os.sysRenewOS?.(v, unit) === true) claimBytes(os, v, unit, 0, `renewed memory ${at}`)
  memory.sysFault(v, n)
  if (witness.faults !== undefined)
    same(witness.faults(v + unit, 'read'), os.traits.faultTraps, `whether a read faults ${at} after sysFault`)
  memory.sysFree(v, n, null)
  if (witness.held !== undefined && os.traits.reservedTraps)
    same(witness.held(v, n), 0, `what the kernel holds ${at} after sysFree`)
}

function allPlaces(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, unit, takeCalls } = stage
    if (!os.traits.hints) return absent('hints')
    const n = 3 * unit
    for (const place of places) {
      const v = alignUp(place, unit) - unit
      takeCalls()
      const p = memory.sysReserve(v, n)
      // A kernel may have something there, or have no such addresses. It must have been asked.
      const isAsked = takeCalls()?.some(({ args }) => args[0] === v) ?? true
      claim(p === v || isAsked, `a hint at ${v.toString(16)} was dropped: the kernel was not asked for it`)
      liveAt(stage, p, n)
    }
    return undefined
  })
}

/** The functions, for titles. */
const names = Object.keys(exact).join(', ')

export const againCases: readonly Definition[] = [
  {
    id: 'again/after-refusals',
    title: `${names}: work after the kernel has refused every call, once, twice and three times`,
    show: afterRefusal,
  },
  {
    id: 'again/rounds',
    title: `${names}: work in each of ${ROUNDS} rounds, by the same kernel calls`,
    show: manyRounds,
  },
  {
    id: 'again/two-backends',
    title: `${names}: work on two backends by turns`,
    show: twoBackends,
  },
  {
    id: 'again/places',
    title: `${names}: work below 4 GiB, across it, and at high addresses`,
    show: allPlaces,
  },
]
