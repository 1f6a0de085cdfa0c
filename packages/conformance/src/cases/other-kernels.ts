// Kernels with other facts than the subject's own have: another size of pages or huge pages, a program whose data ends
// inside a page, and ports that lack what they may lack. Quick cases are played over each, so that no fact that a
// subject never varies is a constant in a backend.
import { formatAddress } from '@memlayer/core'
import { claimBytes } from '../bytes.js'
import { claim, rangeText, thrownBy } from '../claim.js'
import { absent, notRun, skipReason, type Definition, type Verdict, type World } from '../definition.js'
import { NO_KERNEL } from '../errnos.js'
import { refuseWhen } from '../intercept.js'
import type { Stage } from '../stage.js'
import type { KernelOptions } from '../subject.js'
import { accountCases } from './account.js'
import { acrossCases } from './across.js'
import { adviceBesideCases } from './advice-beside.js'
import { alignmentCases } from './alignment.js'
import { reports } from './answers.js'
import { batchCases } from './batches.js'
import { chargeCases } from './charge.js'
import { collapseCases } from './collapse.js'
import { contentsCases } from './contents.js'
import { faultCases } from './fault.js'
import { freeCases } from './free.js'
import { hintCases } from './hints.js'
import { hugeAdviceCases } from './huge-advice.js'
import { hugePageCases } from './huge-pages.js'
import { kthCallCases } from './kth-call.js'
import { modestCases } from './modest.js'
import { optionalCases } from './optional.js'
import { refusalCases } from './refusals.js'
import { reportCases } from './reports.js'
import { sizeCases } from './sizes.js'
import { ready, transitionCases } from './transitions.js'

type Facts = Omit<KernelOptions, 'seed'>

const all: readonly Definition[] = [
  ...transitionCases,
  ...alignmentCases,
  ...hintCases,
  ...contentsCases,
  ...faultCases,
  ...freeCases,
  ...accountCases,
  ...acrossCases,
  ...chargeCases,
  ...refusalCases,
  ...sizeCases,
  ...batchCases,
  ...optionalCases,
  ...hugePageCases,
  ...collapseCases,
  ...hugeAdviceCases,
  ...adviceBesideCases,
  ...reportCases,
  ...kthCallCases,
  ...modestCases,
]

function named(...ids: readonly string[]): readonly Definition[] {
  return ids.map((id) => {
    const found = all.find((one) => one.id === id)
    if (found === undefined) throw new Error(`no case has the id ${id}`)
    return found
  })
}

/** A life in all its states, at several places, with the contents, the pages beside it and the witness. */
const life = named(
  'traits/sizes',
  'map/in-parts',
  'used/mixed',
  'used/across-reservations',
  'unused/range-stays',
  'unused/held',
  'unused/drops-contents',
  'unused/returns-memory',
  'alignment/any-page',
  'alignment/no-debris',
  'hints/foreign',
  'contents/neighbours',
  'fault/traps',
  'fault/mapped-again',
  'free/any-state',
  'free/in-parts',
  'free/across-reservations',
  'account/kernel',
  'sizes/life',
)

/** What a refusal leaves, and the optional functions. */
const services = named(
  'refusals/aligned',
  'refusals/map',
  'refusals/fault',
  'refusals/free',
  'charge/life',
  'account/batch',
  'renew/answer',
  'optional/two-backends',
  'reports/residency',
  'k-th-call/large',
)

const hugePages = named(
  'traits/sizes',
  'huge-pages/whole',
  'huge-pages/none',
  'huge-pages/stays-away',
  'zero/stays-away',
  'advice/huge',
  'advice/used',
  'advice/beside',
)

const largeHugePages = named('traits/sizes', 'huge-pages/whole', 'huge-pages/none', 'advice/huge')

/** A short life, for what depends on where memory begins. */
const shortLife = named(
  'traits/sizes',
  'map/in-parts',
  'unused/range-stays',
  'alignment/any-page',
  'fault/mapped-again',
  'free/any-state',
  'free/in-parts',
)

const pageSizes = [4096, 8192, 16384, 65536]
const hugePageSizes = [0, 2 ** 19, 2 ** 22]

/** Those of processors with pages of 16 and 64 KiB. */
const largeHugePageSizes = [2 ** 25, 2 ** 29]

/** Plays `cases` over other kernels. `what` tells of these. */
function replay(world: World, cases: readonly Definition[], what: string): void {
  for (const { id, show } of cases) {
    if (skipReason(world.subject, id) !== undefined) continue
    const error = thrownBy(() => show(world))
    // A backend may throw a frozen error, which stays as it is.
    if (error instanceof Error) Reflect.set(error, 'message', `${id}, over a kernel ${what}: ${error.message}`)
    if (error !== null) throw error
  }
}

/** A number of a kernel's port; null: it has none by that name. */
function factOf(kernel: object, name: string): number | null {
  const value: unknown = Reflect.get(kernel, name)
  return typeof value === 'number' ? value : null
}

/** Plays `cases` over kernels that take each of `sizes` over, but for their own. */
function otherSizes(
  world: World,
  fact: keyof Facts,
  sizes: readonly number[],
  cases: readonly Definition[],
): Verdict | undefined {
  const { kernel } = world.subject
  if (kernel === undefined) return notRun(NO_KERNEL)
  const own = factOf(kernel({ seed: world.seed }), fact)
  let isTaken = false
  for (const size of sizes.filter((one) => one !== own)) {
    const made = (options: KernelOptions): object => kernel({ ...options, [fact]: size })
    if (factOf(made({ seed: world.seed }), fact) !== size) continue
    isTaken = true
    replay(world.over(made), cases, `whose ${fact} is ${size}`)
  }
  return isTaken ? undefined : notRun(`this kernel has one ${fact}`)
}

function otherHugePages(world: World): Verdict | undefined {
  // A backend that does not serve its kernel's huge pages has no size to tell.
  if (world.play(({ os }) => os.traits.hugePageSize === 0)) return absent('hugePageSize')
  const large = otherSizes(world, 'hugePageSize', largeHugePageSizes, largeHugePages)
  return otherSizes(world, 'hugePageSize', hugePageSizes, hugePages) ?? large
}

/** A kernel like `kernel`, with the members of `change` in place of its own. */
function withMembers(kernel: object, change: Readonly<Record<string, unknown>>): object {
  const bound = refuseWhen(kernel, () => null)
  return new Proxy(kernel, {
    has: (target, name) => (Object.hasOwn(change, name) ? change[String(name)] !== undefined : name in target),
    get: (_target, name) =>
      Object.hasOwn(change, name) ? change[String(name)] : (Reflect.get(bound, name) as unknown),
  })
}

/** Whether the data of a program ends where the memory of this kernel's port begins. */
function isBreak(kernel: object): boolean {
  return 'brk' in kernel || 'growMemory' in kernel
}

/** Fails if a new backend hands out addresses below the end of the program's data. */
function claimAbove(world: World, what: string): void {
  let end = NaN
  const wrap = (kernel: object): object => {
    end = factOf(kernel, 'end') ?? NaN
    return kernel
  }
  world.play(
    ({ memory, unit }) => {
      for (const units of [1, 2, 16]) {
        const v = memory.sysReserve(null, units * unit)
        const found = `sysReserve over a kernel ${what} gave ${rangeText(v, units * unit)}`
        claim(v >= end, `${found}, expected no address below ${formatAddress(end)}, where the data ends`)
      }
    },
    { wrap },
  )
}

/** Plays a life where the data of the program ends inside a page: a little, half and most of a page into it. */
function dataEnds(world: World): Verdict | undefined {
  const { kernel } = world.subject
  if (kernel === undefined) return notRun(NO_KERNEL)
  const own = kernel({ seed: world.seed })
  if (!isBreak(own)) return absent('end of the kernel’s port')
  for (const asked of new Set([factOf(own, 'pageSize') ?? NaN, 16384])) {
    const made = (options: KernelOptions): object => kernel({ ...options, pageSize: asked })
    const page = factOf(made({ seed: world.seed }), 'pageSize') ?? NaN
    if (page !== asked) continue
    for (const into of [4, page / 2 + 24, page - 4]) {
      const over = (options: KernelOptions): object => {
        const bottom = made(options)
        const end = Math.floor((factOf(bottom, 'end') ?? NaN) / page) * page
        return withMembers(bottom, { end: end + into })
      }
      const what = `of ${page} bytes a page, where the data ends ${into} bytes into one`
      replay(world.over(over), shortLife, what)
      claimAbove(world.over(over), what)
    }
  }
  return undefined
}

/** The functions that a kernel's port may lack. Of addressOf a backend may need the answer, so it stays. */
const mayLack = ['read', 'write', 'limits', 'residency', 'madviseAll', 'discard']

/** Functions that it may lack and that only report, but for those above. They are left out together. */
const reportsAndTrim = ['hugePages', 'trim', ...reports.filter((name) => !mayLack.includes(name))]

/** Those that may answer that the host can't tell. */
const mayNotTell = ['residency', 'pressure', 'processMemory']

/** A quick life with each optional function, over a port that lacks a service. */
const served = named(
  'used/mixed',
  'unused/range-stays',
  'unused/returns-memory',
  'free/any-state',
  'renew/answer',
  'optional/two-backends',
  'refusals/map',
)

/** Plays quick cases where the port lacks what it may lack, one function at a time, or where that can't tell. */
function lacking(world: World): Verdict | undefined {
  const { kernel } = world.subject
  if (kernel === undefined) return notRun(NO_KERNEL)
  const own = kernel({ seed: world.seed })
  // What a kernel of another kind may lack is not known.
  if (!('mmap' in own || 'virtualAlloc' in own || isBreak(own))) return notRun('needs a kernel of a port that is known')
  const has = (name: string): boolean => typeof Reflect.get(own, name) === 'function'
  const without = (change: Readonly<Record<string, unknown>>, what: string): void =>
    replay(
      world.over((options) => withMembers(kernel(options), change)),
      served,
      what,
    )
  const [lacked, unreported] = [mayLack.filter(has), reportsAndTrim.filter(has)]
  for (const name of lacked) without({ [name]: undefined }, `whose port has no ${name}`)
  if (unreported.length > 0) {
    const none = Object.fromEntries(unreported.map((name) => [name, undefined]))
    without(none, `whose port has no ${unreported.join(', ')}`)
  }
  for (const name of mayNotTell.filter(has)) without({ [name]: () => null }, `whose ${name} can't tell`)
  return lacked.length + unreported.length > 0 ? undefined : absent('optional functions of the kernel’s port')
}

/** Plays where the port has a discard that takes no page yet, as DiscardVirtualMemory may. */
function discards(world: World): Verdict | undefined {
  const { kernel } = world.subject
  if (kernel === undefined) return notRun(NO_KERNEL)
  if (!('virtualAlloc' in kernel({ seed: world.seed }))) return absent('a discard that leaves the contents open')
  const scene = (stage: Stage): void => {
    const { memory, os, unit } = stage
    const n = 4 * unit
    const ways: Readonly<Record<string, (v: number) => boolean | undefined>> = {
      sysRetireOS: (v) => os.sysRetireOS?.(v, n, true),
      sysZeroOS: (v) => os.sysZeroOS?.(v, n),
      sysRenewOS: (v) => os.sysRenewOS?.(v, n),
    }
    for (const [name, way] of Object.entries(ways)) {
      const v = ready(stage, 4, 7)
      const what = `memory after ${name} over a port whose discard leaves the bytes`
      if (way(v) === true) claimBytes(os, v, n, 0, what)
      os.refusal = null
      memory.sysFree(v, n, null)
    }
  }
  world.play(scene, { wrap: (under) => withMembers(under, { discard: () => 0 }) })
  return undefined
}

export const otherKernelCases: readonly Definition[] = [
  {
    id: 'pages/life',
    title: 'every transition keeps its promises over kernels with pages of other sizes',
    show: (world) => otherSizes(world, 'pageSize', pageSizes, life),
  },
  {
    id: 'pages/services',
    title: 'refusals, charges and optional functions are right over kernels with pages of other sizes',
    show: (world) => otherSizes(world, 'pageSize', pageSizes, services),
  },
  {
    id: 'pages/data-end',
    title: 'memory begins at a whole page where the data of the program ends inside one',
    show: dataEnds,
  },
  {
    id: 'optional/lacking',
    title: 'every transition keeps its promises over a kernel whose port lacks what it may lack, or can’t tell',
    show: lacking,
  },
  {
    id: 'optional/discards',
    title: 'sysRetireOS, sysZeroOS, sysRenewOS: memory reads zero also where the kernel’s discard leaves the bytes',
    show: discards,
  },
  {
    id: 'huge-pages/other-sizes',
    title: 'advice on huge pages has the size of the kernel’s huge pages',
    show: otherHugePages,
  },
]
