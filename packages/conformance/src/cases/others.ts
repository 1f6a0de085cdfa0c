// Other code that takes memory from the same kernel, as a module's own allocator grows the memory that a backend uses.
import type { Address } from '@memlayer/kernel'
import { claim, rangeText } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { changeCalls } from '../intercept.js'
import type { Stage } from '../stage.js'

interface Growing {
  readonly growMemory?: (pages: number) => number
  readonly currentMemory?: () => number
}

/**
 * Plays `scene`. Its `grow` takes pages as other code does, which the backend does not see. `onGrow` runs just before
 * the backend's own growths.
 */
export function besideOthers(
  world: World,
  scene: (stage: Stage, grow: (pages: number) => void, pagesNow: () => number) => Verdict | undefined,
  onGrow: () => void = () => undefined,
): Verdict | undefined {
  let below: Growing = {}
  const wrap = (kernel: object): object => {
    below = kernel
    return changeCalls(kernel, (fn, call) =>
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

export const otherCodeCases: readonly Definition[] = [
  {
    id: 'contents/grown-meanwhile',
    title: 'sysReserve: pages that other code grows while the backend grows are not handed out',
    show: meanwhile,
  },
]
