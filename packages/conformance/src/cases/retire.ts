// sysRetireOS over ranges of several states: each part reads zero afterwards and has no memory, whatever it was.
import type { Address } from '@memlayer/kernel'
import { claimBytes, fill } from '../bytes.js'
import { same } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { ready } from './transitions.js'

const states = ['Ready', 'Prepared', 'Reserved'] as const
type State = (typeof states)[number]

/** Moves a part that is Ready. */
function leave({ memory }: Stage, state: State, v: Address, n: number): void {
  if (state === 'Prepared') memory.sysUnused(v, n)
  if (state === 'Reserved') memory.sysFault(v, n)
}

/** All ways in which three parts can have a state each. */
const mixes: readonly (readonly State[])[] = states.flatMap((a) =>
  states.flatMap((b) => states.map((c) => [a, b, c] as const)),
)

/** Retires one range whose parts have the states of `mix`; false: the backend says that it can't. */
function retireMix(stage: Stage, mix: readonly State[], partUnits: number): boolean {
  const { memory, os, unit, witness } = stage
  const part = partUnits * unit
  const n = mix.length * part
  const v = ready(stage, mix.length * partUnits, 7)
  mix.forEach((state, i) => leave(stage, state, v + i * part, part))
  const isMapped = mix.every((state) => state === 'Ready' || (state === 'Prepared' && !os.traits.unusedTraps))
  const what = `sysRetireOS of ${n} bytes, whose parts were ${mix.join(', ')}`
  if (os.sysRetireOS?.(v, n, isMapped) !== true) {
    memory.sysFree(v, n, null)
    return false
  }
  if (witness.held !== undefined) same(witness.held(v, n), n, `what the kernel holds after ${what}`)
  // Where Prepared pages trap, a witness may count what is committed.
  if (witness.resident !== undefined && !os.traits.unusedTraps)
    same(witness.resident(v, n), 0, `resident bytes after ${what}`)
  claimBytes(os, v, n, 0, `memory after ${what}`)
  fill(os, v, n, 5)
  same(os.sysRetireOS(v, n, true), true, `a second time, ${what}`)
  claimBytes(os, v, n, 0, `memory that was written late, and retired a second time after ${what}`)
  memory.sysFree(v, n, null)
  return true
}

function retiredMixes(world: World): Verdict | undefined {
  return world.play((stage) => {
    if (stage.os.sysRetireOS === undefined) return absent('sysRetireOS')
    const { hugePageSize } = stage.os.traits
    // Parts of whole huge pages are slow to fill, so they come in one order only.
    const large = Math.ceil(hugePageSize / stage.unit)
    for (const [partUnits, some] of [
      [1, mixes],
      [17, mixes.filter((mix) => new Set(mix).size === 3)],
      [large, large > 17 ? [states, states.toReversed()] : []],
    ] as const) {
      for (const mix of some) {
        if (!retireMix(stage, mix, partUnits)) return notRun('sysRetireOS says that this kernel can’t')
      }
    }
    return undefined
  })
}

export const retireCases: readonly Definition[] = [
  {
    id: 'retire/mixed',
    title: 'sysRetireOS: leaves zeroes without memory where a range was Ready, Prepared and Reserved in parts',
    show: retiredMixes,
  },
]
