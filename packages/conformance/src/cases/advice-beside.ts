// How far advice reaches: no page beside its range is advised, gets memory or loses it. Neighbors are pages of the same
// huge page, other huge pages, Reserved pages and another reservation.
import type { Address } from '@memlayer/kernel'
import { claim, rangeText, same } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { blocksOf, served } from './huge-advice.js'

/** The blocks of the reservation. What lies after the middle of the fifth is Reserved. */
const BLOCKS = 6

/** What a function may advise: its range, or the huge pages that it cuts as well. */
type Reach = 'range' | 'cut blocks'

interface Advice {
  readonly reach: Reach
  run(stage: Stage, v: Address, n: number): unknown
}

/** By their names. The memory has those without OS on every backend. */
const advices: Readonly<Record<string, Advice>> = {
  sysHugePage: { reach: 'range', run: ({ memory }, v, n) => memory.sysHugePage(v, n) },
  sysNoHugePageOS: {
    reach: 'range',
    run: ({ os }, v, n) => os.sysNoHugePageOS?.(v, n),
  },
  sysUsed: { reach: 'range', run: ({ memory }, v, n) => memory.sysUsed(v, n) },
  sysPopulateOS: {
    reach: 'range',
    run: ({ os }, v, n) => os.sysPopulateOS?.(v, n),
  },
  sysRenewOS: {
    reach: 'range',
    run: ({ os }, v, n) => os.sysRenewOS?.(v, n),
  },
  sysFault: { reach: 'cut blocks', run: ({ memory }, v, n) => memory.sysFault(v, n) },
  sysUnused: { reach: 'cut blocks', run: ({ memory }, v, n) => memory.sysUnused(v, n) },
  sysUnusedAllOS: {
    reach: 'cut blocks',
    run: ({ os }, v, n) => os.sysUnusedAllOS?.([v, n]),
  },
  sysZeroOS: {
    reach: 'cut blocks',
    run: ({ os }, v, n) => os.sysZeroOS?.(v, n),
  },
  sysRetireOS: {
    reach: 'cut blocks',
    run: ({ os }, v, n) => os.sysRetireOS?.(v, n, true),
  },
}

/** Ranges by offsets: within a block, at its ends, over a seam, whole blocks, and up to what is Reserved. */
function rangesOf(huge: number, page: number): (readonly [from: number, n: number])[] {
  return [
    [huge + 16 * page, page],
    [huge, page],
    [2 * huge - page, page],
    [2 * huge - page, 2 * page],
    [huge, huge],
    [huge, huge + page],
    [2 * huge - page, huge + page],
    [huge + huge / 2, huge],
    [huge + page, 3 * huge - 2 * page],
    [4 * huge, huge / 2],
    [4 * huge + huge / 2 - page, page],
  ]
}

/** Pages of all blocks: their ends, their middle, and those beside the ends of a range. */
function pagesAround(huge: number, page: number, from: number, n: number): number[] {
  const ends = [from - page, from, from + n - page, from + n]
  const inBlocks = Array.from({ length: BLOCKS }, (_, i) =>
    [0, huge / 2 - page, huge / 2, huge - page].map((at) => i * huge + at),
  )
  return [...new Set([...inBlocks.flat(), ...ends])].filter((at) => at >= 0 && at < BLOCKS * huge).sort((a, b) => a - b)
}

/** What a function may reach, by offsets. Where a range ends within a block, some reach all of that block. */
function reachOf(reach: Reach, huge: number, from: number, n: number): readonly [from: number, to: number] {
  if (reach === 'range') return [from, from + n]
  return [Math.floor(from / huge) * huge, Math.ceil((from + n) / huge) * huge]
}

/** What the kernel says of the memory of blocks that a range does not meet. */
function memoryOf({ witness }: Stage, v: Address, huge: number, blocks: readonly number[]): string {
  const facts = blocks.map((block) => [
    block,
    witness.resident?.(v + block * huge, huge) ?? null,
    witness.hugePages?.(v + block * huge, huge) ?? null,
  ])
  return JSON.stringify(facts)
}

/** Makes blocks Ready up to the middle of the fifth, advised as said. The first and the fourth have memory. */
function layOut(stage: Stage, isAdvised: boolean): Address {
  const { memory, os } = stage
  const huge = os.traits.hugePageSize
  const v = blocksOf(stage, BLOCKS)
  const used = (BLOCKS - 2) * huge + huge / 2
  memory.sysFault(v + used, BLOCKS * huge - used)
  if (isAdvised) memory.sysHugePage(v, used)
  else os.sysNoHugePageOS?.(v, used)
  served(stage, v, [0, 3])
  return v
}

function playAdvice(
  stage: Stage,
  name: string,
  { reach, run }: Advice,
  [from, n]: readonly [number, number],
  isAdvised: boolean,
): void {
  const { os, pageSize, witness, memory } = stage
  const huge = os.traits.hugePageSize
  const v = layOut(stage, isAdvised)
  const [low, high] = reachOf(reach, huge, from, n)
  const outside = pagesAround(huge, pageSize, from, n).filter((at) => at < low || at >= high)
  const free = Array.from({ length: BLOCKS }, (_, i) => i).filter((i) => (i + 1) * huge <= from || i * huge >= from + n)
  const advisedAt = (): string[] => outside.map((at) => witness.advised?.(v + at) ?? '')
  const [before, memoryBefore] = [advisedAt(), memoryOf(stage, v, huge, free)]
  run(stage, v + from, n)
  os.refusal = null
  const after = `${name} of ${rangeText(v + from, n)}, offset ${from} to ${from + n} of huge pages of ${huge} bytes`
  for (const [i, found] of advisedAt().entries())
    claim(
      found === before[i],
      `after ${after}, the page at offset ${outside[i]} beside it is advised '${found}', before it was '${before[i]}'`,
    )
  same(memoryOf(stage, v, huge, free), memoryBefore, `memory and huge pages of other blocks after ${after}`)
  // Blocks before it that nothing has touched are served as they were advised.
  const untouched = [1, 2].filter((block) => free.includes(block))
  const expected = untouched.map(() => (isAdvised ? '1' : '0')).join('')
  if (isAdvised || os.sysNoHugePageOS !== undefined)
    same(served(stage, v, untouched), expected, `blocks ${untouched.join()} with huge pages after ${after}`)
  memory.sysFree(v, BLOCKS * huge, null)
}

function beside(world: World): Verdict | undefined {
  return world.play((stage) => {
    const huge = stage.os.traits.hugePageSize
    if (huge === 0) return absent('hugePageSize')
    const { witness, memory } = stage
    if (witness.hugePages === undefined) return notRun('needs a witness that tells what huge pages back')
    const v = blocksOf(stage, 1)
    memory.sysHugePage(v, huge)
    if (served(stage, v, [0]) === '0') return notRun('this kernel gave no huge page')
    for (const [name, advice] of Object.entries(advices)) {
      if (name.endsWith('OS') && Reflect.get(stage.os, name) === undefined) continue
      for (const range of rangesOf(huge, stage.pageSize))
        for (const isAdvised of [true, false]) playAdvice(stage, name, advice, range, isAdvised)
    }
    return undefined
  })
}

export const adviceBesideCases: readonly Definition[] = [
  {
    id: 'advice/beside',
    title: 'no function advises a page beside its range, gives it memory or takes it, in the same huge page or another',
    show: beside,
  },
]
