// The kernel calls of a transition. Some have no effect that contents or a witness could show, as advice has. What a
// backend does for one page, it does for any range, whole, and for no byte beside it.
import { alignDown, alignUp, type Address, type KernelCall } from '@memlayer/kernel'
import { claim, outcomeOf, rangeText, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import type { Stage } from '../stage.js'
import { beyond32Bits, isSparse, lowHints, open, placeOf, thresholds, type Place } from './place.js'
import { whileRefused } from './with-refusals.js'

/** How often a transition is repeated. */
const TIMES = 2100
const MIB = 2 ** 20

type Op = 'sysUnused' | 'sysUsed' | 'sysFault' | 'sysMap' | 'sysHugePage'

/** The kernel calls of each transition over one range. */
type Round = ReadonlyMap<Op, readonly KernelCall[]>

/** The calls that a transition makes for exactly its range: the function, and the arguments after the length. */
type Kinds = ReadonlyMap<Op, ReadonlySet<string>>

function kindOf({ fn, args }: KernelCall): string {
  return [fn, ...args.slice(2)].join(' ')
}

/** Takes a Ready range through every transition and back to Ready. */
function round(stage: Stage, v: Address, n: number): Round {
  const { memory } = stage
  const calls = new Map<Op, readonly KernelCall[]>()
  const take = (op: Op, run: () => void): void => {
    stage.takeCalls()
    run()
    calls.set(op, stage.takeCalls() ?? [])
  }
  take('sysUnused', () => memory.sysUnused(v, n))
  take('sysUsed', () => memory.sysUsed(v, n))
  take('sysFault', () => memory.sysFault(v, n))
  take('sysMap', () => memory.sysMap(v, n, null))
  memory.sysUsed(v, n)
  return calls
}

/** What each transition does for exactly one page, or for exactly two. */
function kindsAt(stage: Stage, v: Address): Kinds {
  const { pageSize: page } = stage
  const kinds = new Map<Op, Set<string>>()
  for (const n of [page, 2 * page]) {
    for (const [op, calls] of round(stage, v, n)) {
      const exact = calls.filter(({ args }) => args[0] === v && args[1] === n)
      const own = kinds.get(op) ?? new Set<string>()
      for (const call of exact) kinds.set(op, own.add(kindOf(call)))
      // Calls about a few pages that are not those of the range. A call about a whole huge page is larger.
      const off = calls.find(
        (call) => exact.length === 0 && isNear(call, v, n, page) && (call.args[1] ?? NaN) <= n + page,
      )
      claim(
        off === undefined,
        `${op} of ${rangeText(v, n)} makes the kernel call '${off && [off.fn, ...off.args].join(' ')}'`,
      )
    }
  }
  return kinds
}

/** Whether a call is about the pages of [v, v+n), or about those beside it. */
function isNear({ args: [start = NaN, length = NaN] }: KernelCall, v: Address, n: number, page: number): boolean {
  return start < v + n + page && start + length > v - page
}

/**
 * Fails unless the calls of each kind cover [v, v+n), and no byte of the pages beside it. Calls elsewhere are not
 * looked at: a backend may try there whether the kernel has memory.
 */
function claimWhole(
  page: number,
  op: Op,
  kinds: ReadonlySet<string>,
  calls: readonly KernelCall[],
  v: Address,
  n: number,
): void {
  for (const kind of kinds) {
    let at = v
    const words = `${op} of ${rangeText(v, n)} (${n} bytes): the kernel call '${kind}', which one page gets,`
    for (const { args } of calls.filter((call) => kindOf(call) === kind && isNear(call, v, n, page))) {
      const [start = NaN, length = NaN] = args
      claim(start === at, `${words} goes to ${rangeText(start, length)}, expected at offset ${at - v}`)
      at += length
    }
    claim(at === v + n, `${words} ends at offset ${at - v}`)
  }
}

function claimRound(stage: Stage, kinds: Kinds, v: Address, n: number): void {
  const calls = round(stage, v, n)
  for (const [op, own] of kinds) claimWhole(stage.pageSize, op, own, calls.get(op) ?? [], v, n)
}

/** Runs `play` with a Ready range of `n` bytes, at `hint` if it is given. Does nothing where the kernel has none. */
function withReady(stage: Stage, n: number, hint: Address | null, play: (v: Address) => void): void {
  const place = placeIfThere(stage, n, hint)
  if (place === null) return
  if (hint === null || place.whole === hint) {
    open(stage, place)
    play(place.v)
  }
  stage.memory.sysFree(place.whole, place.size, null)
}

/** A place; null: the kernel refuses one. */
function placeIfThere(stage: Stage, n: number, hint: Address | null): Place | null {
  try {
    return placeOf(stage, n, hint)
  } catch (error) {
    if (outcomeOf(error) === 'OutOfMemoryError') return null
    throw error
  }
}

function anySize(world: World): Verdict | undefined {
  return world.play((stage) => {
    if (stage.takeCalls() === null) return notRun(NO_KERNEL)
    const { pageSize } = stage
    const first = placeOf(stage, 2 * pageSize)
    open(stage, first)
    const kinds = kindsAt(stage, first.v)
    if (kinds.size === 0) return absent('calls for exactly a page')
    const sizes = [...thresholds(stage), ...(isSparse(stage.os) ? [beyond32Bits(pageSize)] : [])]
    for (const n of sizes) withReady(stage, n, null, (v) => claimRound(stage, kinds, v, n))
    for (const hint of stage.os.traits.hints ? lowHints : [])
      withReady(stage, 16 * pageSize, hint, (v) => claimRound(stage, kinds, v, 16 * pageSize))
    return undefined
  })
}

function often(world: World): Verdict | undefined {
  return world.play((stage) => {
    if (stage.takeCalls() === null) return notRun(NO_KERNEL)
    const { v } = readyPage(stage)
    const kinds = kindsAt(stage, v)
    if (kinds.size === 0) return absent('calls for exactly a page')
    for (let i = 0; i < TIMES; i++) claimRound(stage, kinds, v, stage.pageSize)
    return undefined
  })
}

function readyPage(stage: Stage): { readonly v: Address } {
  const place = placeOf(stage, 2 * stage.pageSize)
  open(stage, place)
  return place
}

/** Refuses every call of a transition twice, as a kernel that is short of memory. Afterwards it makes calls again. */
function afterRefusals(world: World): Verdict | undefined {
  const [errno] = errnosOf(world.subject) ?? []
  if (errno === undefined) return notRun(NO_KERNEL)
  const { wrap, refuse } = whileRefused(errno)
  return world.play(
    (stage) => {
      const { memory, pageSize } = stage
      const { v } = readyPage(stage)
      const before = kindsAt(stage, v)
      const spoiled = readyPage(stage).v
      for (let times = 0; times < 2; times++) {
        for (const op of ['sysUnused', 'sysUsed', 'sysFault', 'sysHugePage'] as const) {
          refuse(() => thrownBy(() => memory[op](spoiled, pageSize)))
          thrownBy(() => memory.sysMap(spoiled, pageSize, null))
          thrownBy(() => memory.sysUsed(spoiled, pageSize))
        }
      }
      const after = kindsAt(stage, v)
      // It may be another call, for example advice that an older kernel knows.
      for (const op of before.keys()) claim(after.has(op), `${op} makes no kernel call for its page after two refusals`)
      return before.size === 0 ? absent('calls for exactly a page') : undefined
    },
    { wrap },
  )
}

/** Advice to whole huge pages: what one of them gets, all whole ones of a range get, and no other. */
function hugePages(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, pageSize } = stage
    const huge = os.traits.hugePageSize
    if (stage.takeCalls() === null) return notRun(NO_KERNEL)
    if (huge === 0) return absent('hugePageSize')
    const adviceOn = (v: Address, n: number): readonly KernelCall[] => {
      stage.takeCalls()
      memory.sysHugePage(v, n)
      return stage.takeCalls() ?? []
    }
    let kinds = new Set<string>()
    withReady(stage, 2 * huge, null, (v) => {
      const at = alignUp(v, huge)
      const exact = adviceOn(at, huge).filter(({ args }) => args[0] === at && args[1] === huge)
      kinds = new Set(exact.map(kindOf))
    })
    if (kinds.size === 0) return absent('advice to exactly a huge page')
    const claimOn = (v: Address, n: number): void => {
      const [start, end] = [alignUp(v, huge), alignDown(v + n, huge)]
      const calls = adviceOn(v, n)
      if (start < end) claimWhole(huge, 'sysHugePage', kinds, calls, start, end - start)
      else
        claim(!calls.some((call) => kinds.has(kindOf(call))), `sysHugePage of ${n} bytes without a huge page advises`)
    }
    const sizes = [huge - pageSize, huge, huge + pageSize, 2 * huge - pageSize, MIB, 5 * huge, 16 * huge + pageSize]
    if (isSparse(os)) sizes.push(2 ** 32 + huge)
    for (const hint of [null, ...(os.traits.hints ? lowHints : [])]) {
      for (const n of sizes) {
        withReady(stage, n + 2 * huge, hint, (v) => {
          const at = alignUp(v, huge)
          claimOn(at, n)
          claimOn(at + pageSize, n - pageSize)
        })
      }
    }
    withReady(stage, 3 * huge, null, (v) => {
      for (let i = 0; i < TIMES; i++) claimOn(alignUp(v, huge), huge)
    })
    return undefined
  })
}

export const callCases: readonly Definition[] = [
  {
    id: 'calls/whole',
    title:
      'a transition gives a range of any size, whole, the kernel calls that it gives a page, and no byte beside it',
    show: anySize,
  },
  {
    id: 'calls/often',
    title: `a transition makes the same kernel calls for a page ${TIMES} times`,
    show: often,
  },
  {
    id: 'calls/after-refusals',
    title: 'a transition still makes kernel calls for its page once the kernel was short of memory',
    show: afterRefusals,
  },
  {
    id: 'calls/huge-pages',
    title: 'sysHugePage gives all whole huge pages of a range the advice that it gives one, and no other page',
    show: hugePages,
  },
]
