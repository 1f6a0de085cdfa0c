// Facts of a kernel that a backend may take for constants: the size of a page, and whether the process locks what it
// maps, which it may come to do late.
import { same } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { claimKernelAgrees } from './account.js'
import { claimFaults, claimMarks, claimPlace, markAll, open, placeIn, placeOf } from './place.js'

const MIB = 2 ** 20

/** Page sizes of processors. */
const pageSizes = [8192, 16384, 65536] as const

/** A short life of five pages, in which each page is one. */
function liveOn(stage: Stage, page: number): void {
  const { memory, os, unit } = stage
  const words = (op: string): string => `${op}, where a page has ${page} bytes`
  same(os.traits.pageSize, page, words('the trait pageSize'))
  same(os.traits.granularity % page, 0, words('what is left of the trait granularity'))
  const place = placeOf(stage, 5 * page)
  same(place.whole % page, 0, words('the offset of an address of sysReserve in its page'))
  const other = memory.sysAlloc(unit, null)
  same(other % page, 0, words('the offset of an address of sysAlloc in its page'))
  open(stage, place)
  markAll(stage, place, 6)
  const middle = placeIn(place.v + 2 * page, page, page)
  memory.sysFault(middle.v, page)
  if (os.traits.faultTraps) claimFaults(stage, middle, true, words('sysFault of one page'))
  memory.sysMap(middle.v, page, null)
  memory.sysUsed(middle.v, page)
  markAll(stage, middle, 6)
  claimPlace(stage, place, [6], words('sysFault, sysMap and sysUsed of one page'))
  memory.sysUnused(middle.v, page)
  memory.sysUsed(middle.v, page)
  if (os.traits.unusedDropsContents) claimMarks(stage, middle, [0], words('sysUnused and sysUsed of one page'))
  markAll(stage, middle, 6)
  claimPlace(stage, place, [6], words('sysUnused and sysUsed of one page'))
  claimKernelAgrees(stage, words('a life'))
  memory.sysFree(other, unit, null)
  memory.sysFree(place.whole, place.size, null)
}

function everyPageSize(world: World): Verdict | undefined {
  if (world.subject.kernel === undefined) return notRun('the subject has no kernel')
  let count = 0
  for (const pageSize of pageSizes) {
    const kernel = world.subject.kernel({ seed: world.seed, pageSize }) as { readonly pageSize?: number }
    if (kernel.pageSize !== pageSize) continue
    count += 1
    world.play((stage) => liveOn(stage, pageSize), { pageSize })
  }
  return count === 0 ? absent('more than one page size') : undefined
}

/** Retires a Reserved range where the process locks what it maps. Returns the answer and what is resident, as text. */
function retiredLocked(world: World, bytes: number, isLate: boolean): string | Verdict {
  return world.play((stage) => {
    const { memory, os, unit, witness } = stage
    if (os.sysRetireOS === undefined) return absent('sysRetireOS')
    if (witness.lockAll === undefined || witness.resident === undefined)
      return notRun('needs a witness that locks what is mapped')
    const n = Math.ceil(bytes / unit) * unit
    const [early, late] = [memory.sysReserve(null, n), memory.sysReserve(null, n)]
    if (isLate) void os.sysRetireOS(early, n, false)
    witness.lockAll()
    const isDone = os.sysRetireOS(late, n, false)
    return `${isDone ? 'done' : 'not done'}, with ${witness.resident(late, n)} resident bytes`
  })
}

/** A process may come to lock what it maps. What a backend was told before is no answer then. */
function lockedLater(world: World): Verdict | undefined {
  for (const bytes of [4 * 65536, 8 * MIB]) {
    const expected = retiredLocked(world, bytes, false)
    if (typeof expected !== 'string') return expected
    const what = `sysRetireOS of ${bytes} Reserved bytes when the process locks what it maps, after one before it did`
    same(retiredLocked(world, bytes, true), expected, what)
  }
  return undefined
}

export const kernelFactCases: readonly Definition[] = [
  {
    id: 'shape/page-sizes',
    title: 'the page of a backend is the kernel’s, whatever its size: addresses begin at one, and a call changes one',
    show: everyPageSize,
  },
  {
    id: 'retire/locked-later',
    title: 'sysRetireOS: a process that comes to lock what it maps is as one that did from the start',
    show: lockedLater,
  },
]
