// Every transition at every size at which a backend may change its ways, from one page to more than 32 bits can count.
import { claim, outcomeOf, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { claimGone, playAlloc, playLife } from './lives.js'
import { beyond32Bits, markAll, open, placeIn, placeOf, thresholds } from './place.js'
import { keepsReady } from './transitions.js'

/** Plays a scene with more bytes than 32 bits can count, where address space alone costs no memory. */
function playBeyond32Bits(world: World, scene: (stage: Stage, n: number) => void): Verdict | undefined {
  return world.play((stage) => {
    const { reservedTraps, unusedReturnsMemory } = stage.os.traits
    // A simulated kernel has pages only where they were touched.
    if (!reservedTraps && !unusedReturnsMemory && stage.witness.total === undefined) return absent('reservedTraps')
    stage.takeCalls()
    const n = beyond32Bits(stage.pageSize)
    const isRefused = refuses(stage, n, () => scene(stage, n))
    return isRefused ? notRun('the kernel has no 4 GiB to spare') : undefined
  })
}

/** Whether the kernel refuses `play`, which asks for `n` bytes. What else it throws goes on. */
function refuses(stage: Stage, n: number, play: () => void): boolean {
  const error = thrownBy(play)
  if (error === null) return false
  if (outcomeOf(error) !== 'OutOfMemoryError') throw error
  const calls = stage.takeCalls()
  // A backend that refuses by itself, without its kernel, has a limit of its own. An engine's buffer has one too.
  claim(
    (stage.os.traits.ends === 'zeroed' && !hasBuffer(n)) || calls === null || calls.some(({ ret }) => ret < 0),
    `no kernel call was refused: ${(error as Error).message}`,
  )
  return true
}

/** Whether this engine makes a buffer of `n` bytes and as much again, for what a backend puts beside its ranges. */
function hasBuffer(n: number): boolean {
  return thrownBy(() => new SharedArrayBuffer(2 * n)) === null
}

/** Reserves and frees more pages than 32 bits can count. Only the last of them is used. */
function manyPages(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, unit, witness } = stage
    if (!os.traits.reservedTraps) return absent('reservedTraps')
    const n = 2 ** 32 * stage.pageSize + unit
    const before = witness.total?.()
    let v = NaN
    stage.takeCalls()
    if (refuses(stage, n, () => (v = memory.sysReserve(null, n))))
      return notRun(`the kernel has no ${n} bytes to spare`)
    if (before !== undefined) same((witness.total?.() ?? NaN) - before, n, `what the kernel holds for ${n} bytes`)
    const last = v + n - unit
    memory.sysMap(last, unit, null)
    memory.sysUsed(last, unit)
    markAll(stage, placeIn(last, unit, stage.pageSize), 5)
    memory.sysFree(v, n, null)
    claimGone(stage, v, n)
    return undefined
  })
}

/** Fails unless nothing of a place is resident after `op`. Null: it can't be told here. */
function claimReturned(stage: Stage, n: number, op: 'sysUnused' | 'sysFault'): Verdict | undefined {
  const { memory, os, witness } = stage
  if (witness.resident === undefined) return notRun('needs a witness that tells what is resident')
  const place = placeOf(stage, n)
  open(stage, place)
  markAll(stage, place, 1)
  const guards = witness.resident(place.whole, place.size) - witness.resident(place.v, n)
  memory[op](place.v, n)
  witness.takeForfeit?.()
  if (op === 'sysUnused' && !os.traits.unusedDropsContents && witness.takeForfeit === undefined)
    return notRun('this kernel takes such pages only when it is short of memory')
  same(witness.resident(place.v, n), 0, `resident bytes of a range of ${n} bytes after ${op}`)
  same(witness.resident(place.whole, place.size), guards, `resident bytes beside a range of ${n} bytes after ${op}`)
  return undefined
}

function returned(world: World, op: 'sysUnused' | 'sysFault'): Verdict | undefined {
  return world.play((stage) => {
    const { unusedReturnsMemory, faultTraps } = stage.os.traits
    if (!unusedReturnsMemory) return absent('unusedReturnsMemory')
    if (op === 'sysFault' && !faultTraps) return absent('faultTraps')
    let verdict: Verdict | undefined
    for (const n of thresholds(stage)) verdict = claimReturned(stage, n, op)
    if (stage.os.traits.reservedTraps) verdict ??= claimReturned(stage, beyond32Bits(stage.pageSize), op)
    return verdict
  })
}

export const sizeCases: readonly Definition[] = [
  {
    id: 'sizes/life',
    title: 'every transition reaches a range of any size from end to end, and no page beside it',
    show: (world) =>
      world.play((stage) => {
        for (const n of thresholds(stage)) playLife(stage, n, keepsReady(world))
      }),
  },
  {
    id: 'sizes/alloc',
    title:
      'sysAlloc, sysReserve and sysFree: a range of any size is zeroed and writable from end to end, and goes whole',
    show: (world) =>
      world.play((stage) => {
        for (const n of thresholds(stage)) playAlloc(stage, n)
        const large = 2 ** 26 + stage.pageSize
        stage.takeCalls()
        // Small machines have no 64 MiB. What is refused once it was there is a failure.
        const isSmall = refuses(stage, large, () => {
          stage.memory.sysFree(stage.memory.sysAlloc(large, null), large, null)
          stage.memory.sysFree(stage.memory.sysReserve(null, large), large, null)
        })
        if (!isSmall) playAlloc(stage, large)
      }),
  },
  {
    id: 'sizes/beyond-32-bits',
    title: 'every transition reaches a range of 4 GiB and a page from end to end, and no page beside it',
    show: (world) => playBeyond32Bits(world, (stage, n) => void playLife(stage, n, keepsReady(world))),
  },
  {
    id: 'sizes/alloc-beyond-32-bits',
    title: 'sysAlloc and sysFree: an allocation of 4 GiB and a page is zeroed and writable from end to end',
    show: (world) => playBeyond32Bits(world, playAlloc),
  },
  {
    id: 'sizes/beyond-32-bit-pages',
    title: 'sysReserve and sysFree: address space of 4,294,967,297 pages is had and goes whole',
    show: manyPages,
  },
  {
    id: 'sizes/unused-returns',
    title: 'sysUnused: gives back all memory of a range of any size, and none beside it, if the trait says so',
    show: (world) => returned(world, 'sysUnused'),
  },
  {
    id: 'sizes/fault-returns',
    title: 'sysFault: gives back all memory of a range of any size, and none beside it',
    show: (world) => returned(world, 'sysFault'),
  },
]
