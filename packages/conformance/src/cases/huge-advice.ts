// What sysHugePage, sysNoHugePage and sysUsed ask for, as the kernel serves it: a touch of a block gets a huge page, or
// it does not. It is told by the witness, not by the calls.
import { formatAddress } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'
import { withBytes } from '../bytes.js'
import { claim, rangeText, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { beyond32Bits, lowHints } from './place.js'
import { keepsReady } from './transitions.js'
import { withRefusals } from './with-refusals.js'

/** How often advice is repeated. */
const TIMES = 2100

/** Makes `blocks` huge pages of memory Ready, aligned. Nothing of it is touched. */
export function blocksOf({ memory, os }: Stage, blocks: number): Address {
  const huge = os.traits.hugePageSize
  const { address, size } = memory.sysReserveAligned(null, blocks * huge, huge)
  memory.sysMap(address, size, null)
  memory.sysUsed(address, size)
  return address
}

/** Touches a page in the middle of each block, and returns `1` for a block with a huge page, `0` for another. */
export function served({ os, witness, pageSize }: Stage, v: Address, blocks: readonly number[]): string {
  const huge = os.traits.hugePageSize
  const found = blocks.map((block) => {
    const at = v + block * huge
    withBytes(os, at + huge / 2, pageSize, (bytes) => (bytes[0] = 1))
    // Where only a view has touched a page, a simulated kernel learns of it from a fault.
    void witness.faults?.(at + huge / 2, 'write')
    return (witness.hugePages?.(at, huge) ?? 0) > 0 ? '1' : '0'
  })
  return found.join('')
}

/** Plays where huge pages exist and the witness tells of them. */
function withHugePages(world: World, scene: (stage: Stage, huge: number) => Verdict | undefined): Verdict | undefined {
  return world.play((stage) => {
    const huge = stage.os.traits.hugePageSize
    if (huge === 0) return absent('hugePageSize')
    if (stage.witness.hugePages === undefined) return notRun('needs a witness that tells what huge pages back')
    const v = blocksOf(stage, 1)
    stage.memory.sysHugePage(v, huge)
    if (served(stage, v, [0]) === '0') return claimNoAdvice(stage, v, huge)
    return scene(stage, huge)
  })
}

/** The kernel gave no huge page. It may have none to give, but it has to be asked. */
function claimNoAdvice(stage: Stage, v: Address, huge: number): Verdict {
  stage.takeCalls()
  stage.memory.sysHugePage(v, huge)
  const calls = stage.takeCalls()
  claim(
    calls === null || calls.length > 0,
    `sysHugePage of ${rangeText(v, huge)}, a whole huge page, made no kernel call`,
  )
  return notRun('this kernel gave no huge page')
}

function claimServed(stage: Stage, v: Address, blocks: readonly number[], expected: string, after: string): void {
  same(
    served(stage, v, blocks),
    expected,
    `blocks ${blocks.join()} from ${formatAddress(v)} with huge pages after ${after}`,
  )
}

const six = [0, 1, 2, 3, 4, 5]

/** Without sysNoHugePageOS, sysUsed may have asked for huge pages everywhere. Then more blocks may be served. */
function claimWhole(stage: Stage, v: Address, expected: string, after: string): void {
  const found = served(stage, v, six)
  const isExact = stage.os.sysNoHugePageOS !== undefined
  const holds = expected.split('').every((bit, i) => (bit === '1' ? found[i] === '1' : !isExact || found[i] === '0'))
  claim(holds, `huge pages serve blocks ${found} from ${formatAddress(v)} after ${after}, expected ${expected}`)
}

function wholeBlocks(world: World): Verdict | undefined {
  return withHugePages(world, (stage, huge) => {
    const { memory, os, pageSize } = stage
    const ranges: [from: number, n: number, expected: string][] = [
      [huge, 4 * huge, '011110'],
      [pageSize, 4 * huge, '011100'],
      [huge, 4 * huge - pageSize, '011100'],
      [huge - pageSize, 4 * huge + pageSize, '011110'],
      [0, 6 * huge, '111111'],
      [2 * huge, huge, '001000'],
    ]
    for (const [from, n, expected] of ranges) {
      const v = blocksOf(stage, 6)
      os.sysNoHugePageOS?.(v, 6 * huge)
      memory.sysHugePage(v + from, n)
      claimWhole(stage, v, expected, `sysHugePage of ${n} bytes from offset ${from}`)
    }
    return undefined
  })
}

function noHugePages(world: World): Verdict | undefined {
  return withHugePages(world, (stage, huge) => {
    const { memory, os, pageSize } = stage
    if (os.sysNoHugePageOS === undefined) return absent('sysNoHugePageOS')
    const ranges: [from: number, n: number, expected: string][] = [
      [huge, 4 * huge, '100001'],
      [0, 6 * huge, '000000'],
      [2 * huge, huge, '110111'],
      // A block that only a page of the range lies in is cut, and no huge page can serve it.
      [2 * huge, huge + pageSize, '110011'],
      [2 * huge - pageSize, huge + pageSize, '100111'],
      [2 * huge + pageSize, pageSize, '110111'],
      [2 * huge - pageSize, 2 * pageSize, '100111'],
    ]
    for (const [from, n, expected] of ranges) {
      const v = blocksOf(stage, 6)
      memory.sysHugePage(v, 6 * huge)
      os.sysNoHugePageOS(v + from, n)
      claimServed(stage, v, six, expected, `sysNoHugePageOS of ${n} bytes from offset ${from}`)
    }
    return undefined
  })
}

function servedAgain(world: World): Verdict | undefined {
  if (!keepsReady(world)) return absent('usedKeepsReady')
  return withHugePages(world, (stage, huge) => {
    for (const [from, n, expected] of [
      [0, 6 * huge, '111111'],
      [0, 5 * huge, '111110'],
      [huge, 5 * huge, '011111'],
      [5 * huge, huge, '000001'],
      [0, 6 * huge - stage.pageSize, '111110'],
      [stage.pageSize, 6 * huge - stage.pageSize, '011111'],
    ] as const) {
      const v = blocksOf(stage, 6)
      stage.memory.sysUnused(v, 6 * huge)
      stage.os.sysNoHugePageOS?.(v, 6 * huge)
      stage.memory.sysUsed(v + from, n)
      claimWhole(stage, v, expected, `sysUsed of ${n} bytes from offset ${from}`)
      stage.memory.sysUsed(v, 6 * huge)
    }
    return undefined
  })
}

/** What is repeated, and whether huge pages serve the blocks after it. */
const steps = {
  sysUsed: '11',
  sysHugePage: '11',
  sysNoHugePageOS: '00',
} as const

/** Makes `v` fresh, takes the advice of it away, and then does `op` over it. */
function advise({ memory, os }: Stage, op: keyof typeof steps, v: Address, n: number): void {
  memory.sysFault(v, n)
  memory.sysMap(v, n, null)
  if (op !== 'sysUsed') memory.sysUsed(v, n)
  if (op !== 'sysNoHugePageOS') os.sysNoHugePageOS?.(v, n)
  if (op === 'sysUsed') memory.sysUsed(v, n)
  else if (op === 'sysHugePage') memory.sysHugePage(v, n)
  else os.sysNoHugePageOS?.(v, n)
}

/** The steps that the subject promises. Where sysUsed maps the range again, nothing was advised of the new pages. */
function stepsOf(world: World): (keyof typeof steps)[] {
  return keepsReady(world) ? ['sysUsed', 'sysHugePage', 'sysNoHugePageOS'] : ['sysHugePage', 'sysNoHugePageOS']
}

function often(world: World): Verdict | undefined {
  return withHugePages(world, (stage, huge) => {
    if (stage.os.sysNoHugePageOS === undefined) return absent('sysNoHugePageOS')
    const v = blocksOf(stage, 2)
    for (const op of stepsOf(world)) {
      for (let i = 0; i < TIMES; i++) {
        advise(stage, op, v, 2 * huge)
        if (i < 16 || i >= TIMES - 16) claimServed(stage, v, [0, 1], steps[op], `${op} number ${i + 1}`)
      }
    }
    return undefined
  })
}

/** Each advice once on a range of `blocks` huge pages, whose first and last block tell. */
function claimAdvice(world: World, stage: Stage, v: Address, blocks: number): void {
  if (stage.os.sysNoHugePageOS === undefined) return
  for (const op of stepsOf(world)) {
    advise(stage, op, v, blocks * stage.os.traits.hugePageSize)
    claimServed(stage, v, [0, blocks - 1], steps[op], op)
  }
}

function beyond(world: World): Verdict | undefined {
  return withHugePages(world, (stage, huge) => {
    const blocks = Math.ceil(beyond32Bits(stage.pageSize) / huge) + 1
    let v = NaN
    const error = thrownBy(() => (v = blocksOf(stage, blocks)))
    if (error !== null) return notRun('the kernel has no 4 GiB to spare')
    claimAdvice(world, stage, v, blocks)
    return undefined
  })
}

function lowAddresses(world: World): Verdict | undefined {
  return withHugePages(world, (stage, huge) => {
    for (const hint of lowHints) {
      const n = 3 * huge
      if (hint % huge !== 0 || !stage.os.traits.hints || stage.memory.sysReserve(hint, n) !== hint) continue
      stage.memory.sysMap(hint, n, null)
      stage.memory.sysUsed(hint, n)
      claimAdvice(world, stage, hint, 3)
      return undefined
    }
    return notRun('this kernel gives no addresses below 4 GiB')
  })
}

function afterRefusals(world: World): Verdict | undefined {
  return withRefusals(world, (stage, refuse) => {
    const { memory, os, witness } = stage
    const huge = os.traits.hugePageSize
    if (huge === 0) return absent('hugePageSize')
    if (witness.hugePages === undefined) return notRun('needs a witness that tells what huge pages back')
    const v = blocksOf(stage, 3)
    for (let times = 0; times < 3; times++) {
      for (const run of [() => memory.sysHugePage(v, huge), () => os.sysNoHugePageOS?.(v, huge)]) {
        same(
          thrownBy(() => refuse(run)),
          null,
          'an error of advice that the kernel refused',
        )
        same(os.refusal ?? null, null, 'the refusal that is kept of advice that the kernel refused')
      }
      thrownBy(() => refuse(() => memory.sysReserve(null, huge)))
    }
    memory.sysHugePage(v, huge)
    if (served(stage, v, [0]) === '1') claimAdvice(world, stage, v, 3)
    return undefined
  })
}

function together(world: World): Verdict | undefined {
  return withHugePages(world, (one) =>
    withHugePages(world, (two) => {
      for (const stage of [two, one, two]) claimAdvice(world, stage, blocksOf(stage, 3), 3)
      return undefined
    }),
  )
}

export const hugeAdviceCases: readonly Definition[] = [
  {
    id: 'advice/huge',
    title: 'sysHugePage: huge pages serve the whole blocks within the range, and no other block',
    show: wholeBlocks,
  },
  {
    id: 'advice/no-huge',
    title: 'sysNoHugePageOS: huge pages serve no block with a page of the range, and serve the others',
    show: noHugePages,
  },
  {
    id: 'advice/used',
    title: 'sysUsed: huge pages serve the whole blocks of the range again',
    show: servedAgain,
  },
  { id: 'advice/often', title: `advice on huge pages works ${TIMES} times as it did the first time`, show: often },
  { id: 'advice/beyond-32-bits', title: 'advice on huge pages reaches more than 4 GiB from end to end', show: beyond },
  { id: 'advice/low-addresses', title: 'advice on huge pages reaches a range below 4 GiB', show: lowAddresses },
  {
    id: 'advice/after-refusals',
    title: 'advice on huge pages: a refusal is no error, and later advice works as before',
    show: afterRefusals,
  },
  {
    id: 'advice/two-backends',
    title: 'advice on huge pages reaches its own kernel while a second backend lives',
    show: together,
  },
]
