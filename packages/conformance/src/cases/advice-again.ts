// Advice over the same huge page again and again: what came last counts, whatever was advised before. A backend that
// remembers what it has advised must forget it when the opposite comes, and when the memory is given up.
import type { Address } from '@memlayer/kernel'
import { claim, rangeText } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { blocksOf, served } from './huge-advice.js'
import { keepsReady } from './transitions.js'

/** How the block in the middle is served when a step was the last one. `'cut'`: a part of it must stay away. */
type Effect = 'huge' | 'none' | 'cut'

interface Step {
  readonly name: string
  readonly effect: Effect
  /** Does the step on three blocks of memory that nothing has touched. False: it can't be done here. */
  run(stage: Stage, v: Address): boolean
}

const BLOCKS = 3

/** The part of the block in the middle that steps give back. */
function partOf({ os, pageSize }: Stage, v: Address): readonly [v: Address, n: number] {
  return [v + os.traits.hugePageSize + 2 * pageSize, 3 * pageSize]
}

/** The block in the middle. */
function blockOf({ os }: Stage, v: Address): readonly [v: Address, n: number] {
  return [v + os.traits.hugePageSize, os.traits.hugePageSize]
}

function allOf({ os }: Stage, v: Address): readonly [v: Address, n: number] {
  return [v, BLOCKS * os.traits.hugePageSize]
}

/** A step that every backend with its function does. */
function step(name: string, effect: Effect, run: (stage: Stage, v: Address) => void): Step {
  return { name, effect, run: (stage, v) => (run(stage, v), true) }
}

const cuts: readonly Step[] = [
  step('sysUnused of a part', 'cut', (stage, v) => {
    stage.memory.sysUnused(...partOf(stage, v))
    stage.memory.sysUsed(...partOf(stage, v))
  }),
  {
    name: 'sysUnusedAllOS of a part',
    effect: 'cut',
    run: (stage, v) => stage.os.sysUnusedAllOS?.([...partOf(stage, v)]) === true,
  },
  {
    name: 'sysZeroOS of a part',
    effect: 'cut',
    run: (stage, v) => stage.os.sysZeroOS?.(...partOf(stage, v)) === true,
  },
  step('sysNoHugePageOS of the block', 'none', (stage, v) => stage.os.sysNoHugePageOS?.(...blockOf(stage, v))),
  step('sysNoHugePageOS of a part', 'none', (stage, v) => stage.os.sysNoHugePageOS?.(...partOf(stage, v))),
]

const renewals: readonly Step[] = [
  step('sysHugePage of all blocks', 'huge', (stage, v) => stage.memory.sysHugePage(...allOf(stage, v))),
  step('sysHugePage of the block', 'huge', (stage, v) => stage.memory.sysHugePage(...blockOf(stage, v))),
  step('sysUsed of all blocks', 'huge', (stage, v) => stage.memory.sysUsed(...allOf(stage, v))),
  step('sysFault, sysMap, sysUsed and sysHugePage', 'huge', (stage, v) => {
    stage.memory.sysFault(...allOf(stage, v))
    mapAll(stage, v)
  }),
  {
    name: 'sysFree, sysReserve there, sysMap, sysUsed and sysHugePage',
    effect: 'huge',
    run(stage, v) {
      if (!stage.os.traits.hints) return false
      const [, n] = allOf(stage, v)
      stage.memory.sysFree(v, n, null)
      // The caller frees what is at `v`.
      if (stage.memory.sysReserve(v, n) !== v) return false
      mapAll(stage, v)
      return true
    },
  },
]

/** Makes all blocks Ready from Reserved, and asks for huge pages. */
function mapAll(stage: Stage, v: Address): void {
  stage.memory.sysMap(...allOf(stage, v), null)
  stage.memory.sysUsed(...allOf(stage, v))
  stage.memory.sysHugePage(...allOf(stage, v))
}

/** Fails unless the block in the middle is served as the last step says. */
function claimEffect(stage: Stage, v: Address, effect: Effect, after: string): void {
  const { os, witness } = stage
  const huge = os.traits.hugePageSize
  const block = v + huge
  const isServed = served(stage, v, [1]) === '1'
  const blockText = `the block ${rangeText(block, huge)}`
  if (effect === 'huge') return claim(isServed, `no huge page serves ${blockText} after ${after}`)
  if (effect === 'none') claim(!isServed, `a huge page serves ${blockText} after ${after}`)
  witness.collapse?.(block, huge)
  if (effect === 'none')
    return claim(witness.hugePages?.(block, huge) === 0, `khugepaged makes ${blockText} a huge page after ${after}`)
  const [w, n] = partOf(stage, v)
  const back = witness.resident?.(w, n) ?? 0
  claim(back === 0, `${back} bytes of ${rangeText(w, n)} are resident after ${after}, a touch beside it and khugepaged`)
}

/** Plays steps one after the other on new memory, and looks at the block at the end. False: one can't be done. */
function playSteps(stage: Stage, steps: readonly Step[]): boolean {
  const v = blocksOf(stage, BLOCKS)
  stage.memory.sysHugePage(...allOf(stage, v))
  const last = steps.at(-1)
  if (last === undefined || !steps.every((each) => each.run(stage, v))) return false
  claimEffect(stage, v, last.effect, steps.map(({ name }) => name).join(', then '))
  stage.memory.sysFree(...allOf(stage, v), null)
  return true
}

/** Orders of two opposite steps and of a third: each of them once, again after the other, and a third time. */
function ordersOf(cut: Step, renewal: Step, usable: readonly Step[]): Step[][] {
  const others = usable.filter((other) => other !== cut && other.effect !== 'huge')
  return [
    [cut],
    [cut, cut],
    [cut, renewal],
    [cut, renewal, cut],
    [cut, renewal, cut, renewal],
    [cut, renewal, cut, renewal, cut],
    ...others.map((other) => [cut, renewal, other]),
  ]
}

function again(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, witness } = stage
    if (os.traits.hugePageSize === 0) return absent('hugePageSize')
    if (witness.hugePages === undefined || witness.collapse === undefined || witness.resident === undefined)
      return notRun('needs a witness that makes huge pages as khugepaged does, and tells of them')
    const v = blocksOf(stage, BLOCKS)
    stage.memory.sysHugePage(...allOf(stage, v))
    if (served(stage, v, [1]) === '0') return notRun('this kernel gave no huge page')
    const usable = [...cuts, ...renewals].filter((each) => isUsable(world, stage, each))
    for (const cut of usable) {
      if (cut.effect === 'huge') continue
      for (const renewal of usable) {
        if (renewal.effect !== 'huge') continue
        for (const steps of ordersOf(cut, renewal, usable)) void playSteps(stage, steps)
      }
    }
    return undefined
  })
}

/** Whether the backend has a step, and promises it. */
function isUsable(world: World, stage: Stage, one: Step): boolean {
  // Where sysUsed maps the range again, nothing was advised of the new pages.
  if (one.name.startsWith('sysUsed')) return keepsReady(world)
  if (one.name.startsWith('sysNoHugePageOS')) return stage.os.sysNoHugePageOS !== undefined
  return playSteps(stage, [one])
}

export const adviceAgainCases: readonly Definition[] = [
  {
    id: 'advice/again',
    title: 'advice and its opposite in turn, two and three times: huge pages follow the last, and cuts stay away again',
    show: again,
  },
]
