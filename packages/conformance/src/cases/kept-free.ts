// What is free after a refusal, and what a refusal says of it. A refused request loses nothing that was free, and its
// words depend on the state alone, not on what came and went before.
import type { Address } from '@memlayer/kernel'
import { claim, same } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import type { Stage } from '../stage.js'
import { give, isRefused, reserve, sceneOf, take, UNITS_MAX, type Range, type Scene } from './takes.js'
import { whileRefused } from './with-refusals.js'

/** Ways in which ranges of 4, 1, 4, 2, 8 and 1 units become free, by their index in the order of the frees. */
const freed: readonly (readonly number[])[] = [
  [5],
  [4, 5],
  [5, 4],
  [1, 3, 5],
  [0, 1, 2, 3, 4, 5],
  [5, 4, 3, 2, 1, 0],
  [0, 2, 4],
  [4, 2, 5],
]

/** What is had of the free memory while the kernel gives no more, the largest pieces first, as text. */
function hadOf(scene: Scene): string {
  const { os, unit, refuse } = scene
  const had: Range[] = []
  for (const units of [16, 8, 4, 2, 1])
    for (;;) {
      const v = refuse(() => reserve(os, null, units * unit))
      if (v === null) break
      had.push([v, units * unit])
      claim(had.length <= UNITS_MAX, 'the kernel refuses every call, but the backend has no end of memory')
    }
  for (const range of had) os.sysFreeOS(...range)
  os.refusal = null
  return had.map(([, n]) => n / unit).join(' ')
}

/** Requests that are refused where `units` are free in all. The first three are refused wherever they are free. */
const requests: Readonly<Record<string, (units: number) => readonly number[]>> = {
  'of more than all of it': (units) => [UNITS_MAX, units + 5, units + 1],
  'of all of it': (units) => [units],
  'of more than half of it': (units) => [Math.floor(units / 2) + 1],
}

/** Frees ranges in an order, runs `then`, and tells what is had of the free ones while the kernel refuses all. */
function playFreed(world: World, errno: number, order: readonly number[], then: (scene: Scene) => boolean): string {
  const { wrap, refuse } = whileRefused(errno)
  return world.play(
    ({ os, unit }: Stage) => {
      const scene = sceneOf(os, unit, refuse)
      const ranges = [4, 1, 4, 2, 8, 1].map((units) => take(scene, units))
      for (const i of order) give(scene, ranges[i] ?? [NaN, 0])
      const isToTell = then(scene)
      os.refusal = null
      const text = isToTell ? hadOf(scene) : ''
      for (const range of scene.owned) os.sysFreeOS(...range)
      return text
    },
    { wrap },
  )
}

function isAllocRefused({ os }: Scene, n: number): boolean {
  const p = os.sysAllocOS(n)
  if (p !== null) os.sysFreeOS(p, n)
  return p === null
}

/** Makes requests of `sizes`, also at the end of memory. False: one of them was done, which moves what is free. */
function areRefused(scene: Scene, sizes: readonly number[]): boolean {
  const { os, unit, owned } = scene
  const end = Math.max(0, ...[...owned].map(([v, n]) => v + n))
  return sizes.every((units) => {
    if (!isRefused(scene, null, units * unit) || !isAllocRefused(scene, units * unit)) return false
    return os.traits.hints || end === 0 || isRefused(scene, end, units * unit)
  })
}

function sumOf(pieces: string): number {
  return pieces.split(' ').reduce((sum, each) => sum + Number(each), 0)
}

/** Ranges that come and go, by their units: in the order of the array, and freed the other way round. */
const comings = [[1], [2], [3, 2], [1, 1, 1], [6]] as const

/** Fails if less is free once ranges came and went while the kernel refused nothing. It may have grown. */
function claimComeAndGo(world: World, errno: number, order: readonly number[], expected: string): void {
  for (const units of comings)
    for (const arrange of [(had: Range[]) => had, (had: Range[]) => had.toReversed()]) {
      const found = playFreed(world, errno, order, (scene) => {
        for (const range of arrange(units.map((each) => take(scene, each)))) give(scene, range)
        return true
      })
      const free = `ranges ${order.join(', ')} of 4, 1, 4, 2, 8 and 1 units were freed`
      claim(
        sumOf(found) >= sumOf(expected),
        `after ${free}, and ${units.join(' and ')} units came and went: expected ${expected} units, found ${found}`,
      )
    }
}

/** Asks for the end of memory while the kernel refuses all. What is had, there or elsewhere, leaves no refusal. */
function askAtEnd(world: World, errno: number, order: readonly number[]): void {
  void playFreed(world, errno, order, (scene) => {
    const { os, unit, owned, refuse } = scene
    const end = Math.max(0, ...[...owned].map(([v, n]) => v + n))
    for (const units of [1, 2, 4, 8]) {
      const p = refuse(() => reserve(os, end, units * unit))
      if (p !== null) os.sysFreeOS(p, units * unit)
    }
    return false
  })
}

function keepsFree(world: World): Verdict | undefined {
  const [errno] = errnosOf(world.subject) ?? []
  if (errno === undefined) return notRun(NO_KERNEL)
  for (const order of freed) {
    const expected = playFreed(world, errno, order, () => true)
    const units = sumOf(expected)
    if (units === 0) continue
    for (const [name, sizesOf] of Object.entries(requests)) {
      let isPlayed = false
      const found = playFreed(
        world,
        errno,
        order,
        (scene) => (isPlayed = scene.refuse(() => areRefused(scene, sizesOf(units)))),
      )
      const free = `ranges ${order.join(', ')} of 4, 1, 4, 2, 8 and 1 units were freed`
      const asked = `once sysReserve and sysAlloc were asked for units ${name}, and refused`
      if (isPlayed) same(found, expected, `after ${free}, what can be had of them, in units, ${asked}`)
    }
    claimComeAndGo(world, errno, order, expected)
    askAtEnd(world, errno, order)
  }
  return undefined
}

/** Ways in which the four parts of a range of twelve units are freed, by the part that is next. */
const partOrders: readonly (readonly number[])[] = [
  [0, 1, 2, 3],
  [3, 2, 1, 0],
  [0, 2, 1, 3],
  [2, 0, 1, 3],
  [0, 3, 1, 2],
  [3, 0, 2, 1],
  [1, 3, 2, 0],
]

/** Frees a range between two that are in use, in parts, and asks for all of it again. Null: refused. */
function hadAgain(world: World, errno: number, order: readonly number[] | null): Address | null {
  const { wrap, refuse } = whileRefused(errno)
  return world.play(
    ({ os, unit }) => {
      const scene = sceneOf(os, unit, refuse)
      const [low, [v, n], high] = [take(scene, 1), take(scene, 12), take(scene, 1)]
      if (order === null) os.sysFreeOS(v, n)
      else for (const part of order) os.sysFreeOS(v + (part * n) / 4, n / 4)
      const p = refuse(() => reserve(os, null, n))
      os.refusal = null
      if (p !== null) os.sysFreeOS(p, n)
      give(scene, low)
      give(scene, high)
      return p
    },
    { wrap },
  )
}

function wholeAgain(world: World): Verdict | undefined {
  const [errno] = errnosOf(world.subject) ?? []
  if (errno === undefined) return notRun(NO_KERNEL)
  if (world.play(({ os }) => !os.traits.freesParts)) return absent('freesParts')
  if (hadAgain(world, errno, null) === null) return absent('free memory that a backend keeps for itself')
  for (const order of partOrders) {
    const what = `sysReserve of 12 units, which were freed in the order of parts ${order.join(', ')}`
    claim(hadAgain(world, errno, order) !== null, `${what}, is refused. Freed at once they can be had again`)
  }
  return undefined
}

/** States by what is free in them. */
const states: Readonly<Record<string, (scene: Scene) => void>> = {
  'nothing is free': (scene) => void take(scene, 8),
  'the end is free': (scene) => give(scene, take(scene, 8)),
  'there is a hole': (scene) => {
    const [one] = [take(scene, 8), take(scene, 2)]
    give(scene, one)
  },
  'there are two holes': (scene) => {
    const [one, , two] = [take(scene, 8), take(scene, 2), take(scene, 4), take(scene, 2)]
    give(scene, one)
    give(scene, two)
  },
}

/** Leaves the state as it was. False: what was freed was had at another address. That round is the last. */
const rounds: Readonly<Record<string, (scene: Scene) => boolean>> = {
  ...Object.fromEntries(
    [1, 4, 8, 9, 32].map((units) => [
      `${units} units came and went`,
      (scene: Scene) => {
        give(scene, take(scene, units))
        return true
      },
    ]),
  ),
  'two ranges came and went': (scene) => {
    const [one, two] = [take(scene, 16), take(scene, 3)]
    give(scene, two)
    give(scene, one)
    return true
  },
  'a request was refused': (scene) => scene.refuse(() => isRefused(scene, null, UNITS_MAX * scene.unit)),
  'a request by address was refused': (scene) => isRefused(scene, 3 * scene.unit, scene.unit),
  'what was taken last went and came': (scene) => {
    const last = [...scene.owned].at(-1) ?? [NaN, 0]
    give(scene, last)
    return take(scene, last[1] / scene.unit)[0] === last[0]
  },
}

/** The words of the refusals of too much: by the kernel that refuses every call, and by the kernel itself. */
function wordsOf({ os, unit, refuse }: Scene, isSimulated: boolean): string {
  const ask = (n: number): string => {
    os.refusal = null
    const p = os.sysReserveOS(null, n)
    if (p !== null) os.sysFreeOS(p, n)
    return p === null ? ((os.refusal as { hint?: string } | null)?.hint ?? '') : ''
  }
  // An engine tries for seconds before it refuses so much.
  const words = [refuse(() => ask(2 * UNITS_MAX * unit)), isSimulated ? ask(2 ** 47) : ''].join(' / ')
  os.refusal = null
  return words
}

function wordsUndone(world: World): Verdict | undefined {
  const [errno] = errnosOf(world.subject) ?? []
  if (errno === undefined) return notRun(NO_KERNEL)
  if (world.play(({ os }) => os.traits.reservedTraps)) return absent('free memory that a backend keeps for itself')
  for (const [state, reach] of Object.entries(states)) {
    const { wrap, refuse } = whileRefused(errno)
    world.play(
      ({ os, unit, witness }: Stage) => {
        const scene = sceneOf(os, unit, refuse)
        const words = (): string => wordsOf(scene, witness.setLimits !== undefined)
        // The memory is as large from now on as it ever becomes.
        give(scene, take(scene, UNITS_MAX))
        take(scene, 4)
        reach(scene)
        const expected = words()
        for (const [round, play] of Object.entries(rounds))
          for (let times = 1; times <= 2; times++) {
            if (!play(scene)) break
            same(words(), expected, `the hint of a refusal where ${state}, when ${round}, time ${times}`)
          }
        for (const range of scene.owned) os.sysFreeOS(...range)
      },
      { wrap },
    )
  }
  return undefined
}

export const keptFreeCases: readonly Definition[] = [
  {
    id: 'free/whole-again',
    title: 'sysFree: a range that is freed in parts, in any order, can be had again as a whole',
    show: wholeAgain,
  },
  {
    id: 'refusals/keeps-free',
    title: 'sysReserve and sysAlloc: what is free stays free after a refusal, and after memory that came and went',
    show: keepsFree,
  },
  {
    id: 'refusals/words-undone',
    title: 'sysReserve, refused: the hint has the same words again once what was taken or freed meanwhile is undone',
    show: wordsUndone,
  },
]
