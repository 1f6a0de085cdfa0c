// What a backend tells of a refusal: the kernel call that was refused last, its error number and that number's name.
import { FatalError } from '@memlayer/core'
import { errnos as families, refusalOf } from '@memlayer/kernel'
import { claim, claimOutcome, outcomeOf, rangeText, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { brokenErrnosOf, errnosOf, NO_KERNEL } from '../errnos.js'
import { refuseWhen } from '../intercept.js'
import type { Stage } from '../stage.js'
import { whileRefused } from './with-refusals.js'

/** A call that the kernel refused. `errno` is null where its answer carries no error number, as that of brk. */
interface Refused {
  readonly fn: string
  readonly errno: number | null
}

/** What a backend, or an error of it, tells of a refusal. */
interface Told {
  readonly syscall?: string | undefined
  readonly errno?: number | undefined
  readonly errnoName?: string | undefined
  readonly hint?: string | undefined
}

/** Plays on a stage whose kernel refuses with another error number each time. `refuse` returns what was refused. */
function refusingInTurn(
  world: World,
  first: number,
  scene: (stage: Stage, refuse: (run: () => unknown) => { calls: Refused[]; error: unknown }) => void,
): void {
  const errnos = errnosOf(world.subject) ?? []
  let calls: Refused[] | null = null
  const wrap = (kernel: object): object =>
    refuseWhen(kernel, (fn) => {
      if (calls === null) return null
      const errno = errnos[(first + calls.length) % errnos.length] ?? NaN
      calls.push({ fn, errno: refusalOf(kernel, fn)?.(errno) === -errno ? errno : null })
      return errno
    })
  world.play(
    (stage) => {
      scene(stage, (run) => {
        stage.os.refusal = null
        calls = []
        const error = thrownBy(run)
        const met = calls
        calls = null
        return { calls: met, error }
      })
      stage.os.refusal = null
    },
    { wrap },
  )
}

/** Functions that may be refused, each on a Ready range [v, v+n) of its own. */
const functions: Readonly<Record<string, (stage: Stage, v: number, n: number) => unknown>> = {
  sysAllocOS: ({ os }, _v, n) => os.sysAllocOS(n),
  sysReserveOS: ({ os }, _v, n) => os.sysReserveOS(null, n),
  'sysReserveOS, with a hint,': ({ os }, v, n) => (os.traits.hints ? os.sysReserveOS(v, n) : null),
  sysUnusedOS: ({ os }, v, n) => os.sysUnusedOS(v, n),
  sysUsedOS: ({ os }, v, n) => os.sysUsedOS(v, n),
  sysMapOS: ({ os }, v, n) => os.sysMapOS(v, n),
  sysFaultOS: ({ os }, v, n) => os.sysFaultOS(v, n),
  sysFreeOS: ({ os }, v, n) => os.sysFreeOS(v, n),
  sysPopulateOS: ({ os }, v, n) => os.sysPopulateOS?.(v, n),
  sysZeroOS: ({ os }, v, n) => os.sysZeroOS?.(v, n),
  sysRoomOS: ({ os }, _v, n) => os.sysRoomOS?.(n),
}

/** Fails unless `told` names the last of the refused calls, with its number. Null: there is nothing to hold it to. */
function claimTold(told: Told, calls: readonly Refused[], isError: boolean, what: string): void {
  claim((told.hint ?? '').length > 10 || isError, `the hint of ${what} is '${told.hint ?? ''}'`)
  // An error may name an earlier call than the last: what came later was the way back.
  const candidates = isError ? calls : calls.slice(-1)
  const names = candidates.map(({ fn }) => fn).join(' or ')
  const named = candidates.filter(({ fn }) => fn.toLowerCase() === told.syscall?.toLowerCase())
  claim(named.length > 0, `${what} names the call ${String(told.syscall)}, but the kernel refused ${names}`)
  const numbers = named.map(({ errno }) => errno)
  if (numbers.includes(null)) return
  claim(
    numbers.some((errno) => errno === told.errno),
    `${what} tells error number ${String(told.errno)}, but ${names} was refused with ${numbers.join(' or ')}`,
  )
  claim((told.errnoName ?? '') !== '', `${what} has no name for error number ${String(told.errno)}`)
}

/** Fails unless an error names the function that threw it, and no address outside of its range. */
function claimPlaced(error: FatalError, name: string, v: number, n: number): void {
  const [op = ''] = name.split('OS')
  same(error.op, op, `the function that the error of ${name} names`)
  const { address } = error
  claim(
    address === undefined || address === null || (address >= v && address < v + n),
    `the error of ${name} of ${rangeText(v, n)} names the address ${String(address)}`,
  )
}

/** The names of error numbers have to be those of one system. */
function claimOneFamily(names: ReadonlyMap<number, string>): void {
  const fits = Object.values(families).some((family) =>
    [...names].every(([errno, name]) => family[name] === errno || name === `errno ${errno}`),
  )
  const text = [...names].map(([errno, name]) => `${name} for ${errno}`).join(', ')
  claim(fits, `the names of error numbers are those of no system: ${text}`)
}

function reasons(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  const names = new Map<number, string>()
  let isTold = false
  for (const [name, run] of Object.entries(functions)) {
    for (const first of errnos.keys()) {
      refusingInTurn(world, first, (stage, refuse) => {
        const n = 64 * stage.unit
        const { os } = stage
        // Core does not know of the range, because sysFreeOS may free it.
        const v = os.sysReserveOS(null, n) ?? NaN
        os.sysMapOS(v, n)
        os.sysUsedOS(v, n)
        const { calls, error } = refuse(() => run(stage, v, n))
        const kept = os.refusal ?? null
        if (name !== 'sysFreeOS' || kept !== null || error !== null) os.sysFreeOS(v, n)
        const isFatal = outcomeOf(error) === 'FatalError'
        if (calls.length === 0 || (kept === null && !isFatal)) return
        isTold = true
        const what = isFatal ? `the error of ${name} refused` : `the refusal of ${name}`
        const words = isFatal ? (error as FatalError) : (kept as Told)
        // A backend may refuse by itself, without a kernel call.
        if (!isFatal && words.syscall === undefined && words.errno === undefined) return
        claimTold(words, calls, isFatal, what)
        const { errno, errnoName } = words
        if (isFatal) claimPlaced(error as FatalError, name, v, n)
        if (errno === undefined || errnoName === undefined) return
        same(errnoName, names.get(errno) ?? errnoName, `the name of error number ${errno} in ${what}`)
        names.set(errno, errnoName)
      })
    }
  }
  claimOneFamily(names)
  return isTold ? undefined : absent('a refusal that is kept')
}

/** sysMap or sysUsed, refused with an error that means no memory, or with one that means that something is broken. */
function kinds(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  const broken = brokenErrnosOf(world.subject)
  let isRefused = false
  for (const errno of [errnos[0] ?? NaN, ...broken]) {
    const { wrap, refuse } = whileRefused(errno)
    world.play(
      ({ memory, os, unit }) => {
        const v = memory.sysReserve(null, 4 * unit)
        for (const op of ['sysMap', 'sysUsed'] as const) {
          const error = refuse(() => thrownBy(() => os[`${op}OS`](v, 4 * unit)))
          if (op === 'sysMap') memory.sysMap(v, 4 * unit, null)
          else memory.sysUsed(v, 4 * unit)
          if (error === null) continue
          isRefused = true
          const what = `${op}OS, refused with error number ${errno}`
          claimOutcome(error, ['FatalError'], what)
          const [words = ''] = (error as Error).message.split('\n')
          // Core makes an OutOfMemoryError of it.
          same(words.includes('out of memory'), !broken.includes(errno), `whether ${what} says "out of memory"`)
        }
      },
      { wrap },
    )
  }
  return isRefused ? undefined : absent('a kernel call of sysMap or sysUsed')
}

export const reasonCases: readonly Definition[] = [
  {
    id: 'refusals/reason',
    title: 'a refusal, or a FatalError, names the kernel call that was refused last, its error number and its name',
    show: reasons,
  },
  {
    id: 'refusals/kind',
    title: 'sysMapOS and sysUsedOS, refused: the FatalError says "out of memory" when memory is short, and only then',
    show: kinds,
  },
]
