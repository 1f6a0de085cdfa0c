// What is thrown in the middle of an operation: by a port, or by a call that comes back in from inside a kernel call.
// The first may end that operation, and the second may not. The backend works on afterwards.
import { refusalOf, type Address } from '@memlayer/kernel'
import { claimBytes, fill } from '../bytes.js'
import { claim, outcomeOf, rangeText, same, thrownBy } from '../claim.js'
import { notRun, type Definition, type Verdict, type World } from '../definition.js'
import { NO_KERNEL } from '../errnos.js'
import type { Stage } from '../stage.js'

/** What memory in use holds. */
const KEPT = 0x42
/** More kernel calls than an operation on a few units makes. */
const CALLS_MAX = 100

/** A Ready range. */
interface Range {
  readonly v: Address
  readonly n: number
}

/** Every function that may be ended, on a Ready range of its own. */
const operations: Readonly<Record<string, (stage: Stage, ranges: Range) => unknown>> = {
  sysAllocOS: ({ os }, { n }) => os.sysAllocOS(n),
  'sysAllocOS of more than is free': ({ os }, { n }) => os.sysAllocOS(64 * n),
  sysReserveOS: ({ os }, { n }) => os.sysReserveOS(null, n),
  'sysReserveOS with a hint': ({ os }, { v, n }) => os.sysReserveOS(v + 64 * n, n),
  sysUnusedOS: ({ os }, { v, n }) => os.sysUnusedOS(v, n),
  sysUsedOS: ({ os }, { v, n }) => os.sysUsedOS(v, n),
  sysHugePageOS: ({ os }, { v, n }) => os.sysHugePageOS(v, n),
  sysFaultOS: ({ os }, { v, n }) => os.sysFaultOS(v, n),
  sysMapOS: ({ os }, { v, n }) => os.sysMapOS(v, n),
  sysFreeOS: ({ os }, { v, n }) => os.sysFreeOS(v, n),
}

/** The functions among them that end with a new range. */
const obtains = /^sys(Alloc|Reserve)OS/

/** Fails unless each function of a life does its work after `what`, and memory in use has its bytes. */
function claimWorks({ os, unit }: Stage, kept: Range, what: string): void {
  os.refusal = null
  const n = unit
  for (let times = 1; times <= 2; times++) {
    for (const op of ['sysAllocOS', 'sysReserveOS'] as const) {
      let v: Address | null = null
      const error = thrownBy(() => {
        v = op === 'sysAllocOS' ? os.sysAllocOS(n) : os.sysReserveOS(null, n)
        if (v === null) return
        os.sysMapOS(v, n)
        os.sysUsedOS(v, n)
        claimBytes(os, v, n, 0, `${op} after ${what}`)
        fill(os, v, n, 0x17)
        os.sysFreeOS(v, n)
      })
      if (error !== null && outcomeOf(error) === null) throw error
      const words = error === null ? null : (error as Error).message
      same(words, null, `the error of ${op} of ${n} bytes and of the calls up to its sysFreeOS, after ${what}`)
      claim(v !== null, `${op} of ${n} bytes after ${what}: expected an address, found ${String(v)}`)
    }
  }
  claimBytes(os, kept.v, kept.n, KEPT, `memory in use, after ${what}`)
}

/** Takes a Ready range full of KEPT. */
function readyOf({ os, unit }: Stage, units: number): Range {
  const n = units * unit
  const v = os.sysReserveOS(null, n)
  claim(v !== null, `sysReserveOS refused ${n} bytes, and the kernel refused nothing`)
  os.sysMapOS(v, n)
  os.sysUsedOS(v, n)
  fill(os, v, n, KEPT)
  return { v, n }
}

/** Kernel calls that a kernel can't refuse. The others of the ports are refusable, and the rest tells facts. */
const neverRefused = new Set(['clear', 'currentMemory', 'resetMemoryDataView'])

/** What a hook does at a kernel call: its number counts from 1. */
type Hook = (call: number) => void

/** A kernel whose calls, facts not among them, pass a hook while `run` runs. */
function hooked(hook: Hook): { wrap: (kernel: object) => object; run: (op: () => unknown) => number } {
  let on = false
  let count = 0
  return {
    wrap: (kernel) =>
      new Proxy(kernel, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name, target)
          if (typeof member !== 'function') return member
          const isCall = refusalOf(target, String(name)) !== null || neverRefused.has(String(name))
          return (...args: unknown[]): unknown => {
            if (on && isCall) hook((count += 1))
            return Reflect.apply(member, target, args) as unknown
          }
        },
      }),
    run(op) {
      count = 0
      on = true
      try {
        op()
      } finally {
        on = false
      }
      return count
    },
  }
}

class PortError extends Error {}

/** Lets call `k` of an operation throw. False: the operation makes fewer calls. */
function throwAt(world: World, name: string, k: number): boolean {
  let isThrown = false
  const { wrap, run } = hooked((call) => {
    if (call !== k) return
    isThrown = true
    throw new PortError('a port that is broken')
  })
  world.play(
    (stage) => {
      const { os } = stage
      const kept = readyOf(stage, 2)
      const own = readyOf(stage, 2)
      // A free in the middle, and not at the end.
      const guard = readyOf(stage, 1)
      let p: unknown = null
      const error = thrownBy(() => run(() => (p = operations[name]?.(stage, own))))
      if (!isThrown && error !== null && outcomeOf(error) === null) throw error
      if (isThrown) claimWorks(stage, kept, `${name} of ${rangeText(own.v, own.n)}, whose kernel call ${k} threw`)
      if (obtains.test(name) && typeof p === 'number') os.sysFreeOS(p, name.includes('more') ? 64 * own.n : own.n)
      os.refusal = null
      // A free that was ended may have been done or not, and then a second one is a mistake.
      if (name !== 'sysFreeOS') os.sysFreeOS(own.v, own.n)
      for (const range of [guard, kept]) os.sysFreeOS(range.v, range.n)
    },
    { wrap },
  )
  return isThrown
}

function portThrows(world: World): Verdict | undefined {
  if (world.subject.kernel === undefined) return notRun(NO_KERNEL)
  for (const name of Object.keys(operations))
    for (let k = 1; throwAt(world, name, k); k++) claim(k < CALLS_MAX, `${name} makes ${k} kernel calls and more`)
  return undefined
}

/** Calls back in from the first kernel call of an operation, twice. */
function callBack(world: World, name: string): void {
  const met: unknown[] = []
  let inner: () => unknown = () => undefined
  const { wrap, run } = hooked((call) => {
    if (call === 1) for (let times = 1; times <= 2; times++) met.push(thrownBy(inner))
  })
  world.play(
    (stage) => {
      const { os, unit } = stage
      const kept = readyOf(stage, 2)
      const own = readyOf(stage, 2)
      const guard = readyOf(stage, 1)
      let isInside = false
      inner = () => {
        // The inner call makes kernel calls as well.
        if (isInside) return
        isInside = true
        try {
          const p = os.sysReserveOS(null, unit)
          if (p !== null) os.sysFreeOS(p, unit)
        } finally {
          isInside = false
        }
      }
      let p: unknown = null
      const error = thrownBy(() => run(() => (p = operations[name]?.(stage, own))))
      const [first = null, second = null] = met
      const what = `${name} of ${rangeText(own.v, own.n)}, in whose kernel call another call came in and threw`
      if (first !== null) {
        claim(second !== null, `${what}: expected that the next call there throws too, but it was done`)
        const words = error === null ? null : (error as Error).message
        same(words, null, `the error of ${what}`)
        if (obtains.test(name) && typeof p === 'number') os.sysFreeOS(p, name.includes('more') ? 64 * own.n : own.n)
        claimWorks(stage, kept, what)
      }
      os.refusal = null
      if (name !== 'sysFreeOS') os.sysFreeOS(own.v, own.n)
      for (const range of [guard, kept]) os.sysFreeOS(range.v, range.n)
    },
    { wrap },
  )
}

function callsBack(world: World): Verdict | undefined {
  if (world.subject.kernel === undefined) return notRun(NO_KERNEL)
  for (const name of Object.keys(operations)) callBack(world, name)
  return undefined
}

export const thrownCases: readonly Definition[] = [
  {
    id: 'refusals/port-throws',
    title: 'every function: when a kernel call throws, which a port must not do, the backend works on',
    show: portThrows,
  },
  {
    id: 'refusals/called-back',
    title:
      'every function: when a call from inside a kernel call is refused, the operation ends well, and the next too',
    show: callsBack,
  },
]
