// Other code that takes memory from the same kernel, as a module's own allocator grows the memory that a backend uses.
import { claim } from '../claim.js'
import { absent, notRun, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'

interface Growing {
  readonly growMemory?: (pages: number) => number
  readonly currentMemory?: () => number
}

/** Plays `scene`. Its `grow` takes pages as other code does, which the backend does not see. */
export function besideOthers(
  world: World,
  scene: (stage: Stage, grow: (pages: number) => void, pagesNow: () => number) => Verdict | undefined,
): Verdict | undefined {
  let below: Growing = {}
  const wrap = (kernel: object): object => (below = kernel)
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
