// What a refusal says: the kernel call, its error number and name, the function and the range, and what to do.
import { claim, outcomeOf, rangeText, same, thrownBy } from '../claim.js'
import { notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, nameOfErrno, NO_KERNEL } from '../errnos.js'
import { refuseWhen } from '../intercept.js'
import type { Stage } from '../stage.js'
import { ready } from './transitions.js'

/** What errors and refusals say. */
interface Said {
  readonly op?: string
  readonly syscall?: string
  readonly errno?: number
  readonly errnoName?: string
  readonly address?: number
  readonly size?: number
  readonly hint?: string
  readonly message?: string
}

interface Asked {
  readonly op: string
  readonly v: number
  readonly n: number
  run(): unknown
}

/** Every call that a kernel may refuse, each on a range of its own. */
function askedOf(stage: Stage): Asked[] {
  const { memory, os, unit } = stage
  const n = 4 * unit
  const reserved = memory.sysReserve(null, n)
  const [v, w, unused] = [ready(stage, 4, 1), ready(stage, 4, 1), ready(stage, 4, 1)]
  memory.sysUnused(unused, n)
  return [
    { op: 'sysAlloc', v: 0, n: 64 * n, run: () => os.sysAllocOS(64 * n) },
    { op: 'sysReserve', v: 0, n: 64 * n, run: () => os.sysReserveOS(null, 64 * n) },
    { op: 'sysUsed', v: unused, n, run: () => os.sysUsedOS(unused, n) },
    { op: 'sysMap', v: reserved, n, run: () => os.sysMapOS(reserved, n) },
    { op: 'sysUnused', v: w, n, run: () => os.sysUnusedOS(w, n) },
    { op: 'sysFault', v, n, run: () => os.sysFaultOS(v, n) },
    // Where memory stays with the process, no kernel is asked to take it.
    ...(os.traits.reservedTraps ? [{ op: 'sysFree', v, n, run: () => os.sysFreeOS(v, n) }] : []),
    { op: 'sysPopulate', v, n, run: () => os.sysPopulateOS?.(v, n) },
    { op: 'sysUnused', v, n, run: () => os.sysRenewOS?.(v, n) },
    { op: 'sysFree', v: w, n, run: () => os.sysRetireOS?.(w, n, false) },
  ]
}

/** A word of a kernel call without its case: a port says virtualAlloc, and people say VirtualAlloc. */
function plain(word: string | undefined): string {
  return (word ?? '').toLowerCase()
}

/** Fails unless the words are about this call. */
function claimWords(said: Said, calls: readonly string[], errno: number, { op, v, n }: Asked, kind: string): void {
  const what = `the refusal of ${op} with error ${errno}`
  claim((said.hint ?? '').length > 10 || said.hint === undefined, `${what} gives the hint '${said.hint}'`)
  if (said.syscall !== undefined) {
    claim(
      calls.some((fn) => plain(fn) === plain(said.syscall)),
      `${what} names ${said.syscall}: refused was ${calls.join()}`,
    )
  }
  if (said.errno !== undefined && said.syscall !== undefined && kind !== 'other') {
    same(said.errno, errno, `the error number in ${what}`)
  }
  const name = nameOfErrno(kind, errno)
  if (said.errnoName !== undefined && name !== null)
    same(said.errnoName, name, `the name of the error number in ${what}`)
  if (said.op !== undefined) same(said.op, op, `the function in ${what}`)
  if (said.address !== undefined && said.size !== undefined && v !== 0) {
    const isInside = said.address >= v && said.address + said.size <= v + n && said.size > 0
    claim(isInside, `${what} names ${rangeText(said.address, said.size)}: refused was ${rangeText(v, n)}`)
  }
  if (said.message !== undefined) claim(/^\w/.test(said.message), `${what} has the message '${said.message}'`)
  if (v === 0) same(said.address, undefined, `the address in ${what}, which asked for none`)
}

function claimRefusal(stage: Stage, asked: Asked, calls: readonly string[], errno: number, kind: string): void {
  const { os } = stage
  const error = thrownBy(asked.run)
  if (error !== null) {
    same(outcomeOf(error), 'FatalError', `what ${asked.op}OS throws when the kernel refuses with ${errno}`)
    claimWords(error as Said, calls, errno, asked, kind)
  }
  if (os.refusal) {
    // Advice that is refused may be followed by other advice. The last word counts.
    claimWords(os.refusal, calls, errno, asked, kind)
    claim(os.refusal.syscall !== undefined || calls.length === 0, `the refusal of ${asked.op} names no kernel call`)
    claim(os.refusal.errno !== undefined || kind === 'other', `the refusal of ${asked.op} has no error number`)
  }
  os.refusal = null
}

function words(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  for (const errno of errnos) {
    let on = false
    const calls: string[] = []
    const wrap = (kernel: object): object =>
      refuseWhen(kernel, (fn) => {
        if (on) calls.push(fn)
        return on ? errno : null
      })
    world.play(
      (stage) => {
        const kernel = world.subject.kernel?.({ seed: 1 }) ?? {}
        const kind = 'mmap' in kernel ? 'posix' : 'virtualAlloc' in kernel ? 'windows' : 'other'
        for (const asked of askedOf(stage)) {
          calls.length = 0
          stage.os.refusal = null
          on = true
          try {
            claimRefusal(stage, asked, calls, errno, kind)
          } finally {
            on = false
          }
        }
      },
      { wrap },
    )
  }
  return undefined
}

/** The calls are told when the kernel refused them, by every function that depends on the kernel. */
function told(world: World): Verdict | undefined {
  const errno = errnosOf(world.subject)?.[0]
  if (errno === undefined) return notRun(NO_KERNEL)
  let on = false
  let refused = 0
  const wrap = (kernel: object): object =>
    refuseWhen(kernel, () => {
      if (on) refused += 1
      return on ? errno : null
    })
  return world.play(
    (stage) => {
      const { os } = stage
      for (const asked of askedOf(stage)) {
        // These are hints, or answer by themselves.
        if (['sysUsed', 'sysUnused'].includes(asked.op) && !os.traits.unusedTraps) continue
        os.refusal = null
        refused = 0
        on = true
        let answer: unknown
        const error = thrownBy(() => (answer = asked.run()))
        on = false
        const isTold = error !== null || (os.refusal ?? null) !== null || answer === false || answer === null
        claim(refused === 0 || isTold, `${asked.op}OS hides that the kernel refused its calls`)
        const hasReason = !('refusal' in os) || (os.refusal ?? null) !== null
        claim(answer !== null || hasReason, `${asked.op}OS returned null, but kept no refusal`)
      }
      os.refusal = null
      return undefined
    },
    { wrap },
  )
}

export const wordCases: readonly Definition[] = [
  {
    id: 'refusals/words',
    title: 'what a refusal says of kernel call, error number, function and range is right, for each function',
    show: words,
  },
  {
    id: 'refusals/told',
    title: 'no function hides that the kernel refused what it needed',
    show: told,
  },
]
