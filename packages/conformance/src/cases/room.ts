// sysRoomOS: whether the kernel would commit more. Asking takes nothing, also where the kernel says no.
import { claim, same } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL, otherErrnosOf } from '../errnos.js'
import { refuseWhen } from '../intercept.js'
import type { Stage } from '../stage.js'
import type { WitnessLimits } from '../subject.js'
import { reporting } from './limits.js'
import { refuseEach } from './with-refusals.js'

const MIB = 2 ** 20

function asked(world: World): Verdict | undefined {
  return world.play(({ os, witness }) => {
    if (os.sysRoomOS === undefined) return absent('sysRoomOS')
    const before = witness.total?.()
    for (let times = 1; times <= 100; times++) same(os.sysRoomOS(MIB), true, `sysRoomOS of 1 MiB, question ${times}`)
    if (before !== undefined) same(witness.total?.(), before, 'what the kernel holds after 100 calls of sysRoomOS')
    // The most that it says there is room for, within an eighth.
    let [most, more] = [MIB, 2 ** 50]
    while (most < more - most / 8 && more - most > MIB) {
      const middle = Math.floor((most + more) / 2 / MIB) * MIB
      if (os.sysRoomOS(middle)) most = middle
      else more = middle
    }
    os.refusal = null
    const n = Math.floor((most * 7) / 8 / MIB) * MIB + MIB
    const p = os.sysAllocOS(n)
    claim(p !== null, `sysRoomOS said that there is room for ${most} bytes, and ${n} were refused`)
    os.sysFreeOS(p, n)
    same(os.sysRoomOS(2 ** 50), false, 'sysRoomOS of 1 PiB')
    claim((os.refusal ?? null) !== null, 'sysRoomOS of 1 PiB is false, but no refusal was kept')
    os.refusal = null
    if (before !== undefined) same(witness.total?.(), before, 'what the kernel holds after sysRoomOS of 1 PiB')
    return undefined
  })
}

/** Asks once, and refuses the k-th call of the function with which the question began. False: it has fewer. */
function askRefused(world: World, k: number, errno: number): boolean {
  let first: string | null = null
  let count = 0
  let on = false
  const wrap = (kernel: object): object =>
    refuseWhen(kernel, (fn) => {
      if (!on) return null
      first ??= fn
      return fn === first && (count += 1) === k ? errno : null
    })
  return world.play(
    ({ os, witness }: Stage) => {
      const before = witness.total?.()
      on = true
      const answer = os.sysRoomOS?.(MIB)
      on = false
      const when = `when call ${k} of it was refused with ${errno}`
      claim(typeof answer === 'boolean', `sysRoomOS returned ${String(answer)}, ${when}`)
      if (!answer) claim((os.refusal ?? null) !== null, `sysRoomOS is false, but no refusal was kept, ${when}`)
      os.refusal = null
      if (before !== undefined) same(witness.total?.(), before, `what the kernel holds after sysRoomOS, ${when}`)
      same(os.sysRoomOS?.(MIB), true, `sysRoomOS when the kernel refuses no more, after a question, ${when}`)
      return count >= k
    },
    { wrap },
  )
}

function askedRefused(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  if (world.play(({ os }) => os.sysRoomOS === undefined)) return absent('sysRoomOS')
  for (const errno of [...errnos, ...otherErrnosOf(world.subject)])
    refuseEach('sysRoomOS', 100, (k) => askRefused(world, k, errno))
  return undefined
}

/** What a port may report in place of what is so. */
const figures = [0, 2 ** 50, NaN] as const

/** What a port reports is not what its kernel does: a quota of the process, other code that commits meanwhile. */
function askedNotRead(world: World): Verdict | undefined {
  const limits: WitnessLimits = { commit: 16 * MIB, memory: 2 ** 50, swap: 0 }
  const answers = (wrap?: (kernel: object) => object): Verdict | string =>
    world.play(
      ({ os, witness }) => {
        if (os.sysRoomOS === undefined) return absent('sysRoomOS')
        if (witness.setLimits === undefined || os.host?.limits === undefined)
          return notRun('needs a kernel whose limits can be set')
        const found = [MIB, 8 * MIB, 64 * MIB].map((n) => os.sysRoomOS?.(n))
        os.refusal = null
        return found.join(', ')
      },
      { limits, ...(wrap === undefined ? {} : { wrap }) },
    )
  const expected = answers()
  if (typeof expected !== 'string') return expected
  claim(expected.includes('false'), `sysRoomOS says yes to ${64 * MIB} bytes where ${16 * MIB} can be committed`)
  for (const figure of figures) {
    const change = (own: object): object =>
      Object.fromEntries(Object.entries(own).map(([name, is]) => [name, typeof is === 'number' ? figure : is]))
    const found = answers((kernel) => reporting(kernel, change))
    const what = 'the answers of sysRoomOS for 1, 8 and 64 MiB, where 16 MiB can be committed'
    same(found, expected, `${what}, and limits() tells ${figure}`)
  }
  return undefined
}

export const roomCases: readonly Definition[] = [
  { id: 'room/asked', title: 'sysRoomOS: tells whether the kernel would commit more, and takes nothing', show: asked },
  {
    id: 'room/refused',
    title: 'sysRoomOS, refused: false with a reason, takes nothing, and later tells what is true',
    show: askedRefused,
  },
  {
    id: 'room/not-reported',
    title: 'sysRoomOS: tells what the kernel does, also where that is not what the port reports',
    show: askedNotRead,
  },
]
