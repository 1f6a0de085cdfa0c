// Traits held against the kernel: what a trait denies must not be there. A backend that has more than it says is not
// wrong, but its users can't use it, so the case warns. A subject signs what is meant in `modest`.
import { claimBytesAmong, fill } from '../bytes.js'
import { claim, same, thrownBy } from '../claim.js'
import { notRun, warned, type Definition, type Verdict, type World } from '../definition.js'
import { ready } from './transitions.js'

/** A kernel's facts that a trait may contradict. */
interface Port {
  readonly pageSize?: number
  readonly hugePageSize?: number
  readonly allocationGranularity?: number
  readonly mmap?: unknown
  readonly virtualAlloc?: unknown
  readonly growMemory?: unknown
}

function portOf({ subject, seed }: World): Port | null {
  return subject.kernel?.({ seed }) ?? null
}

function sizesOfPages(world: World): Verdict | undefined {
  const port = portOf(world)
  if (port?.pageSize === undefined) return notRun('the subject has no kernel that tells its page size')
  return world.play(({ os }) => {
    const { pageSize, hugePageSize, granularity } = os.traits
    const [own, huge] = [port.pageSize, port.hugePageSize]
    claim(
      pageSize % (own ?? pageSize) === 0,
      `traits.pageSize is ${pageSize}, but the kernel's pages have ${own} bytes`,
    )
    if (pageSize !== own)
      return warned('pageSize', `the kernel's pages have ${own} bytes, and the trait says ${pageSize}`)
    if (port.allocationGranularity !== undefined)
      same(granularity, port.allocationGranularity, "traits.granularity, compared with the kernel's")
    if (huge === undefined) {
      return hugePageSize === 0 ? undefined : warned('hugePageSize', 'the kernel does not tell of huge pages')
    }
    if (hugePageSize === 0 && huge > 0)
      return warned('hugePageSize', `the kernel has huge pages of ${huge} bytes, and the trait says that it has none`)
    same(hugePageSize, huge, "traits.hugePageSize, compared with the kernel's")
    return undefined
  })
}

function granules(world: World): Verdict | undefined {
  return world.play(({ memory, os, pageSize }) => {
    const { granularity } = os.traits
    // Odd sizes, so that neighbours rarely begin at a larger multiple by chance.
    const found = Array.from({ length: 24 }, (_, i) => memory.sysReserve(null, (1 + 2 * (i % 3)) * pageSize))
    const odd = found.find((v) => v % granularity !== 0)
    claim(odd === undefined, `a reservation begins at ${odd}, which is no multiple of the granularity ${granularity}`)
    const isCoarse = found.every((v) => v % (2 * granularity) === 0)
    if (!isCoarse) return undefined
    return warned(
      'granularity',
      `all of 24 reservations begin at multiples of ${2 * granularity}, not of ${granularity}`,
    )
  })
}

function threads(world: World): Verdict | undefined {
  const port = portOf(world)
  if (port === null) return notRun('the subject has no kernel that tells whose memory it is')
  return world.play(({ os }) => {
    // The memory of a process is that of all its threads. A WebAssembly memory is one thread's own.
    const isProcess = port.mmap !== undefined || port.virtualAlloc !== undefined
    if (isProcess && !os.traits.threadsShare)
      return warned(
        'threadsShare',
        "the kernel's memory is the process's, and the trait says that a thread has its own",
      )
    claim(
      port.growMemory === undefined || !os.traits.threadsShare,
      'traits.threadsShare is true over a WebAssembly memory',
    )
    return undefined
  })
}

function dropped(world: World): Verdict | undefined {
  let old = 0
  for (let seed = 1; seed <= 6; seed++) {
    const found = world.play(
      ({ memory, os, unit, ...rest }) => {
        if (os.traits.unusedDropsContents) return -1
        const v = ready({ memory, os, unit, ...rest }, 8, 8)
        memory.sysUnused(v, 8 * unit)
        memory.sysUsed(v, 8 * unit)
        claimBytesAmong(os, v, 8 * unit, [0, 8], 'memory that is used again')
        const isOld = thrownBy(() => claimBytesAmong(os, v, 8 * unit, [0], 'memory that is used again')) !== null
        fill(os, v, 8 * unit, 1)
        return isOld ? 1 : 0
      },
      { seed: world.seed + seed },
    )
    if (found === -1) return undefined
    old += found
  }
  if (old > 0) return undefined
  return warned('unusedDropsContents', 'memory read zero after sysUnused each time, and the trait says that it may not')
}

function parts(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, unit, witness } = stage
    if (os.traits.freesParts) return undefined
    if (witness.held === undefined) return notRun('needs a witness that tells what the kernel holds')
    const v = ready(stage, 12, 9)
    const error = thrownBy(() => os.sysFreeOS(v + 4 * unit, 4 * unit))
    const isKept = error !== null || (os.refusal ?? null) !== null
    os.refusal = null
    if (isKept || witness.held(v, 12 * unit) !== 8 * unit || witness.held(v + 4 * unit, 4 * unit) !== 0)
      return undefined
    return warned(
      'freesParts',
      'sysFreeOS freed the middle of a reservation, and the trait says that it frees no parts',
    )
  })
}

function hints(world: World): Verdict | undefined {
  return world.play(({ memory, os, unit }) => {
    if (os.traits.hints) return undefined
    let honoured = 0
    for (let i = 0; i < 8; i++) {
      const v = memory.sysReserve(null, 16 * unit)
      // With a guard behind it, the end of memory is no such place.
      memory.sysReserve(null, unit)
      memory.sysFree(v, 16 * unit, null)
      let p: number | null = null
      thrownBy(() => (p = memory.sysReserve(v + 3 * unit, unit)))
      if (p === v + 3 * unit) honoured += 1
    }
    if (honoured < 8) return undefined
    return warned('hints', 'sysReserve honoured eight of eight hints, and the trait says that it honours none')
  })
}

export const traitCases: readonly Definition[] = [
  { id: 'traits/page-sizes', title: "pageSize and hugePageSize are the kernel's", show: sizesOfPages },
  {
    id: 'traits/granularity',
    title: 'granularity: reservations begin at its multiples, and at no larger',
    show: granules,
  },
  { id: 'traits/threads', title: "threadsShare is true where memory is the process's, and only there", show: threads },
  { id: 'traits/drops', title: 'unusedDropsContents is denied only where old bytes were seen', show: dropped },
  { id: 'traits/parts', title: 'freesParts is denied only where a part can not be freed', show: parts },
  { id: 'traits/hints', title: 'hints is denied only where a hint is not honoured', show: hints },
]
