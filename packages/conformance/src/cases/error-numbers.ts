// Refusals with error numbers that are rare: a filter of system calls, an old kernel, a quota. What is done and what is
// left must not hang on the number.
import type { Memory } from '@memlayer/core'
import { claimBytes } from '../bytes.js'
import { claimOutcome, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL, otherErrnosOf } from '../errnos.js'
import type { Stage } from '../stage.js'
import { live, liveRefused } from './kth-call.js'
import { ready } from './transitions.js'
import { refuseEach, whileRefused } from './with-refusals.js'

/** Asks the optional functions that move memory. What each answers is not looked at here. */
function askOptional({ os }: Memory, v: number, n: number): void {
  void os.sysPopulateOS?.(v, n)
  void os.sysNoHugePageOS?.(v, n)
  void os.sysZeroOS?.(v, n)
  void os.sysUnusedAllOS?.([v, n])
  os.sysUsedOS(v, n)
  void os.sysRetireOS?.(v, n, true)
}

/** The optional functions over a range of its own, and then a whole life. */
function fullLife(memory: Memory, unit: number): void {
  const v = memory.sysAlloc(4 * unit, null)
  try {
    askOptional(memory, v, 4 * unit)
  } finally {
    // What refused is not the point. The backend is asked itself, so its reason is not core's.
    memory.os.refusal = null
    memory.sysFree(v, 4 * unit, null)
  }
  live(memory, unit)
}

// A life has fewer than two hundred calls.
const callsMax = 500

function anyNumber(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  for (const errno of [...errnos, ...otherErrnosOf(world.subject)])
    refuseEach('a life', callsMax, (k) => liveRefused(world, k, errno, fullLife))
  return undefined
}

/** The transitions of Ready memory that a backend may do in another way where the first is refused. */
const changes: Readonly<Record<string, (stage: Stage, v: number, n: number) => void>> = {
  sysUnused: ({ memory }, v, n) => memory.sysUnused(v, n),
  sysUnusedOS: ({ os }, v, n) => os.sysUnusedOS(v, n),
  sysUnusedAll: ({ memory }, v, n) => memory.sysUnusedAll([v, n]),
  sysFault: ({ memory }, v, n) => memory.sysFault(v, n),
  'sysUnused and sysUsed': ({ memory }, v, n) => {
    memory.sysUnused(v, n)
    memory.sysUsed(v, n)
  },
  sysHugePage: ({ memory }, v, n) => memory.sysHugePage(v, n),
}

/** What is so after a change whose first `first` calls were refused, as text. */
function outcomeOf(world: World, op: string, first: number, errno: number): string {
  const plan = whileRefused(errno, (call) => call <= first)
  return world.play(
    (stage) => {
      const { os, unit, witness } = stage
      const v = ready(stage, 4, 6)
      const error = plan.refuse(() => thrownBy(() => changes[op]?.(stage, v, 4 * unit)))
      const what = `${op}, whose first ${first} calls were refused with ${errno}`
      if (error !== null) claimOutcome(error, ['FatalError', 'OutOfMemoryError'], what)
      witness.takeForfeit?.()
      const resident = os.traits.unusedTraps ? undefined : witness.resident?.(v, 4 * unit)
      const said = os.refusal ? 'a refusal' : 'no refusal'
      os.refusal = null
      return `${error === null ? 'done' : 'refused'}, ${said}, ${String(resident)} bytes resident`
    },
    { wrap: plan.wrap },
  )
}

function sameForAll(world: World): Verdict | undefined {
  const others = otherErrnosOf(world.subject)
  const usual = errnosOf(world.subject)?.at(-1)
  if (usual === undefined) return notRun(NO_KERNEL)
  if (others.length === 0) return absent('more than one error number')
  for (const op of Object.keys(changes)) {
    for (const first of [1, 2]) {
      const expected = outcomeOf(world, op, first, usual)
      for (const errno of others) {
        const words = `what is so after ${op} of 4 units, whose first ${first} calls were refused`
        same(outcomeOf(world, op, first, errno), expected, `${words} with ${errno}, as with ${usual}`)
      }
    }
  }
  return undefined
}

/** The error number by which a kernel says that it has no such call, as the backend names it. Null: it names none. */
function noSuchCall(world: World): number | null {
  for (const errno of otherErrnosOf(world.subject)) {
    const { wrap, refuse } = whileRefused(errno)
    const name = world.play(
      ({ os, unit }) => {
        const p = refuse(() => os.sysReserveOS(null, unit))
        const found = os.refusal?.errnoName
        os.refusal = null
        if (p !== null) os.sysFreeOS(p, unit)
        return found
      },
      { wrap },
    )
    if (name === 'ENOSYS') return errno
  }
  return null
}

/** Functions that say no, without a refusal, where the kernel lacks their call. */
const lacked: Readonly<Record<string, (stage: Stage, v: number, n: number) => unknown>> = {
  sysPopulateOS: ({ os }, v, n) => os.sysPopulateOS?.(v, n),
  sysUnusedAllOS: ({ os }, v, n) => os.sysUnusedAllOS?.([v, n]),
}

function lacksCall(world: World): Verdict | undefined {
  if (errnosOf(world.subject) === null) return notRun(NO_KERNEL)
  const errno = noSuchCall(world)
  if (errno === null) return absent('a name for ENOSYS')
  for (const [name, ask] of Object.entries(lacked)) {
    const { wrap, refuse } = whileRefused(errno)
    world.play(
      (stage) => {
        const { os, unit } = stage
        if (typeof Reflect.get(os, name) !== 'function') return
        const v = ready(stage, 4, 6)
        for (let times = 1; times <= 2; times++) {
          const what = `${name}, where the kernel has no such call (${errno}), time ${times}`
          same(
            refuse(() => ask(stage, v, 4 * unit)),
            false,
            `the answer of ${what}`,
          )
          same(os.refusal ?? null, null, `the refusal after ${what}`)
          claimBytes(os, v, 4 * unit, 6, `memory after ${what}`)
        }
      },
      { wrap },
    )
  }
  return undefined
}

export const errorNumberCases: readonly Definition[] = [
  {
    id: 'k-th-call/any-number',
    title: 'for any refused kernel call of a life with the optional functions, with any error number, nothing is left',
    show: anyNumber,
  },
  {
    id: 'refusals/any-number',
    title: 'a refusal that does not mean that memory is short has one outcome, whatever its error number is',
    show: sameForAll,
  },
  {
    id: 'refusals/no-such-call',
    title: 'sysPopulateOS, sysUnusedAllOS: where the kernel has no such call, the answer is false and no refusal',
    show: lacksCall,
  },
]
