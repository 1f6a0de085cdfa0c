// Memory that is really gone: after a call that was refused in the middle and found another way, and after the call
// that is made again once the kernel refuses no more.
import type { Address } from '@memlayer/kernel'
import { claim, outcomeOf, rangeText, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import type { Stage } from '../stage.js'
import { ready } from './transitions.js'
import { whileRefused } from './with-refusals.js'

/** A function after which the pages of [v, v+n) have no memory. */
interface Way {
  /** Runs it. False: it says that it can't. */
  readonly run: (stage: Stage, v: Address, n: number) => unknown
  /** Whether the memory has to be gone where it says that it was done. */
  readonly promises: (stage: Stage) => boolean
}

/** The functions after which a range costs no memory. */
const ways: Readonly<Record<string, Way>> = {
  sysUnusedOS: {
    run: ({ os }, v, n) => os.sysUnusedOS(v, n),
    promises: ({ os }) => os.traits.unusedReturnsMemory,
  },
  sysUnusedAllOS: {
    run: ({ os }, v, n) => os.sysUnusedAllOS?.([v, n / 2, v + n / 2, n / 2]) ?? false,
    promises: ({ os }) => os.traits.unusedReturnsMemory,
  },
  sysFaultOS: {
    run: ({ os }, v, n) => os.sysFaultOS(v, n),
    promises: ({ os }) => os.traits.faultTraps && os.traits.unusedReturnsMemory,
  },
  sysZeroOS: {
    run: ({ os }, v, n) => os.sysZeroOS?.(v, n) ?? false,
    promises: ({ os }) => os.traits.unusedReturnsMemory,
  },
  sysRetireOS: {
    run: ({ os }, v, n) => os.sysRetireOS?.(v, n, true) ?? false,
    // Where Prepared pages trap, a witness may count what is committed, and retired pages are.
    promises: ({ os, witness }) =>
      os.traits.unusedReturnsMemory && (!os.traits.unusedTraps || witness.takeForfeit !== undefined),
  },
  // A real kernel may give the addresses to other code at once. Only a simulated one tells its charge.
  sysFreeOS: {
    run: ({ os }, v, n) => os.sysFreeOS(v, n),
    promises: ({ os, witness }) => os.traits.reservedTraps && witness.charged !== undefined,
  },
}

/** Runs a way. False: it was refused, by an answer, by a refusal that is kept, or by an error. */
function isDone(stage: Stage, way: Way, v: Address, n: number): boolean {
  stage.os.refusal = null
  let answer: unknown
  const error = thrownBy(() => (answer = way.run(stage, v, n)))
  if (error !== null && outcomeOf(error) === null) throw error
  const done = error === null && answer !== false && !stage.os.refusal
  stage.os.refusal = null
  return done
}

/** Fails unless nothing of [v, v+n) is resident once the kernel has taken what it may. */
function claimGone({ witness }: Stage, v: Address, n: number, after: string): void {
  witness.takeForfeit?.()
  const kept = witness.resident?.(v, n) ?? 0
  claim(kept === 0, `after ${after}, which left no refusal, ${kept} bytes of ${rangeText(v, n)} are resident`)
}

/** More than a backend asks of the kernel in one piece, if it goes in pieces. */
const LARGE = 2 ** 20

/** The calls that are refused, by their number, and the size of the range. */
interface Plan {
  readonly first: number
  readonly last: number
  readonly isLarge: boolean
}

/** The most calls of one function that are refused in turn. */
const callsMax = 6

/**
 * Plays a way whose calls `first` to `last` are refused, and the same way again with other memory when the kernel
 * refuses no more.
 */
function play(world: World, name: string, way: Way, errno: number, plan: Plan): void {
  const { first, last, isLarge } = plan
  const { wrap, refuse } = whileRefused(errno, (call) => call >= first && call <= last)
  world.play(
    (stage) => {
      const { memory, os, unit } = stage
      const units = isLarge ? Math.ceil(LARGE / unit) + 1 : 4
      const n = units * unit
      // Core knows of the ranges only as Ready, and frees them. So sysFreeOS gets ranges that core does not know.
      const obtain = (): Address => (name === 'sysFreeOS' ? readyAlone(stage, n) : ready(stage, units, 6))
      const end = (v: Address): void => (name === 'sysFreeOS' ? undefined : memory.sysFree(v, n, null))
      const v = obtain()
      const w = obtain()
      // A refusal may turn the trait. What the kernel takes later, it still takes.
      const isPromised = way.promises(stage)
      const wasDone = refuse(() => isDone(stage, way, v, n))
      const calls = first === last ? `call ${first} was` : `calls ${first} to ${last} were`
      const what = `${name} of ${n} bytes, whose ${calls} refused with ${errno}`
      if (wasDone && way.promises(stage)) claimGone(stage, v, n, what)
      const again = !wasDone && isDone(stage, way, v, n)
      if (again && isPromised) claimGone(stage, v, n, `${what}, and the same again`)
      if (isDone(stage, way, w, n) && isPromised) claimGone(stage, w, n, `${name} after a ${what}`)
      os.refusal = null
      for (const at of [v, w]) end(at)
    },
    { wrap },
  )
}

/** A Ready range of `n` bytes that core does not know, with memory. */
function readyAlone(stage: Stage, n: number): Address {
  const { os, pageSize } = stage
  const v = os.sysAllocOS(n)
  claim(v !== null, `sysAllocOS of ${n} bytes is refused`)
  for (let at = v; at < v + n; at += pageSize) new Uint8Array(os.view(at, pageSize)).fill(6)
  return v
}

function gone(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  const verdict = world.play(({ os, witness }) => {
    if (witness.resident === undefined) return notRun('needs a witness that tells what is resident')
    if (!os.traits.unusedReturnsMemory) return absent('unusedReturnsMemory')
    if (!os.traits.unusedDropsContents && witness.takeForfeit === undefined)
      return notRun('this kernel takes such pages only when it is short of memory')
    return undefined
  })
  if (verdict !== undefined) return verdict
  for (const [name, way] of Object.entries(ways))
    for (const [index, errno] of errnos.entries())
      for (let first = 1; first <= callsMax; first++)
        for (const last of first === 1 ? [1, 2, 3] : [first])
          for (const isLarge of index === 0 && last === first && first <= 3 ? [false, true] : [false])
            play(world, name, way, errno, { first, last, isLarge })
  return undefined
}

export const goneCases: readonly Definition[] = [
  {
    id: 'refusals/gone',
    title:
      'a call that is done without a refusal leaves no memory, also where the kernel refused a part, and the next time',
    show: gone,
  },
]
