// Memory that was given back stays away while khugepaged makes huge pages in the background. It fills the holes of a
// block that may have a huge page, so a block that a range cuts may have none.
import { claim, rangeText, same } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { blocksOf, served } from './huge-advice.js'
import { claimMarks, placeIn, markAll } from './place.js'

const blocks = [0, 1, 2, 3, 4, 5]

/** A range of six huge pages, by offsets. */
type Cut = readonly [from: number, to: number]

/** Ranges that begin and end at a huge page, beside one, or within one. */
function cutsOf(huge: number, page: number): Cut[] {
  return [
    [huge, 3 * huge],
    [huge, 2 * huge + page],
    [huge, 3 * huge - page],
    [huge + page, 3 * huge],
    [2 * huge - page, 3 * huge],
    [huge + page, 2 * huge + page],
    [huge + page, 4 * huge + page],
    [2 * huge - page, 2 * huge + page],
    [2 * huge - page, 5 * huge - page],
    [huge, huge + page],
    [2 * huge - page, 2 * huge],
    [huge + page, 2 * huge - page],
    [huge + huge / 2, huge + huge / 2 + page],
  ]
}

/**
 * Two ranges, of which each begins and ends at a huge page, beside one, or within one, in both orders. Neighbours cut a
 * huge page twice, and a range may reach into one that another range has cut, or at whose edge it ends.
 */
function pairsOf(huge: number, page: number): Cut[][] {
  const ends = [huge, huge + page, 2 * huge, 2 * huge + page, 3 * huge - page, 3 * huge]
  const pairs: Cut[][] = []
  for (const [i, from] of ends.entries())
    for (const [j, to] of ends.entries())
      for (const [k, start] of ends.entries())
        for (const end of ends.slice(k + 1))
          if (i < j && j <= k)
            pairs.push([
              [from, to],
              [start, end],
            ])
  return pairs.flatMap((pair) => [pair, pair.toReversed()])
}

/** How memory is given back. Null: the backend does not have it. False: its kernel can't. */
type GiveBack = (stage: Stage, ranges: readonly number[]) => boolean | null

function eachOf(ranges: readonly number[], run: (v: number, n: number) => boolean | null): boolean | null {
  for (let i = 0; i < ranges.length; i += 2) {
    const answer = run(ranges[i] ?? NaN, ranges[i + 1] ?? NaN)
    if (answer !== true) return answer
  }
  return true
}

const giveBack = {
  sysUnused: ({ memory }, ranges) =>
    eachOf(ranges, (v, n) => {
      memory.sysUnused(v, n)
      return true
    }),
  sysUnusedAllOS: ({ os }, ranges) => os.sysUnusedAllOS?.(ranges) ?? null,
  sysZeroOS: ({ os }, ranges) => eachOf(ranges, (v, n) => os.sysZeroOS?.(v, n) ?? null),
} as const satisfies Readonly<Record<string, GiveBack>>

type Giving = keyof typeof giveBack

/** Gives the cuts of six huge pages back, and fails if the kernel's work in the background brings them back. */
function claimStaysAway(stage: Stage, fn: Giving, cuts: readonly Cut[]): boolean | null {
  const { memory, os, pageSize, witness } = stage
  const huge = os.traits.hugePageSize
  const v = blocksOf(stage, blocks.length)
  memory.sysHugePage(v, blocks.length * huge)
  // Each block has a huge page, so khugepaged would find memory beside each cut.
  same(served(stage, v, blocks), '111111', 'the blocks that huge pages serve after sysHugePage')
  const edges = [...new Set(cuts.flat())]
  const beside = edges
    .flatMap((at) => [at - pageSize, at])
    .filter((at) => cuts.every(([from, to]) => at < from || at >= to))
  const place = { ...placeIn(v, blocks.length * huge, pageSize), probes: beside }
  markAll(stage, place, 9)
  const answer = giveBack[fn](
    stage,
    cuts.flatMap(([from, to]) => [v + from, to - from]),
  )
  if (answer !== true) return answer
  witness.takeForfeit?.()
  for (let times = 0; times < 2; times++) {
    for (const [from, to] of cuts) {
      const back = witness.resident?.(v + from, to - from) ?? 0
      const when = times === 0 ? 'at once' : 'once khugepaged has made huge pages'
      const range = `${rangeText(v + from, to - from)}, offset ${from} to ${to} of huge pages of ${huge} bytes`
      claim(back === 0, `after ${fn} of ${range}, ${back} bytes of it are resident ${when}, says the witness`)
    }
    witness.collapse?.(v, blocks.length * huge)
  }
  claimMarks(stage, place, [9], `${fn} of a part of huge pages`)
  memory.sysFree(v, blocks.length * huge, null)
  return true
}

/** Two ranges, of which the first lies in a huge page with a hole: its first page is freed. The second stays away. */
function claimBesideHole(stage: Stage, fn: Giving): void {
  const { memory, os, pageSize, witness } = stage
  const huge = os.traits.hugePageSize
  const v = blocksOf(stage, 4)
  memory.sysHugePage(v, 4 * huge)
  served(stage, v, [0, 1, 2, 3])
  memory.sysFree(v, pageSize, null)
  const [w, n] = [v + 2 * huge + pageSize, huge / 2]
  const isDone = giveBack[fn](stage, [v + 2 * pageSize, pageSize, w, n])
  witness.takeForfeit?.()
  witness.collapse?.(v + huge, 3 * huge)
  const back = witness.resident?.(w, n) ?? 0
  const words = `after ${fn} of it and of a range beside a page that was freed`
  claim(isDone !== true || back === 0, `${words}, ${back} bytes of ${rangeText(w, n)} are resident, says the witness`)
  memory.sysFree(v + pageSize, 4 * huge - pageSize, null)
}

function staysAway(world: World, fn: Giving): Verdict | undefined {
  return world.play((stage) => {
    const { os, pageSize, witness } = stage
    const huge = os.traits.hugePageSize
    if (huge === 0) return absent('hugePageSize')
    if (fn !== 'sysUnused' && os[fn] === undefined) return absent(fn)
    if (witness.collapse === undefined) return notRun('needs a witness that makes huge pages as khugepaged does')
    const single = cutsOf(huge, pageSize).map((cut) => [cut])
    const several: Cut[][] = [
      ...pairsOf(huge, pageSize),
      [
        [huge + pageSize, huge + 2 * pageSize],
        [huge + 4 * pageSize, 4 * huge - pageSize],
        [4 * huge, 4 * huge + pageSize],
      ],
    ]
    for (const cuts of [...single, ...several]) {
      if (claimStaysAway(stage, fn, cuts) !== true) return notRun(`${fn} says that this kernel can't`)
    }
    if (os.traits.freesParts) claimBesideHole(stage, fn)
    return undefined
  })
}

export const collapseCases: readonly Definition[] = [
  {
    id: 'huge-pages/stays-away',
    title: 'sysUnused: what was given back stays away while the kernel makes huge pages in the background',
    show: (world) => staysAway(world, 'sysUnused'),
  },
  {
    id: 'batch/stays-away',
    title: 'sysUnusedAllOS: what was given back stays away while the kernel makes huge pages in the background',
    show: (world) => staysAway(world, 'sysUnusedAllOS'),
  },
  {
    id: 'zero/stays-away',
    title: 'sysZeroOS: what was cleared stays away while the kernel makes huge pages in the background',
    show: (world) => staysAway(world, 'sysZeroOS'),
  },
]
