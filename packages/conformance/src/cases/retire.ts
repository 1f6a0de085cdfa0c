// sysRetireOS over ranges of several states: each part reads zero afterwards and has no memory, whatever it was. And
// what gives memory up, once the process locks what it maps.
import type { Address } from '@memlayer/kernel'
import { claimBytes, fill } from '../bytes.js'
import { claim, rangeText, same } from '../claim.js'
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

/** Beyond it a backend may look for locks before it maps memory anew. */
const lookedAt = 2 ** 20

/** What gives the memory of a range up and answers whether it did. `isMapped`: all of the range is Ready. */
const givings: Readonly<Record<string, (stage: Stage, v: Address, n: number, isMapped: boolean) => unknown>> = {
  sysRetireOS: ({ os }, v, n, isMapped) => os.sysRetireOS?.(v, n, isMapped),
  sysRenewOS: ({ os }, v, n) => os.sysRenewOS?.(v, n),
  sysZeroOS: ({ os }, v, n, isMapped) => isMapped && os.sysZeroOS?.(v, n),
}

/** A range that is Ready, or Reserved, of which a part may have been Ready. */
type Before = 'Ready' | 'Reserved' | 'faulted'

function rangeOf(stage: Stage, units: number, before: Before): Address {
  if (before === 'Reserved') return stage.memory.sysReserve(null, units * stage.unit)
  const v = ready(stage, units, 3)
  if (before === 'faulted') stage.memory.sysFault(v, units * stage.unit)
  return v
}

/** Has `name` give the memory of a range up. Returns the answer and what is resident then, as text. */
function outcomeOfGiving(stage: Stage, name: string, v: Address, n: number, before: Before): string {
  const { memory, os, witness } = stage
  const answer = givings[name]?.(stage, v, n, before === 'Ready')
  os.refusal = null
  const left = witness.resident?.(v, n)
  const what = `${name} of ${rangeText(v, n)}, ${n} bytes which were ${before}`
  if (answer === true) claimBytes(os, v, n, 0, `memory after ${what}`)
  // A port may have nothing that tells what is resident.
  const most = os.host?.residency === undefined ? n : name === 'sysRetireOS' ? lookedAt : 0
  claim(
    answer !== true || left === undefined || left <= most,
    `${what}, says done: expected at most ${most} resident bytes, found ${left}`,
  )
  memory.sysFree(v, n, null)
  return `${String(answer)}, and ${left} bytes are resident`
}

/** What `name` does once the process locks what it maps, by the range. `isAskedBefore`: it was called before, too. */
function outcomesWhereLocked(stage: Stage, name: string, isAskedBefore: boolean): Map<string, string> {
  const { unit, witness } = stage
  const large = Math.ceil((lookedAt + 1) / unit)
  // The other functions are for Ready memory only.
  const befores: readonly Before[] = name === 'sysRetireOS' ? ['Ready', 'Reserved', 'faulted'] : ['Ready']
  const kinds = [1, large].flatMap((units) => befores.map((before) => [units, before] as const))
  const found = new Map<string, string>()
  const giveUp = (units: number, before: Before, v: Address, when: string): void => {
    const outcome = outcomeOfGiving(stage, name, v, units * unit, before)
    found.set(`${name} of ${units * unit} bytes, which were ${before}, ${when}`, outcome)
  }
  if (isAskedBefore)
    for (const [units, before] of kinds) giveUp(units, before, rangeOf(stage, units, before), 'before any lock')
  const early = kinds.map(([units, before]) => [units, before, rangeOf(stage, units, before)] as const)
  witness.lockAll?.()
  for (const [units, before, v] of early) giveUp(units, before, v, 'mapped before the process locks what it maps')
  // One at a time: a process may lock 8 MiB.
  for (const [units, before] of kinds)
    giveUp(units, before, rangeOf(stage, units, before), 'mapped when the process locks what it maps')
  return found
}

/** Whether the process locks what it maps may change: what was asked of the kernel before is true no more. */
function lockedLater(world: World): Verdict | undefined {
  const own = world.play(({ os }) => Object.keys(givings).filter((name) => typeof Reflect.get(os, name) === 'function'))
  if (own.length === 0) return absent('sysRetireOS')
  if (world.play(({ witness }) => witness.lockAll === undefined || witness.resident === undefined))
    return notRun('needs a kernel whose process can lock what it maps')
  for (const name of own) {
    const asNew = world.play((stage) => outcomesWhereLocked(stage, name, false))
    const found = world.play((stage) => outcomesWhereLocked(stage, name, true))
    for (const [what, outcome] of asNew)
      same(found.get(what), outcome, `${what}, where a new backend has another answer than one that was asked before`)
  }
  return undefined
}

export const retireCases: readonly Definition[] = [
  {
    id: 'retire/mixed',
    title: 'sysRetireOS: leaves zeroes without memory where a range was Ready, Prepared and Reserved in parts',
    show: retiredMixes,
  },
  {
    id: 'retire/locked-later',
    title:
      'sysRetireOS, sysRenewOS, sysZeroOS: answer true for no locked memory, also where the process locks it later',
    show: lockedLater,
  },
]
