// Memory that grows at one end, such as a break: the one address at which it can be reserved does not depend on how the
// memory came to its state, and no refusal moves it.
import { formatAddress } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'
import { claimBytes, fill } from '../bytes.js'
import { claim, rangeText } from '../claim.js'
import { absent, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf } from '../errnos.js'
import { give, isRefused, reserve, sceneOf, take, UNITS_MAX, type Range, type Scene } from './takes.js'
import { whileRefused } from './with-refusals.js'

/** What the memory that stays owned holds. */
const KEPT = 0x42

/** What may have happened before the end of memory is asked for. Eight units above `kept` come and go. */
const pasts: Readonly<Record<string, (scene: Scene, kept: Range) => void>> = {
  'nothing else': () => undefined,
  'a free at the end': (scene) => give(scene, take(scene, 8)),
  'three frees at the end': (scene) => {
    for (let times = 0; times < 3; times++) give(scene, take(scene, 8))
  },
  'two frees, the last first': (scene) => {
    const [one, two] = [take(scene, 4), take(scene, 4)]
    give(scene, two)
    give(scene, one)
  },
  'two frees, the first first': (scene) => {
    const [one, two] = [take(scene, 4), take(scene, 4)]
    give(scene, one)
    give(scene, two)
  },
  'a free inside': (scene) => {
    const [one] = [take(scene, 4), take(scene, 4)]
    give(scene, one)
  },
  'a free of all but the first unit': (scene) => {
    const [v, n] = take(scene, 8)
    scene.os.sysFreeOS(v + scene.unit, n - scene.unit)
    for (const range of scene.owned) if (range[0] === v) scene.owned.delete(range)
    scene.owned.add([v, scene.unit])
    scene.edges.add(v + scene.unit)
  },
  'a free at the end and less taken again': (scene) => {
    give(scene, take(scene, 8))
    take(scene, 2)
  },
  'a request that was refused': (scene) => void scene.refuse(() => isRefused(scene, null, UNITS_MAX * scene.unit)),
  'a free at the end, and a request that was refused': (scene) => {
    give(scene, take(scene, 8))
    scene.refuse(() => isRefused(scene, null, UNITS_MAX * scene.unit))
  },
  'a request at the end that was refused': (scene, [v, n]) =>
    void scene.refuse(() => isRefused(scene, v + n, UNITS_MAX * scene.unit)),
  'a free at the end, and a request there that was refused': (scene, [v, n]) => {
    give(scene, take(scene, 8))
    scene.refuse(() => isRefused(scene, v + n, UNITS_MAX * scene.unit))
  },
}

/** A stage after one of the pasts. */
interface After {
  readonly scene: Scene
  /** Where what is owned ends, and each address above at which a range ever began or ended. */
  readonly ends: readonly Address[]
}

/** Plays on a new backend, on which `past` has happened. Some memory below stays owned, with its bytes. */
function playAfter<T>(world: World, past: string, play: (after: After) => T): T {
  const { wrap, refuse } = whileRefused(errnosOf(world.subject)?.[0] ?? null)
  return world.play(
    ({ os, unit }) => {
      const scene = sceneOf(os, unit, refuse)
      const kept = take(scene, 4)
      fill(os, ...kept, KEPT)
      pasts[past]?.(scene, kept)
      os.refusal = null
      const end = Math.max(...[...scene.owned].map(([v, n]) => v + n))
      const edges = [end, ...scene.edges].filter((v) => v >= end)
      const result = play({ scene, ends: [...new Set(edges)].sort((a, b) => a - b) })
      claimBytes(os, ...kept, KEPT, `memory in use, when memory was asked for by address after ${past}`)
      for (const range of scene.owned) os.sysFreeOS(...range)
      os.refusal = null
      return result
    },
    { wrap },
  )
}

/** Reserves `units` at an address. What is had reads zero and is beside what is owned. Null: refused. */
function reserveAt({ os, unit, owned }: Scene, v: Address, units: number, past: string): Address | null {
  const n = units * unit
  const p = reserve(os, v, n)
  if (p === null) return null
  const what = `sysReserve of ${rangeText(v, n)}, after ${past}, handed out ${rangeText(p, n)}`
  for (const [w, m] of owned) claim(p >= w + m || p + n <= w, `${what}, expected no page of ${rangeText(w, m)}`)
  os.sysMapOS(p, n)
  os.sysUsedOS(p, n)
  claimBytes(os, p, n, 0, what)
  fill(os, p, n, 0x17)
  os.sysFreeOS(p, n)
  return p
}

/** The address that the hint of the last refusal names; null: it names none. */
function namedBy({ os }: Scene): Address | null {
  const hint = os.refusal?.hint ?? ''
  os.refusal = null
  const [, digits] = /\b0x([0-9a-f]+)\b/i.exec(hint) ?? []
  return digits === undefined ? null : Number.parseInt(digits, 16)
}

/** Asks beside the end of memory. Where a hint of a refusal names an address, that address has to be free. */
function askBeside(world: World, past: string, from: number): void {
  playAfter(world, past, ({ scene, ends }) => {
    for (const end of ends) {
      const v = end + from * scene.unit
      // Another end of a range may be the end of memory.
      if (ends.includes(v) || reserveAt(scene, v, 1, past) !== null) continue
      const named = namedBy(scene)
      if (named === null) continue
      const p = reserveAt(scene, named, 1, past)
      const found = p === null ? 'refused too' : `found ${formatAddress(p)}`
      const what = `sysReserve of ${formatAddress(v)}, after ${past}, was refused, and its hint says to pass`
      claim(p === named, `${what} ${formatAddress(named)}: ${found}`)
    }
  })
}

/** Whether a new backend reserves at the end of its memory, and refuses every other address. */
function hasOneEnd(world: World): boolean {
  const past = 'nothing else'
  // On two backends, because a wrong one may take the first refusal for the last word.
  const isHad = playAfter(world, past, ({ scene, ends: [end = NaN] }) => reserveAt(scene, end, 1, past) === end)
  const refusesOthers = playAfter(world, past, ({ scene, ends: [end = NaN] }) =>
    [-4, -1, 1, 16].every((from) => reserveAt(scene, end + from * scene.unit, 1, past) === null),
  )
  return isHad && refusesOthers
}

/** Fails unless one of the addresses that may be the end of memory can be reserved, and was free. */
function askAtEnd(world: World, past: string, units: number): void {
  const found: string[] = []
  for (let which = 0, isLast = false; !isLast; which++) {
    const isHad = playAfter(world, past, ({ scene, ends }) => {
      const end = ends[which] ?? NaN
      isLast = which + 1 >= ends.length
      const p = reserveAt(scene, end, units, past)
      found.push(`${formatAddress(end)} ${p === null ? 'refused' : `gave ${formatAddress(p)}`}`)
      return p === end
    })
    if (isHad) return
  }
  const what = `sysReserve of ${units} units at the end of memory, after ${past}`
  claim(false, `${what}, expected that address, found: ${found.join(', ')}`)
}

function atEnd(world: World): Verdict | undefined {
  if (world.play(({ os }) => os.traits.hints)) return absent('an end of memory, because each free address is honored')
  const isOneEnd = hasOneEnd(world)
  for (const past of isOneEnd ? Object.keys(pasts) : ['nothing else', 'a free at the end'])
    for (const from of [-1, 1]) askBeside(world, past, from)
  if (!isOneEnd) return absent('hints')
  for (const past of Object.keys(pasts)) for (const units of [1, 7, 8, 9, 64]) askAtEnd(world, past, units)
  return undefined
}

export const oneEndHintCases: readonly Definition[] = [
  {
    id: 'hints/at-end',
    title: 'sysReserve: where only the end of memory can be reserved by address, it can be after frees and refusals',
    show: atEnd,
  },
]
