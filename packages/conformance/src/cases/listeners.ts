// onDetach: who is told that views have ended, how often, and what a listener may do meanwhile.
import type { Address } from '@memlayer/kernel'
import { claim, same } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { changeCalls } from '../intercept.js'
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

/** A port that keeps its buffer until it is told to make a new one, as the ports of modules do. */
function keepsBuffer(kernel: object): object {
  let kept: unknown = null
  return changeCalls(kernel, (fn, call) => {
    if (fn === 'view') return (...args) => (kept ??= call(...args))
    if (fn !== 'resetMemoryDataView') return null
    return () => {
      kept = null
      return call()
    }
  })
}

function portKeepsBuffer(world: World): Verdict | undefined {
  const isModule = besideOthers(world, ({ os }) =>
    os.traits.reservedTraps ? absent('a buffer for all ranges') : undefined,
  )
  if (isModule !== undefined) return isModule
  return world.play(
    (stage) => {
      const { memory, unit } = stage
      const v = ready(stage, 4, 7)
      const steps: Readonly<Record<string, () => void>> = {
        'views were ended': () => endView(stage, v),
        'the memory grew': () => memory.sysFree(memory.sysAlloc(64 * unit, null), 64 * unit, null),
        'a range was freed': () => memory.sysFree(memory.sysAlloc(unit, null), unit, null),
      }
      for (const [step, run] of Object.entries(steps)) {
        run()
        const bytes = memory.view(Uint8Array, v + unit, unit)
        same(bytes.length, unit, `the length of a view over a port that keeps its buffer, after ${step}`)
        same(bytes[0], 7, `the first byte of a view over a port that keeps its buffer, after ${step}`)
      }
      return undefined
    },
    { wrap: keepsBuffer },
  )
}

/** Another thread grows a shared memory first. Then the backend's own growth is refused, or the one after it. */
function grownAndRefused(world: World): Verdict | undefined {
  for (const granted of [0, 1]) {
    let on = false
    let count = 0
    const wrap = (kernel: object): object =>
      changeCalls(kernel, (fn, call) => {
        if (fn !== 'growMemory') return null
        return (pages) => {
          if (!on || pages === 0) return call(pages)
          if ((count += 1) === 1) void call(1)
          return count > granted ? -1 : call(pages)
        }
      })
    const verdict = world.play(
      (stage): Verdict | undefined => {
        const { os, unit } = stage
        if (os.onDetach === undefined) return absent('onDetach')
        const v = ready(stage, 4, 7)
        let told = 0
        const remove = os.onDetach(() => (told += 1))
        const buffer = os.view(v, unit)
        on = true
        const p = os.sysReserveOS(null, 64 * unit)
        on = false
        if (count === 0) return notRun('other code can grow only the memory of a module')
        // The next operation may be the first that can see what other code did.
        const q = os.sysReserveOS(null, unit)
        const when = `a reservation whose growth ${granted + 1} was refused, after other code had grown the memory`
        claim(buffer.byteLength > 0 || told > 0, `no listener was called after ${when}, and the buffer is detached`)
        os.refusal = null
        remove()
        if (p !== null) os.sysFreeOS(p, 64 * unit)
        if (q !== null) os.sysFreeOS(q, unit)
        return undefined
      },
      { wrap },
    )
    if (verdict !== undefined) return verdict
  }
  return undefined
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
  {
    id: 'contents/port-keeps-buffer',
    title: 'view: a port that keeps its buffer until it is told of a growth has a new one after each',
    show: portKeepsBuffer,
  },
  {
    id: 'contents/grown-and-refused',
    title: 'onDetach: calls each listener after a growth that detached every buffer, also where the next is refused',
    show: grownAndRefused,
  },
]
