// What a backend does when its kernel refuses. It returns null or throws a FatalError. It keeps the reason for the
// error, and changes nothing.
import type { Memory } from '@memlayer/core'
import type { KernelCall } from '@memlayer/kernel'
import { claimBytes, claimBytesAmong, fill, withBytes } from '../bytes.js'
import { claim, claimOutcome, same, thrownBy, type Outcome } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import { refuseWhen } from '../intercept.js'
import type { Stage } from '../stage.js'
import { claimKernelAgrees } from './account.js'
import { ready } from './transitions.js'
import { whileRefused } from './with-refusals.js'

// More bytes than an address space of 47 or 48 bits has, or a computer's memory. 57 bits and the 64 of AIX and illumos
// have room.
const TOO_MUCH = 2 ** 52

/** Plays on a stage whose kernel refuses every call while `switched.on` is true. */
function refusing(
  world: World,
  scene: (stage: Stage, switched: { on: boolean; met: number }) => Verdict | undefined,
): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  let verdict: Verdict | undefined
  for (const errno of errnos) {
    const switched = { on: false, met: 0 }
    const wrap = (kernel: object): object =>
      refuseWhen(kernel, () => {
        if (switched.on) switched.met += 1
        return switched.on ? errno : null
      })
    verdict = world.play(
      (stage) => {
        const result = scene(stage, switched)
        switched.on = false
        return result
      },
      { wrap },
    )
  }
  return verdict
}

/** How many calls of one function are refused, one after the other. */
const firstMax = 6

/** A backend that falls back on other calls where the first are refused must keep its promise by those. */
function unusedFirstRefused(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  for (const errno of errnos) {
    for (let first = 1; first <= firstMax; first++) {
      const plan = whileRefused(errno, (call) => call <= first)
      void world.play(
        (stage) => {
          const { memory, os, unit } = stage
          const v = ready(stage, 4, 6)
          const error = plan.refuse(() => thrownBy(() => memory.sysUnused(v + unit, 2 * unit)))
          const what = `sysUnused, whose first ${first} calls were refused with ${errno}`
          if (error !== null) claimOutcome(error, ['FatalError'], what)
          else {
            memory.sysUsed(v + unit, 2 * unit)
            // Without sysRenewOS, what the kernel does not take back stays as it is.
            const isZeroed = os.traits.unusedDropsContents && os.sysRenewOS !== undefined
            claimBytesAmong(os, v + unit, 2 * unit, isZeroed ? [0] : [0, 6], `memory used again after ${what}`)
          }
          claimBytes(os, v, unit, 6, `memory before ${what}`)
          claimBytes(os, v + 3 * unit, unit, 6, `memory after ${what}`)
          return undefined
        },
        { wrap: plan.wrap },
      )
    }
  }
  return undefined
}

/** The account as text. A refused call may not change it. */
function accountOf(memory: Memory): string {
  const { total, uncategorized } = memory.stats()
  const { reserved, prepared, ready: inUse, held } = total
  return JSON.stringify([reserved, prepared, inUse, held, uncategorized.reserved, memory.ranges()])
}

/**
 * Runs `op` while the kernel refuses. It must throw one of `allowed` and leave the account unchanged, or succeed
 * without the kernel. True: it was refused.
 */
function refuse(
  stage: Stage,
  switched: { on: boolean },
  what: string,
  allowed: readonly Outcome[],
  op: () => unknown,
): boolean {
  const before = accountOf(stage.memory)
  switched.on = true
  const error = thrownBy(op)
  switched.on = false
  if (error !== null) {
    claimOutcome(error, allowed, `${what}, refused`)
    same(accountOf(stage.memory), before, `the account after a refused ${what}`)
  }
  claimKernelAgrees(stage, `after a refused ${what}`)
  return error !== null
}

function refusalOfObtaining(world: World, op: 'sysAlloc' | 'sysReserve'): Verdict | undefined {
  return refusing(world, (stage, switched) => {
    const { memory, os, unit } = stage
    const obtain = (): number =>
      op === 'sysAlloc' ? memory.sysAlloc(64 * unit, null) : memory.sysReserve(null, 64 * unit)
    const kept = ready(stage, 2, 1)
    switched.on = true
    // Call the backend's own function. It returns null and keeps the reason, or throws a FatalError.
    let answer: number | null = NaN
    const error = thrownBy(() => (answer = os[`${op}OS`](64 * unit, 64 * unit)))
    switched.on = false
    if (error !== null) claimOutcome(error, ['FatalError'], `${op}OS, refused`)
    if (error === null) {
      same(answer, null, `what ${op}OS returns when the kernel refuses`)
      if ('refusal' in os) {
        claim(os.refusal !== null && os.refusal !== undefined, `${op}OS returned null but kept no refusal`)
        claim(os.refusal.hint.length > 10, `the refusal's hint is '${os.refusal.hint}'`)
      }
    }
    claim(
      refuse(stage, switched, op, ['OutOfMemoryError', 'FatalError'], obtain),
      `${op} succeeded, although the kernel refused every call`,
    )
    const v = obtain()
    if (op === 'sysAlloc') claimBytes(os, v, 64 * unit, 0, 'an allocation after one that was refused')
    claimBytes(os, kept, 2 * unit, 1, 'memory that was there before')
    return undefined
  })
}

/** Whether a backend has given pages back without the call that was refused. A witness tells. */
function isTaken({ os, witness }: Stage, v: number, n: number): boolean {
  if (witness.resident !== undefined) return witness.resident(v, n) === 0
  return withBytes(os, v, n, (bytes) => bytes.every((byte) => byte === 0))
}

/** The calls that advise exactly this range. */
function adviceOf(calls: readonly KernelCall[], v: number, n: number): KernelCall[] {
  return calls.filter(({ fn, args }) => fn === 'madvise' && args[0] === v && args[1] === n)
}

export const refusalCases: readonly Definition[] = [
  {
    id: 'refusals/alloc',
    title: 'sysAlloc, refused: null or a FatalError, the reason kept, nothing counted, and a later call succeeds',
    show: (world) => refusalOfObtaining(world, 'sysAlloc'),
  },
  {
    id: 'refusals/reserve',
    title: 'sysReserve, refused: null or a FatalError, the reason kept, nothing counted, and a later call succeeds',
    show: (world) => refusalOfObtaining(world, 'sysReserve'),
  },
  {
    id: 'retire/after-refusals',
    title: 'sysRetireOS: memory that is freed with a view reads zero after the kernel has refused other calls',
    show: (world) =>
      refusing(world, (stage, switched) => {
        const { memory, os, unit } = stage
        if (os.sysRetireOS === undefined) return absent('sysRetireOS')
        for (let times = 1; times <= 3; times++) {
          const v = ready(stage, 4, 6)
          memory.view(Uint8Array, v, 4 * unit)
          refuse(stage, switched, 'sysAlloc', ['OutOfMemoryError', 'FatalError'], () => memory.sysAlloc(unit, null))
          const { retired } = memory.stats()
          memory.sysFree(v, 4 * unit, null)
          if (memory.stats().retired === retired) return absent('a quarantine')
          claimBytes(os, v, 4 * unit, 0, `memory that was retired after ${times} refused calls`)
        }
        return undefined
      }),
  },
  {
    id: 'refusals/too-much',
    title: 'a request for more than most address spaces is refused or succeeds, and later calls still work',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit, pageSize } = stage
        const v = ready(stage, 4, 1)
        const before = accountOf(memory)
        const size = TOO_MUCH + unit
        for (const op of [() => memory.sysReserve(null, size), () => memory.sysAlloc(size, null)]) {
          let obtained: number | null = null
          const error = thrownBy(() => (obtained = op()))
          if (obtained === null) {
            claimOutcome(error, ['OutOfMemoryError', 'FatalError'], `${size} bytes`)
            const { errno, errnoName = '' } = error as { errno?: number; errnoName?: string }
            claim(
              errno === undefined || errnoName !== '',
              `the refusal of ${size} bytes has number ${errno} and no name`,
            )
          } else {
            // What is handed out is there to its end.
            if (!os.traits.reservedTraps) fill(os, obtained + size - pageSize, pageSize, 3)
            memory.sysFree(obtained, size, null)
          }
          same(accountOf(memory), before, 'the account')
        }
        claimBytes(os, v, 4 * unit, 1, 'memory that was there before')
        const w = memory.sysAlloc(4 * unit, null)
        fill(os, w, 4 * unit, 2)
      }),
  },
  {
    id: 'refusals/map',
    title: 'sysMap, refused: the range stays Reserved, and can be mapped later; a FatalError, or no memory',
    show: (world) =>
      refusing(world, (stage, switched) => {
        const { memory, os, unit } = stage
        const v = memory.sysReserve(null, 4 * unit)
        const isRefused = refuse(stage, switched, 'sysMap', ['FatalError', 'OutOfMemoryError'], () =>
          memory.sysMap(v, 4 * unit, memory.stat('refused')),
        )
        if (isRefused) memory.sysMap(v, 4 * unit, null)
        memory.sysUsed(v, 4 * unit)
        fill(os, v, 4 * unit, 1)
        claimBytes(os, v, 4 * unit, 1, 'memory that was mapped later')
        return isRefused ? undefined : absent('sysMap makes no kernel call')
      }),
  },
  {
    id: 'refusals/used',
    title: 'sysUsed, refused: a FatalError if the kernel is needed, and the range stays Prepared',
    show: (world) =>
      refusing(world, (stage, switched) => {
        const { memory, os, unit } = stage
        const v = ready(stage, 4, 1)
        memory.sysUnused(v, 4 * unit)
        const isRefused = refuse(stage, switched, 'sysUsed', ['FatalError', 'OutOfMemoryError'], () =>
          memory.sysUsed(v, 4 * unit),
        )
        claim(
          isRefused || !os.traits.unusedTraps,
          'sysUsed succeeded, although it needed memory and the kernel refused every call',
        )
        if (isRefused) memory.sysUsed(v, 4 * unit)
        fill(os, v, 4 * unit, 2)
        claimBytes(os, v, 4 * unit, 2, 'memory that is used again')
        return isRefused ? undefined : absent('unusedTraps')
      }),
  },
  {
    id: 'refusals/unused',
    title: 'sysUnused, refused: pages that the kernel keeps hold their old contents or zeroes, and can be used',
    show: (world) =>
      refusing(world, (stage, switched) => {
        const { memory, os, unit } = stage
        const v = ready(stage, 8, 6)
        const isRefused = refuse(stage, switched, 'sysUnused', ['FatalError'], () =>
          memory.sysUnused(v + unit, 6 * unit),
        )
        if (!isRefused) memory.sysUsed(v + unit, 6 * unit)
        claimBytesAmong(os, v + unit, 6 * unit, [0, 6], 'memory after a refused sysUnused')
        claimBytes(os, v, unit, 6, 'memory before it')
        claimBytes(os, v + 7 * unit, unit, 6, 'memory after it')
        fill(os, v, 8 * unit, 7)
        return undefined
      }),
  },
  {
    id: 'refusals/unused-told',
    title: 'sysUnused, refused: the backend keeps the reason when the kernel has kept the memory, or throws',
    show: (world) =>
      refusing(world, (stage, switched) => {
        const { os, unit } = stage
        if (!os.traits.unusedReturnsMemory) return absent('unusedReturnsMemory')
        const v = ready(stage, 2, 1)
        for (let times = 0; times < 2; times++) {
          const before = switched.met
          switched.on = true
          const error = thrownBy(() => os.sysUnusedOS(v, 2 * unit))
          switched.on = false
          if (error !== null) claimOutcome(error, ['FatalError'], 'sysUnusedOS, refused')
          const isKept = 'refusal' in os && os.refusal !== null && os.refusal !== undefined
          const isDone = switched.met === before
          claim(
            error !== null || isKept || isDone || isTaken(stage, v, 2 * unit),
            'sysUnusedOS kept no refusal, and threw no error',
          )
          if ('refusal' in os) os.refusal = null
        }
        return undefined
      }),
  },
  {
    id: 'refusals/unused-first',
    title: 'sysUnused, whose first calls are refused: what it gave back all the same reads zero when it is used again',
    show: unusedFirstRefused,
  },
  {
    id: 'refusals/free',
    title: 'sysFree, refused: an error, and the range is still owned and unchanged',
    show: (world) =>
      refusing(world, (stage, switched) => {
        const { memory, os, unit } = stage
        const v = ready(stage, 4, 6)
        stage.takeCalls()
        const allowed = ['FatalError', 'OutOfMemoryError'] as const
        const isRefused = refuse(stage, switched, 'sysFree', allowed, () => memory.sysFree(v, 4 * unit, null))
        if (!isRefused) {
          claim(!os.traits.reservedTraps, 'sysFree succeeded, although the kernel refused every call')
          // A backend that hides such a refusal loses the range. A small kernel soon has no more.
          for (let i = 0; i < 100; i++) {
            const w = memory.sysAlloc(64 * unit, null)
            refuse(stage, switched, 'sysFree', allowed, () => memory.sysFree(w, 64 * unit, null))
          }
          return absent('sysFree makes no kernel call')
        }
        claimBytes(os, v, 4 * unit, 6, 'memory that could not be freed')
        memory.sysFree(v, 4 * unit, null)
        return undefined
      }),
  },
  {
    id: 'refusals/fault',
    title: 'sysFault, refused: an error, and the range is unchanged',
    show: (world) =>
      refusing(world, (stage, switched) => {
        const { memory, os, unit } = stage
        const v = ready(stage, 4, 6)
        const allowed = ['FatalError', 'OutOfMemoryError'] as const
        const isRefused = refuse(stage, switched, 'sysFault', allowed, () => memory.sysFault(v, 4 * unit))
        if (!isRefused) {
          claim(!os.traits.faultTraps, 'sysFault succeeded, although the kernel refused every call')
          return absent('faultTraps')
        }
        claimBytesAmong(os, v, 4 * unit, [0, 6], 'memory that could not be made to fault')
        return undefined
      }),
  },
  {
    id: 'refusals/aligned',
    title: 'sysReserveAligned, refused: an error, and the kernel holds no byte outside the account',
    show: (world) => {
      if (world.subject.kernel === undefined) return notRun(NO_KERNEL)
      return refusing(world, (stage, switched) => {
        const { memory, os, unit, witness } = stage
        const before = witness.total?.() ?? 0
        const ask = (): unknown => memory.sysReserveAligned(null, 2 * unit, 64 * unit)
        claim(
          refuse(stage, switched, 'sysReserveAligned', ['FatalError', 'OutOfMemoryError'], ask),
          'sysReserveAligned succeeded, although the kernel refused every call',
        )
        if (witness.total !== undefined && os.traits.reservedTraps)
          same(witness.total(), before, 'what the kernel holds')
        return undefined
      })
    },
  },
  {
    id: 'refusals/advice',
    title: 'sysUnused: replaces advice that the kernel does not know by other advice, and tries it only once',
    show: (world) => {
      const EINVAL = 22
      let unknown: number | null = null
      const wrap = (kernel: object): object =>
        refuseWhen(kernel, (fn, args) => (fn === 'madvise' && args[2] === unknown ? EINVAL : null))
      if (world.subject.kernel === undefined) return notRun(NO_KERNEL)
      const first = world.play((stage) => {
        const v = ready(stage, 4, 1)
        stage.takeCalls()
        stage.memory.sysUnused(v, 4 * stage.unit)
        return adviceOf(stage.takeCalls() ?? [], v, 4 * stage.unit).at(-1)?.args[2] ?? null
      })
      if (first === null) return absent('sysUnused gives no advice')
      return world.play(
        (stage) => {
          const { memory, unit, witness } = stage
          const n = 4 * unit
          const v = ready(stage, 4, 1)
          const w = ready(stage, 4, 1)
          // The kernel knows all advice until here. From now on it does not know the advice of sysUnused.
          unknown = first
          stage.takeCalls()
          memory.sysUnused(v, n)
          // Refused calls do not reach the recorder, so it has only the replacement.
          if (adviceOf(stage.takeCalls() ?? [], v, n).length === 0) return absent('a second advice')
          if (witness.resident !== undefined) same(witness.resident(v, n), 0, 'resident bytes after the second advice')
          let again = 0
          unknown = NaN
          memory.sysUnused(w, n)
          for (const { args } of adviceOf(stage.takeCalls() ?? [], w, n)) if (args[2] === first) again += 1
          same(again, 0, 'how often the advice was given to a kernel that does not know it')
          return undefined
        },
        { wrap },
      )
    },
  },
]
