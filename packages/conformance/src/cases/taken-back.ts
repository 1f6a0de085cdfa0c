// What sysUsed takes back is the program's again. Where a kernel may take what was given back until sysUsed says that
// it is needed, a page whose sysUsed was skipped loses its bytes later, while it is Ready.
import type { Address } from '@memlayer/kernel'
import { claim, rangeText } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { endsOfPage } from './close-space.js'
import { keepsReady, ready } from './transitions.js'

/** Ranges that are given back and used again to find out what sysUsed does. */
const TIMES = 16

/** Whether the kernel still takes a range that sysUsed took back. Null: it took each before, or it never takes. */
function isTaken(stage: Stage): boolean | null {
  const { memory, unit, witness } = stage
  let isKept = false
  for (let times = 0; times < TIMES; times++) {
    const v = ready(stage, 1, 7)
    memory.sysUnused(v, unit)
    memory.sysUsed(v, unit)
    const [before] = endsOfPage(stage, v)
    witness.takeForfeit?.()
    if (endsOfPage(stage, v)[0] !== before) return true
    if (before === 7) isKept = true
  }
  return isKept ? false : null
}

/** Whether contents that sysUsed found stay. So it is where sysUsed tells the kernel that they are needed. */
export function usedHolds(world: World): boolean {
  return world.play((stage) => {
    const { os, witness } = stage
    if (os.traits.unusedDropsContents) return true
    // A view would settle what the kernel takes.
    if (os.host?.read === undefined || witness.takeForfeit === undefined) return false
    return isTaken(stage) === false
  })
}

/** What happens between sysUnused of a range and its sysUsed. */
const between: Readonly<Record<string, (stage: Stage, mix: boolean) => void>> = {
  'nothing else': () => undefined,
  'sysUsed of new memory': ({ memory, unit }) => {
    const v = memory.sysReserve(null, 64 * unit)
    memory.sysMap(v, 64 * unit, null)
    memory.sysUsed(v, 64 * unit)
  },
  'sysUsed of memory that is Ready': (stage, mix) => {
    const v = ready(stage, 64, 3)
    if (mix) stage.memory.sysUsed(v, 64 * stage.unit)
  },
  'sysUsed of a large mix of Ready and Prepared': (stage, mix) => {
    const { memory, unit } = stage
    const v = ready(stage, 64, 3)
    memory.sysUnused(v + 8 * unit, unit)
    if (mix) memory.sysUsed(v, 64 * unit)
    else memory.sysUsed(v + 8 * unit, unit)
  },
  'sysUnused and sysFault of another range': (stage) => {
    const { memory, unit } = stage
    const v = ready(stage, 64, 3)
    memory.sysUnused(v, 64 * unit)
    memory.sysFault(v, 64 * unit)
    memory.sysMap(v, 64 * unit, null)
    memory.sysUsed(v, 64 * unit)
  },
  'sysUnused and sysFree of another range': (stage) => {
    const { memory, unit } = stage
    const v = ready(stage, 64, 3)
    memory.sysUnused(v, 64 * unit)
    memory.sysFree(v, 64 * unit, null)
    const w = memory.sysReserve(null, 64 * unit)
    memory.sysMap(w, 64 * unit, null)
    memory.sysUsed(w, 64 * unit)
  },
  'sysAlloc and sysFree': ({ memory, unit }) => memory.sysFree(memory.sysAlloc(64 * unit, null), 64 * unit, null),
}

/** How two ranges of four units are used again. Each is a list of offsets and sizes in units. */
const orders: Readonly<Record<string, readonly (readonly [from: number, units: number])[]>> = {
  'each range': [
    [0, 4],
    [4, 4],
  ],
  'the second range first': [
    [4, 4],
    [0, 4],
  ],
  'both in one': [[0, 8]],
  'units from the last one': [7, 6, 5, 4, 3, 2, 1, 0].map((from) => [from, 1] as const),
  'parts that lie across both': [
    [2, 4],
    [0, 2],
    [6, 2],
  ],
}

/** The units whose byte changed although they were Ready, as text; empty: none. */
function changed(stage: Stage, v: Address, mix: boolean, what: string, order: string): string {
  const { memory, unit, witness } = stage
  memory.sysUnused(v, 4 * unit)
  memory.sysUnused(v + 4 * unit, 4 * unit)
  between[what]?.(stage, mix)
  for (const [from, units] of orders[order] ?? []) memory.sysUsed(v + from * unit, units * unit)
  const before = Array.from({ length: 8 }, (_, i) => endsOfPage(stage, v + i * unit)[0])
  witness.takeForfeit?.()
  const lost = before.flatMap((byte, i) => (endsOfPage(stage, v + i * unit)[0] === byte ? [] : [i]))
  return lost.map((i) => rangeText(v + i * unit, unit)).join(', ')
}

function takenBack(world: World): Verdict | undefined {
  const mix = keepsReady(world)
  return world.play((stage) => {
    const { os, unit, witness } = stage
    if (os.traits.unusedDropsContents) return absent('contents that come back')
    if (os.host?.read === undefined || witness.takeForfeit === undefined)
      return notRun('needs a witness that takes what a kernel short of memory takes, and a host that copies bytes')
    if (isTaken(stage) !== false) return absent('a sysUsed that takes back what was given back')
    for (const what of Object.keys(between)) {
      for (const order of Object.keys(orders)) {
        // The kernel may take pages by itself, so a range is tried more than once.
        for (let times = 0; times < 2; times++) {
          const v = ready(stage, 8, 7)
          const lost = changed(stage, v, mix, what, order)
          const words = `sysUnused of two ranges of ${4 * unit} bytes, ${what}, and sysUsed of ${order}`
          claim(
            lost === '',
            `after ${words}, the kernel still takes ${lost}: expected Ready memory that keeps its bytes`,
          )
        }
      }
    }
    return undefined
  })
}

export const takenBackCases: readonly Definition[] = [
  {
    id: 'used/takes-back',
    title: 'sysUsed: takes back every range that was given back, whatever else was used meanwhile',
    show: takenBack,
  },
]
