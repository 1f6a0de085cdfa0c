// Answers about now: what a backend says of the kernel's room and of pages follows what other code has done to the
// same kernel since the last question. The other code is a second backend.
import type { OS } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'
import { fill } from '../bytes.js'
import { claim, same } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { NO_KERNEL } from '../errnos.js'
import { changeCalls } from '../intercept.js'
import type { Stage } from '../stage.js'
import { ready } from './transitions.js'

const MIB = 2 ** 20

/** Plays with a second backend over the kernel of the first. */
function besideBackend(world: World, scene: (stage: Stage, other: OS) => Verdict | undefined): Verdict | undefined {
  if (world.subject.kernel === undefined) return notRun(NO_KERNEL)
  let below: object = {}
  const wrap = (kernel: object): object => (below = kernel)
  return world.play((stage) => scene(stage, world.subject.createOS({ kernel: below })), { wrap })
}

/** Takes memory until less than 1 MiB can be had. */
function takeAll(os: OS): [Address, number][] {
  const taken: [Address, number][] = []
  for (let n = 2 ** 42; n >= MIB / 4;) {
    const p = os.sysAllocOS(n)
    if (p === null) n /= 2
    else taken.push([p, n])
    claim(taken.length < 1000, 'the kernel has no end of memory')
  }
  os.refusal = null
  return taken
}

function roomNow(world: World): Verdict | undefined {
  return besideBackend(world, ({ os, witness }, other) => {
    if (os.sysRoomOS === undefined) return absent('sysRoomOS')
    // On a real kernel that is the memory of all processes.
    if (witness.charged === undefined) return notRun('needs a simulated kernel, of which all memory can be taken')
    if (os.sysRoomOS(2 ** 46)) return notRun('this kernel has room for 64 TiB')
    os.refusal = null
    for (let times = 1; times <= 3; times++) {
      same(os.sysRoomOS(MIB), true, `sysRoomOS of 1 MiB before other code takes what there is, time ${times}`)
      const taken = takeAll(other)
      same(os.sysRoomOS(MIB), false, `sysRoomOS of 1 MiB when other code has taken what there is, time ${times}`)
      claim((os.refusal ?? null) !== null, 'sysRoomOS of 1 MiB is false, but no refusal was kept')
      os.refusal = null
      for (const [p, n] of taken) other.sysFreeOS(p, n)
    }
    same(os.sysRoomOS(MIB), true, 'sysRoomOS of 1 MiB when other code has freed all')
    return undefined
  })
}

/** Resident bytes, by what the backend's host tells. */
function residentBytes(words: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < words.length; i += 3) if (((words[i + 2] as number) & 1) !== 0) sum += words[i + 1] as number
  return sum
}

function pagesNow(world: World): Verdict | undefined {
  return besideBackend(world, (stage, other) => {
    const { os, unit, witness } = stage
    const { host } = os
    if (host?.residency === undefined) return absent('host.residency')
    if (witness.resident === undefined) return notRun('needs a witness that tells what is resident')
    // Where Prepared pages trap, a witness may count what is committed.
    if (os.traits.unusedTraps) return absent('a Prepared page that can be touched')
    const n = 4 * unit
    const v = ready(stage, 4, 3)
    for (let times = 1; times <= 3; times++) {
      const full = host.residency(v, n)
      if (full === null) return notRun('host.residency says that this host can’t tell')
      same(residentBytes(full), n, `resident bytes before other code gives pages back, time ${times}`)
      other.sysUnusedOS(v, n)
      witness.takeForfeit?.()
      const left = residentBytes(host.residency(v, n) ?? [])
      same(left, witness.resident(v, n), `resident bytes when other code gave pages back, time ${times}`)
      other.sysUsedOS(v, n)
      fill(os, v, n, 4)
    }
    return undefined
  })
}

/** Reports of a host without arguments, which tell of now. */
export const reports = [
  'limits',
  'mappings',
  'processLimits',
  'groupLimits',
  'pressure',
  'processMemory',
  'residentMemory',
] as const

/** Passes what a kernel reports on, and keeps each answer as text. */
function keepingReports(kernel: object, given: Map<string, string[]>): object {
  return changeCalls(kernel, (fn, call) => {
    if (!reports.some((name) => name === fn)) return null
    return (...args) => {
      const answer = call(...args)
      given.set(fn, [...(given.get(fn) ?? []), JSON.stringify(answer)])
      return answer
    }
  })
}

/** A backend may pass a report on or make its own. What it has of the kernel, it asks for each time. */
function toldNow(world: World): Verdict | undefined {
  if (world.subject.kernel === undefined) return notRun(NO_KERNEL)
  const given = new Map<string, string[]>()
  return world.play(
    ({ memory, os, unit }) => {
      let isOfKernel = false
      for (const name of reports)
        for (let times = 1; times <= 3; times++) {
          const before = given.get(name)?.length ?? 0
          const found = JSON.stringify(os.host?.[name]?.())
          const after = given.get(name) ?? []
          if (!after.includes(found)) break
          isOfKernel = true
          const what = `host.${name}, call ${times}, answers what the kernel told before, without a question`
          claim(after.length > before, `${what}: ${found}`)
          memory.sysReserve(null, unit)
        }
      return isOfKernel ? undefined : absent('reports of the kernel')
    },
    { wrap: (kernel) => keepingReports(kernel, given) },
  )
}

export const answerCases: readonly Definition[] = [
  {
    id: 'reports/now',
    title: 'host: what it tells of the kernel, it asks each time',
    show: toldNow,
  },
  {
    id: 'room/others',
    title: 'sysRoomOS: tells what the kernel would commit now, also when other code took or freed memory since',
    show: roomNow,
  },
  {
    id: 'reports/others',
    title: 'host.residency: tells what is resident now, also when other code gave pages back since',
    show: pagesNow,
  },
]
