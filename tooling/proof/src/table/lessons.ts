// What a wrong backend does with what came before: advice that it remembers, a trait that turns back, a way back that
// is refused as well. And how far its advice reaches.
import type { OS, Traits } from '@memlayer/core'
import { withCall } from './costs.js'
import type { Change, Fault, Patient } from './fault.js'

const MIB = 2 ** 20

type OnRange = (v: number, n: number) => unknown

/** The functions that take memory from a part of a huge page, on one range. */
const cutting = ['sysUnusedOS', 'sysZeroOS', 'sysUnusedAllOS'] as const

type Cutting = (typeof cutting)[number]

/** Makes `fn` call the right one and then `more` with each range. */
function afterEach({ os }: Patient, fn: Cutting, more: (v: number, n: number) => void): Change {
  if (fn === 'sysUnusedAllOS')
    return {
      sysUnusedAllOS(ranges: ArrayLike<number>): boolean {
        const answer = os.sysUnusedAllOS?.(ranges) === true
        for (let i = 0; answer && i < ranges.length; i += 2) more(ranges[i] ?? NaN, ranges[i + 1] ?? NaN)
        return answer
      },
    }
  return {
    [fn](v: number, n: number): unknown {
      const answer = os[fn]?.(v, n)
      if (!os.refusal) more(v, n)
      return answer
    },
  }
}

/** The huge pages that [v, v+n) meets, as a range. */
function outward({ traits }: OS, v: number, n: number): readonly [v: number, n: number] {
  const huge = traits.hugePageSize
  const from = Math.floor(v / huge) * huge
  return [from, Math.ceil((v + n) / huge) * huge - from]
}

/** A huge page that was cut before is not cut again: it has its advice when the call returns. */
function cutsOnce(patient: Patient, fn: Cutting): Change {
  const { os } = patient
  const cut = new Set<string>()
  return {
    ...afterEach(patient, fn, (v, n) => {
      if (cut.has(`${v} ${n}`)) os.sysHugePageOS(...outward(os, v, n))
      cut.add(`${v} ${n}`)
    }),
    sysFreeOS(v: number, n: number): void {
      cut.clear()
      os.sysFreeOS(v, n)
    },
  }
}

/** Takes the advice of the huge page before an aligned range, which the range does not cut. */
function cutsBefore(patient: Patient, fn: Cutting): Change {
  const { os } = patient
  const huge = os.traits.hugePageSize
  return afterEach(patient, fn, (v) => {
    if (v % huge === 0) os.sysNoHugePageOS?.(v - huge, huge)
  })
}

function adviceFaults(os: OS, kernel: object | undefined): Fault[] {
  if (os.traits.hugePageSize === 0) return []
  const own = cutting.filter((fn) => os[fn] !== undefined)
  const faults: Fault[] = own.map((fn) => ({
    fn,
    way: 'cuts a huge page only once',
    change: (patient) => cutsOnce(patient, fn),
  }))
  // Only a simulated kernel tells of each page how it was advised.
  if (kernel === undefined || !('collapse' in kernel) || os.sysNoHugePageOS === undefined) return faults
  faults.push(
    ...own.map((fn): Fault => ({
      fn,
      way: 'takes the advice of the huge page before its range',
      change: (patient) => cutsBefore(patient, fn),
    })),
    {
      fn: 'sysNoHugePageOS',
      way: 'reaches all of the huge pages that its range meets',
      change: ({ os: right }) => ({
        sysNoHugePageOS: (v: number, n: number) => right.sysNoHugePageOS?.(...outward(right, v, n)),
      }),
    },
  )
  if (os.sysPopulateOS !== undefined)
    faults.push({
      fn: 'sysPopulateOS',
      way: 'asks for the huge pages around its range first',
      change: ({ os: right }) => ({
        sysPopulateOS(v: number, n: number): unknown {
          right.sysHugePageOS(...outward(right, v, n))
          return right.sysPopulateOS?.(v, n)
        },
      }),
    })
  return faults
}

/** The right traits, but unusedReturnsMemory is what `tell` makes of it. */
function traitTold({ os }: Patient, tell: (right: boolean) => boolean): { traits: Traits } {
  const own = Object.getOwnPropertyDescriptors(os.traits)
  const get = (): boolean => tell(os.traits.unusedReturnsMemory)
  const told = { ...own, unusedReturnsMemory: { get, enumerable: true } }
  return { traits: Object.freeze(Object.defineProperties({}, told)) as Traits }
}

/** Whether a refusal turns the trait: one that sysUnusedOS keeps is no error. */
function turns(os: OS): boolean {
  const member = Object.getOwnPropertyDescriptor(os.traits, 'unusedReturnsMemory')
  return os.traits.unusedReturnsMemory && member?.get !== undefined && !os.traits.unusedTraps
}

function traitFaults(os: OS): Fault[] {
  if (!turns(os)) return []
  return [
    { fn: 'traits', way: 'says for ever that memory is returned', change: (patient) => traitTold(patient, () => true) },
    {
      fn: 'traits',
      way: 'says again that memory is returned, once sysUnusedOS is done',
      change(patient) {
        const { os: right } = patient
        let isDone = false
        return {
          ...traitTold(patient, (returns) => returns || isDone),
          sysUnusedOS(v: number, n: number): void {
            right.sysUnusedOS(v, n)
            isDone = !right.refusal
          },
        }
      },
    },
  ]
}

/** Tries a refused range again in halves, of which the second may be refused as well. */
function inHalves(fn: 'sysFreeOS' | 'sysFaultOS'): Fault {
  return {
    fn,
    way: 'tries halves of a range that was refused, and leaves the first half done',
    change: ({ os, page }) => ({
      [fn](v: number, n: number): void {
        os[fn](v, n)
        if (!os.refusal || n < 2 * page) return
        os.refusal = null
        const half = Math.ceil(n / 2 / page) * page
        os[fn](v, half)
        if (!os.refusal) os[fn](v + half, n - half)
      },
    }),
  }
}

/** Where the right one could not give the memory back, what lies beyond whole MiB has its bytes again. */
function losesTheRest(fn: 'sysRenewOS'): Fault {
  return {
    fn,
    way: 'leaves what lies beyond whole MiB where the kernel gives no new pages',
    change: ({ os }) => ({
      [fn](v: number, n: number): unknown {
        const rest = new Uint8Array(n > MIB ? n % MIB : 0)
        const at = v + n - rest.length
        if (rest.length > 0) void os.host?.read?.(at, rest)
        const answer = (os[fn] as OnRange)(v, n)
        if (answer === false && rest.length > 0) void os.host?.write?.(at, rest)
        return answer
      },
    }),
  }
}

/** Whether a kernel was seen to refuse a discard since it was asked last. */
interface Discards {
  isRefused: boolean
}

type Discard = (v: number, n: number) => number

/** Where the kernel refuses to discard what is freed, its bytes stay, and are handed out again. */
function keepsBytes(): Fault {
  const last: Discards = { isRefused: false }
  return {
    fn: 'sysFreeOS',
    way: 'does not clear what the kernel refuses to discard',
    change: ({ os }) => ({
      sysFreeOS(v: number, n: number): void {
        const old = new Uint8Array(os.view(v, n), v, n).slice()
        last.isRefused = false
        os.sysFreeOS(v, n)
        if (last.isRefused) new Uint8Array(os.view(v, n), v, n).set(old)
      },
    }),
    kernel: (right) =>
      withCall(right, 'discard', (discard: Discard): Discard => (v, n) => {
        const answer = discard(v, n)
        last.isRefused = answer < 0
        return answer
      }),
  }
}

/** The faults of what a backend learns, and of what it does where a refusal is followed by another. */
export function lessonFaults(os: OS, kernel: object | undefined): Fault[] {
  const { reservedTraps, faultTraps, freesParts, unusedDropsContents } = os.traits
  const faults = [...adviceFaults(os, kernel), ...traitFaults(os)]
  if (reservedTraps && freesParts) faults.push(inHalves('sysFreeOS'))
  if (faultTraps && freesParts) faults.push(inHalves('sysFaultOS'))
  if (os.sysRenewOS !== undefined && unusedDropsContents && os.host?.write !== undefined)
    faults.push(losesTheRest('sysRenewOS'))
  // A kernel without the function may have its name.
  if (kernel !== undefined && typeof Reflect.get(kernel, 'discard') === 'function') faults.push(keepsBytes())
  return faults
}
