// The faults that are none on a backend: with them it behaves as the right one does, and so no kernel and no user could
// tell. Each is found by asking the right backend, and has a reason.
import type { OS } from '@memlayer/core'
import { record, refusalOf, type KernelCall } from '@memlayer/kernel'
import type { AnySubject } from '../simulated.js'
import { nameOf, type Fault } from './fault.js'

/** Returns why a fault changes nothing; null: it changes something. */
export type Sameness = (fault: Fault) => string | null

type Rule = readonly [names: RegExp, reason: string]

/** The functions over a range that move no range from state to state for certain: they may have nothing to do. */
const mayIdle = ['sysUnusedOS', 'sysUsedOS', 'sysHugePageOS', 'sysFaultOS', 'sysMapOS'] as const
const overRange = [...mayIdle, 'sysFreeOS', 'sysRetireOS'] as const

type OverRange = (typeof overRange)[number]

/** Asks a backend which faults change nothing. */
export function samenessOf(subject: AnySubject): Sameness {
  const rules = [...rulesOfTraits(subject), ...rulesOfPlaces(subject), ...rulesOfCalls(subject)]
  return (fault) => rules.find(([names]) => names.test(nameOf(fault)))?.[1] ?? null
}

function rulesOfTraits(subject: AnySubject): Rule[] {
  const { traits } = made(subject).os
  const rules: Rule[] = []
  if (!traits.freesParts) {
    const ways = /^sysFreeOS (leaves the last page|does the first|does a page more (at the end|beyond)|cuts the length)/
    rules.push([ways, 'it frees whole reservations, which their address alone names'])
  }
  if (traits.ends === 'zeroed') rules.push([/^detach /, 'views stay on their memory, and core detaches none'])
  if (traits.hugePageSize === 0)
    rules.push([/^host\.hugePages tells (0|twice as much|at most 2 MiB)$/, 'it asks for no huge pages, so it has none'])
  if (traits.pageSize % 65536 === 0) rules.push([/ rounds up to 64 KiB$/, 'every size is a multiple of 64 KiB'])
  if (traits.granularity % 65536 === 0 && traits.hints)
    rules.push([/ takes the hint rounded down to 64 KiB$/, 'the kernel rounds it down to 64 KiB as well'])
  return rules
}

/** What follows from the addresses that the kernel gives, and from how a view shows them. */
function rulesOfPlaces(subject: AnySubject): Rule[] {
  const { os } = made(subject)
  const unit = unitOf(os)
  const rules: Rule[] = []
  const [v, w] = [os.sysAllocOS(unit) ?? NaN, os.sysAllocOS(unit) ?? NaN]
  if (v + 8 === v)
    rules.push([
      /^(sysAllocOS hands out an address inside|host\.(read|write) copies (a byte further|from the start of))/,
      'above 2^53 a number has no address inside a page',
    ])
  if (os.view(v, unit) === os.view(w, unit))
    rules.push([
      /^view shows (the next page|the page before|a byte less|a page more|at most|another range each)/,
      'a view is the whole memory, whichever range it is asked for',
    ])
  else if (os.view(v, unit) === os.view(v, unit / 2))
    rules.push([
      /^view shows (a byte less|at most|the length that)/,
      'a view is all of the buffer that has its range, however much of it is asked for',
    ])
  if (v > 2 ** 32 && !givesLow(os, unit)) rules.push([/ below 4 GiB$/, 'the kernel gives no address below 4 GiB'])
  for (const at of [v, w]) os.sysFreeOS(at, unit)
  if (!gives(os, 2 ** 26 + unit)) rules.push([/ refuses more than 64 MiB$/, 'the kernel has no 64 MiB'])
  if (!gives(os, 2 ** 32 + unit))
    rules.push([/ (refuses 4 GiB and more|cuts (the|each) length to 32 bits)$/, 'the kernel has no 4 GiB'])
  if (os.traits.reservedTraps && !hasLimit(os))
    rules.push([/ takes a promise that the kernel refused /, 'the kernel promises as much as it is asked for'])
  return rules
}

/** Whether the kernel refuses to promise more memory than a machine has. */
function hasLimit(os: OS): boolean {
  const n = 2 ** 44
  const p = os.sysReserveOS(null, n)
  if (p === null) return false
  try {
    os.sysMapOS(p, n)
    os.sysUsedOS(p, n)
    return false
  } catch {
    return true
  } finally {
    os.sysFreeOS(p, n)
  }
}

function gives(os: OS, n: number): boolean {
  const p = os.sysReserveOS(null, n)
  if (p !== null) os.sysFreeOS(p, n)
  return p !== null
}

function givesLow(os: OS, unit: number): boolean {
  if (!os.traits.hints) return false
  for (let hint = 2 ** 29; hint < 2 ** 32; hint += 2 ** 29) {
    const p = os.sysReserveOS(hint, unit)
    if (p === null) continue
    os.sysFreeOS(p, unit)
    if (p === hint) return true
  }
  return false
}

/** What follows from the kernel calls of each function. */
function rulesOfCalls(subject: AnySubject): Rule[] {
  const rules: Rule[] = []
  const { os } = made(subject)
  const { unusedTraps, faultTraps, reservedTraps, hugePageSize } = os.traits
  for (const fn of overRange) {
    if (os[fn] === undefined) continue
    const calls = callsOf(subject, fn, fn)
    const isIdle = calls === '' && !(fn === 'sysFaultOS' && faultTraps) && !(fn === 'sysMapOS' && reservedTraps)
    if (isIdle && mayIdle.some((one) => one === fn) && !(fn === 'sysUnusedOS' && unusedTraps)) {
      rules.push([new RegExp(`^${fn} `), 'it makes no kernel call, so there is nothing to do wrongly'])
      continue
    }
    if (!tellsRefusals(subject, fn))
      rules.push([
        new RegExp(`^${fn} (hides a refusal|throws an error of its own)`),
        'it tells of no refusal, so no refusal is hidden',
      ])
    // What is freed may be kept by the backend itself, so the calls do not say all of sysFreeOS.
    for (const next of mayIdle.some((one) => one === fn) ? mayIdle : [])
      if (next !== fn && callsOf(subject, fn, next) === calls && calls !== '')
        rules.push([new RegExp(`^${fn} does what ${next} does$`), 'both make the same kernel calls'])
    if (hugePageSize > 0 && callsOf(subject, fn, fn, 1) === '')
      rules.push([new RegExp(`^${fn} does nothing for a single page$`), 'it has nothing to do for a single page'])
  }
  return rules
}

interface Made {
  readonly os: OS
  take(): readonly KernelCall[]
  /** From now on the kernel refuses every call. */
  refuse(): void
}

function made(subject: AnySubject): Made {
  const bottom = subject.kernel?.({ seed: 1 })
  let on = false
  const refusing = bottom && refusingWhen(bottom, () => on)
  const recording = refusing && record(refusing)
  const os = subject.createOS(recording === undefined ? {} : { kernel: recording.kernel })
  return { os, take: () => recording?.take() ?? [], refuse: () => void (on = true) }
}

function refusingWhen(kernel: object, isOn: () => boolean): object {
  return new Proxy(kernel, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      const answer = refusalOf(target, String(name))
      return (...args: unknown[]): unknown =>
        answer !== null && isOn() ? answer(ENOMEM) : (Reflect.apply(member, target, args) as unknown)
    },
  })
}

const ENOMEM = 12

function unitOf({ traits }: OS): number {
  return Math.max(traits.pageSize, traits.granularity)
}

/** A range in the state in which `fn` finds it. The size is that of several huge pages, or a page. */
function rangeFor(os: OS, fn: OverRange, pages?: number): readonly [v: number, n: number] {
  const { pageSize, hugePageSize } = os.traits
  const n = pages === undefined ? Math.max(4 * unitOf(os), 4 * hugePageSize) : pages * pageSize
  const v = os.sysReserveOS(null, Math.ceil(n / unitOf(os)) * unitOf(os)) ?? NaN
  if (fn === 'sysMapOS') return [v, n]
  os.sysMapOS(v, n)
  os.sysUsedOS(v, n)
  if (fn === 'sysUsedOS') os.sysUnusedOS(v, n)
  return [v, n]
}

/** The kernel calls of `run` on a range in the state in which `fn` finds it, as text without the address. */
function callsOf(subject: AnySubject, fn: OverRange, run: OverRange, pages?: number): string {
  const { os, take } = made(subject)
  const [v, n] = rangeFor(os, fn, pages)
  take()
  os[run]?.(v, n, true)
  const text = take().map((call) =>
    [call.fn, ...call.args.map((arg) => (arg >= v && arg < v + n ? arg - v : arg))].join(' '),
  )
  if (run !== 'sysFreeOS' && run !== 'sysRetireOS') os.sysFreeOS(v, n)
  return text.join('\n')
}

/** Whether `fn` tells that the kernel refused every call of it. */
function tellsRefusals(subject: AnySubject, fn: OverRange): boolean {
  const { os, refuse } = made(subject)
  const [v, n] = rangeFor(os, fn)
  os.refusal = null
  refuse()
  try {
    return os[fn]?.(v, n, true) === false || os.refusal !== null
  } catch {
    return true
  }
}
