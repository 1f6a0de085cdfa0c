// The life of a place: each transition once, with the contents, the pages beside it and the witness before and after.
// Cases play it at every size, at low addresses, after refusals, and on two backends at once.
import type { Address } from '@memlayer/kernel'
import { withBytes } from '../bytes.js'
import { claim, rangeText, same } from '../claim.js'
import type { Stage } from '../stage.js'
import {
  claimFaults,
  claimGuards,
  claimMarks,
  claimPlace,
  markAll,
  open,
  placeIn,
  placeOf,
  type Place,
} from './place.js'

/** Plays sysReserve, sysMap, sysUsed, sysHugePage, sysUnused, sysFault and sysFree on a place of `n` bytes. */
export function playLife(stage: Stage, n: number, keepsReady: boolean, hint: Address | null = null): Place {
  const { os, witness } = stage
  const before = witness.total?.()
  const place = placeOf(stage, n, hint)
  if (os.traits.reservedTraps) {
    if (before !== undefined)
      same((witness.total?.() ?? NaN) - before, place.size, 'what the kernel holds after sysReserve')
    claimFaults(stage, place, true, 'sysReserve')
  }
  open(stage, place)
  claimFaults(stage, place, false, 'sysMap and sysUsed')
  claimPlace(stage, place, [0], 'sysMap and sysUsed')
  markAll(stage, place, 1)
  stage.memory.sysHugePage(place.v, n)
  claimPlace(stage, place, [1], 'sysHugePage')
  playUnused(stage, place, keepsReady)
  playFault(stage, place)
  playFree(stage, place, before)
  return place
}

/** Where contents may come back, fails if memory that was given back is still there once the kernel was short of it. */
export function claimForfeit({ os, witness }: Stage, v: Address, n: number, after: string): void {
  const { unusedReturnsMemory, unusedDropsContents } = os.traits
  if (!unusedReturnsMemory || unusedDropsContents || witness.takeForfeit === undefined) return
  witness.takeForfeit()
  const kept = witness.resident?.(v, n) ?? 0
  same(kept, 0, `the resident bytes of ${rangeText(v, n)} after ${after}, says the witness`)
}

function playUnused(stage: Stage, place: Place, keepsReady: boolean): void {
  const { memory, os, pageSize } = stage
  const { v, n, whole, size } = place
  const drops = os.traits.unusedDropsContents
  memory.sysUnused(v, n)
  claimGuards(stage, place, 'sysUnused')
  claimForfeit(stage, v, n, 'sysUnused')
  claimFaults(stage, place, os.traits.unusedTraps, 'sysUnused')
  memory.sysUsed(v, n)
  claimFaults(stage, place, false, 'sysUsed')
  claimPlace(stage, place, drops ? [0] : [0, 1], 'sysUnused and sysUsed')
  markAll(stage, place, 2)
  const half = Math.floor(n / pageSize / 2) * pageSize
  if (half > 0) memory.sysUnused(v, half)
  memory.sysUsed(keepsReady ? whole : v, keepsReady ? size : n)
  const rest = { ...place, probes: place.probes.filter((at) => at >= half) }
  claimPlace(stage, rest, keepsReady ? [2] : [0, 2], 'sysUsed on a mix of Prepared and Ready')
  markAll(stage, place, 3)
}

function playFault(stage: Stage, place: Place): void {
  const { memory, os, witness } = stage
  const { v, n, whole, size } = place
  memory.sysFault(v, n)
  claimGuards(stage, place, 'sysFault')
  claimFaults(stage, place, os.traits.faultTraps, 'sysFault')
  if (witness.held !== undefined)
    same(witness.held(whole, size), size, `what the kernel holds of ${size} bytes after sysFault`)
  memory.sysMap(v, n, null)
  memory.sysUsed(v, n)
  claimFaults(stage, place, false, 'sysFault, sysMap and sysUsed')
  claimPlace(stage, place, [0, 3], 'sysFault, sysMap and sysUsed')
  markAll(stage, place, 4)
  claimPlace(stage, place, [4], 'a write')
}

function playFree(stage: Stage, place: Place, before: number | undefined): void {
  const { memory, os, witness } = stage
  const { v, n, whole, size } = place
  const { freesParts, reservedTraps } = os.traits
  if (freesParts) {
    memory.sysFree(v, n, null)
    claimGuards(stage, place, 'sysFree')
    if (reservedTraps) claimGone(stage, v, n)
    memory.sysFree(whole, v - whole, null)
    memory.sysFree(v + n, whole + size - v - n, null)
  } else memory.sysFree(whole, size, null)
  if (!reservedTraps) return
  claimGone(stage, whole, size)
  if (before !== undefined) same(witness.total?.(), before, `what the kernel holds after all of ${size} bytes is freed`)
}

/** Fails if the kernel still holds a byte of [v, v+n). */
export function claimGone({ witness }: Stage, v: Address, n: number): void {
  if (witness.held === undefined) return
  const held = witness.held(v, n)
  claim(held === 0, `after sysFree of ${rangeText(v, n)}, the kernel holds ${held} of ${n} bytes, says the witness`)
}

/**
 * Plays sysAlloc and sysFree of `n` bytes, and sysReserve too, three times: what was freed reads zero when it is handed
 * out again, and the kernel holds no more than after the first time.
 */
export function playAlloc(stage: Stage, n: number): void {
  const { witness } = stage
  let first = NaN
  for (let times = 0; times < 3; times++) {
    playObtained(stage, n, 'sysAlloc')
    playObtained(stage, n, 'sysReserve')
    if (times === 0) first = witness.total?.() ?? NaN
  }
  if (witness.total !== undefined)
    same(witness.total(), first, `what the kernel holds after ranges of ${n} bytes came and went three times`)
}

function playObtained(stage: Stage, n: number, op: 'sysAlloc' | 'sysReserve'): void {
  const { memory, os, witness } = stage
  const before = witness.total?.()
  const v = op === 'sysAlloc' ? memory.sysAlloc(n, null) : memory.sysReserve(null, n)
  const place = placeIn(v, n, stage.pageSize)
  if (before !== undefined && os.traits.reservedTraps)
    same((witness.total?.() ?? NaN) - before, n, `what the kernel holds for ${op} of ${n} bytes`)
  if (op === 'sysReserve') {
    memory.sysMap(v, n, null)
    memory.sysUsed(v, n)
  }
  claimFaults(stage, place, false, op)
  claimMarks(stage, place, [0], op)
  markAll(stage, place, 5)
  claimMarks(stage, place, [5], 'a write')
  // A view of the whole, where it is not too large for an ArrayBuffer.
  if (n < 2 ** 22) {
    withBytes(os, v, n, (bytes) => bytes.fill(6, n - stage.pageSize))
    claimMarks(stage, { ...place, probes: [n - stage.pageSize] }, [6], 'a write through a view of the whole')
  }
  memory.sysFree(v, n, null)
  if (os.traits.reservedTraps) claimGone(stage, v, n)
}
