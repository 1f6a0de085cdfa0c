// Other code that takes memory from the same kernel, as a module's own allocator grows the memory that a backend uses.
import type { Address } from '@memlayer/kernel'
import { claimBytes, fill } from '../bytes.js'
import { claim, rangeText } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { changeCalls } from '../intercept.js'
import type { Stage } from '../stage.js'

interface Growing {
  readonly pageSize?: number
  readonly growMemory?: (pages: number) => number
  readonly currentMemory?: () => number
}

/**
 * Plays `scene`. Its `grow` takes pages as other code does, which the backend does not see. `onGrow` runs just before
 * the backend's own growths. `over` puts a port over the kernel.
 */
export function besideOthers(
  world: World,
  scene: (stage: Stage, grow: (pages: number) => void, pagesNow: () => number) => Verdict | undefined,
  onGrow: () => void = () => undefined,
  over: (kernel: Growing) => object = (kernel) => kernel,
): Verdict | undefined {
  let below: Growing = {}
  const wrap = (kernel: object): object => {
    below = kernel
    return changeCalls(over(kernel), (fn, call) =>
      fn !== 'growMemory'
        ? null
        : (...args) => {
            onGrow()
            return call(...args)
          },
    )
  }
  return world.play(
    (stage) => {
      const { growMemory, currentMemory } = below
      if (growMemory === undefined || currentMemory === undefined)
        return stage.os.onDetach === undefined
          ? absent('onDetach')
          : notRun('other code can grow only the memory of a module')
      const grow = (pages: number): void =>
        claim(growMemory.call(below, pages) >= 0, `the kernel does not grow by ${pages} pages`)
      return scene(stage, grow, () => currentMemory.call(below))
    },
    { wrap },
  )
}

/** Other code, such as another thread, grows the memory after the backend has looked and before it grows. */
function meanwhile(world: World): Verdict | undefined {
  let between: (() => void) | null = null
  return besideOthers(
    world,
    ({ memory, unit, pageSize }, grow, pagesNow) => {
      const others: [Address, number][] = []
      for (const pages of [1, 3, 64])
        for (let times = 1; times <= 3; times++) {
          between = () => {
            between = null
            others.push([pagesNow() * pageSize, pages * pageSize])
            grow(pages)
          }
          for (const units of [8, 1, 2]) {
            const [v, n] = [memory.sysReserve(null, units * unit), units * unit]
            for (const [w, m] of others)
              claim(
                v + n <= w || w + m <= v,
                `sysReserve gave ${rangeText(v, n)}, and ${rangeText(w, m)} is what other code grew meanwhile`,
              )
          }
        }
      return undefined
    },
    () => between?.(),
  )
}

/** Views after other code has grown the memory: the engine detaches the old buffer, and the new one has the bytes. */
function seenAfter(world: World): Verdict | undefined {
  return besideOthers(world, ({ memory, os, unit }, grow) => {
    const [v, n] = [memory.sysAlloc(2 * unit, null), 2 * unit]
    for (let times = 1; times <= 3; times++) {
      fill(os, v, n, times)
      grow(1)
      const what = `view of ${rangeText(v, n)} after other code grew the memory, time ${times}`
      claim(os.view(v, n).byteLength >= n, `${what}: expected ${n} bytes, found ${os.view(v, n).byteLength}`)
      claimBytes(os, v, n, times, what)
    }
    return undefined
  })
}

/** Other code grows the memory between the backend's making and its first use. */
function grownBefore(world: World): Verdict | undefined {
  let isTaken = false
  // A module's own memory may end where it has grown to, until the backend has its first pages.
  const live = (kernel: Growing): object =>
    new Proxy(kernel, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (name === 'end' && !isTaken && target.currentMemory !== undefined)
          return target.currentMemory() * (target.pageSize ?? NaN)
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    })
  return besideOthers(
    world,
    ({ memory, unit, pageSize }, grow, pagesNow) => {
      const others: [Address, number] = [pagesNow() * pageSize, 3 * pageSize]
      grow(3)
      for (const units of [1, 2, 8]) {
        const [v, n] = [memory.sysReserve(null, units * unit), units * unit]
        isTaken = true
        claim(
          v >= others[0] + others[1],
          `the first sysReserve gave ${rangeText(v, n)}, and ${rangeText(...others)} is what other code had grown`,
        )
      }
      return undefined
    },
    undefined,
    live,
  )
}

export const otherCodeCases: readonly Definition[] = [
  {
    id: 'contents/grown-meanwhile',
    title: 'sysReserve: pages that other code grows while the backend grows are not handed out',
    show: meanwhile,
  },
  {
    id: 'contents/grown-before',
    title: 'sysReserve: pages that other code has grown before the first reservation are not handed out',
    show: grownBefore,
  },
  {
    id: 'contents/seen-after',
    title: 'view: shows the bytes of a range also after other code has grown the memory',
    show: seenAfter,
  },
]
