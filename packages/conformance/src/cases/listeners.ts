// onDetach: who is told that views have ended, how often, and what a listener may do meanwhile.
import type { Address } from '@memlayer/kernel'
import { claim, same } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { besideOthers } from './others.js'
import { ready } from './transitions.js'

/** Makes a view of Ready memory, and ends it. */
function endView({ memory, unit }: Stage, v: Address): void {
  memory.view(Uint8Array, v, unit)
  memory.sysUnused(v, unit)
  memory.sysUsed(v, unit)
}

/** One function, added three times. Each adding is a thing of its own. */
function listenedTwice(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os } = stage
    if (os.onDetach === undefined) return absent('onDetach')
    const v = ready(stage, 4, 7)
    let told = 0
    const listener = (): void => void (told += 1)
    const ends = (): number => {
      told = 0
      endView(stage, v)
      return told
    }
    const removes = [os.onDetach(listener)]
    const once = ends()
    claim(once > 0, 'the listener was not called')
    removes.push(os.onDetach(listener), os.onDetach(listener))
    same(ends(), 3 * once, 'calls of a listener that was added three times')
    // The second in the middle, then the first a second time, which removes nothing.
    for (const [i, left] of [
      [1, 2],
      [1, 2],
      [0, 1],
      [2, 0],
    ] as const) {
      removes[i]?.()
      same(ends(), left * once, `calls of a listener that is there ${left} times`)
    }
    return undefined
  })
}

/** A listener may do what any code does: end itself, add another, and take memory. */
function listenersAct(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, unit } = stage
    const { onDetach } = os
    if (onDetach === undefined) return absent('onDetach')
    let told = 0
    let isTaken = false
    let inner: number | null = null
    const listen = (): void => {
      told += 1
      claim(told < 100, 'a listener that ended itself and was added anew was called again and again by one end')
      remove()
      remove = onDetach.call(os, listen)
      if (isTaken) return
      isTaken = true
      inner = os.sysReserveOS(null, unit)
    }
    let remove = onDetach.call(os, listen)
    // More than there is, so that the memory grows.
    const n = 64 * unit
    const outer = os.sysReserveOS(null, n)
    remove()
    claim(outer !== null, 'a reservation was refused')
    if (told === 0) return notRun('no reservation ends a view here')
    claim(
      inner === null || inner + unit <= outer || inner >= outer + n,
      'a listener got memory of the reservation that grew',
    )
    claim(told <= 2, `a listener was called ${told} times, and its views ended twice`)
    os.sysFreeOS(outer, n)
    if (inner !== null) os.sysFreeOS(inner, unit)
    return undefined
  })
}

/** A module's own allocator grows the same memory. That detaches every buffer, as the backend's own growth does. */
function grownByOthers(world: World): Verdict | undefined {
  return besideOthers(world, ({ memory, os, unit }, grow) => {
    if (os.onDetach === undefined) return absent('onDetach')
    const free = memory.sysAlloc(4 * unit, null)
    const kept = memory.sysAlloc(unit, null)
    memory.sysFree(free, 4 * unit, null)
    let told = 0
    const remove = os.onDetach(() => (told += 1))
    grow(1)
    // There is free room, so this makes no growth of the backend's own.
    const v = memory.sysAlloc(unit, null)
    claim(told > 0, 'the listener was not called after other code had grown the memory')
    remove()
    memory.sysFree(v, unit, null)
    memory.sysFree(kept, unit, null)
    return undefined
  })
}

export const listenerCases: readonly Definition[] = [
  {
    id: 'contents/on-detach',
    title: 'onDetach: calls each listener when the views of a range end, until it is removed',
    show: (world) =>
      world.play((stage) => {
        const { os } = stage
        if (os.onDetach === undefined) return absent('onDetach')
        let told = 0
        const remove = os.onDetach(() => (told += 1))
        const v = ready(stage, 4, 7)
        const end = (): number => {
          const before = told
          endView(stage, v)
          return told - before
        }
        for (let times = 0; times < 3; times++) claim(end() > 0, `the listener was not called at end ${times + 1}`)
        let toldOther = 0
        const removeOther = os.onDetach(() => (toldOther += 1))
        claim(end() > 0 && toldOther > 0, 'one of two listeners was not called')
        remove()
        toldOther = 0
        same(end(), 0, 'calls of a listener that was removed')
        claim(toldOther > 0, 'a listener was not called after another was removed')
        removeOther()
        return undefined
      }),
  },
  {
    id: 'contents/one-listener-twice',
    title: 'onDetach: calls a listener once for each time that it was added, until that one is removed',
    show: listenedTwice,
  },
  {
    id: 'contents/listeners-act',
    title: 'onDetach: a listener may end itself, add itself anew and take memory, and is called once for each end',
    show: listenersAct,
  },
  {
    id: 'contents/grown-by-others',
    title: 'onDetach: calls each listener when other code has grown the memory',
    show: grownByOthers,
  },
]
