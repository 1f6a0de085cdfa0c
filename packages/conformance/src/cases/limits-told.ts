// What a backend makes of limits that change while it lives, and of those that its port does not know: its hints tell
// the figures of now, and an unknown figure neither bounds the quarantine nor stands in a hint.
import { formatBytes, type FatalError } from '@memlayer/core'
import { claim, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf } from '../errnos.js'
import type { Stage } from '../stage.js'
import type { WitnessLimits } from '../subject.js'
import { reporting, spared } from './limits.js'
import { whileRefused } from './with-refusals.js'

const MIB = 2 ** 20

/** More than any limit of these cases. */
const tooMuch = 16 * MIB

/** More than any address space has. */
const beyondAll = 2 ** 60

/** What an error, or a refusal that was kept, tells people; null: there is none. */
function hintOf({ os }: Stage, error: unknown): string | null {
  const hint = (error as FatalError | null)?.hint ?? os.refusal?.hint ?? null
  os.refusal = null
  return hint
}

/** Asks for `n` bytes in each way. Returns the hints of those that were refused. */
function hintsFor(stage: Stage, n: number): Readonly<Record<string, string | null>> {
  const { os } = stage
  os.refusal = null
  const obtain = (ask: () => number | null): string | null => {
    let v: number | null = null
    const error = thrownBy(() => (v = ask()))
    const hint = hintOf(stage, error)
    if (v !== null) os.sysFreeOS(v, n)
    return hint
  }
  const sysAllocOS = obtain(() => os.sysAllocOS(n))
  const sysReserveOS = obtain(() => os.sysReserveOS(null, n))
  const v = os.sysReserveOS(null, n)
  os.refusal = null
  if (v === null) return { sysAllocOS, sysReserveOS }
  const sysMapOS = hintOf(
    stage,
    thrownBy(() => {
      os.sysMapOS(v, n)
      os.sysUsedOS(v, n)
    }),
  )
  os.sysFreeOS(v, n)
  const sysRoomOS = hintOf(
    stage,
    thrownBy(() => os.sysRoomOS?.(n)),
  )
  return { sysAllocOS, sysReserveOS, 'sysMapOS and sysUsedOS': sysMapOS, sysRoomOS }
}

/** Limits of `bytes`, each alone. */
const limitsOf: Readonly<Record<string, (bytes: number) => WitnessLimits>> = {
  addressSpace: (bytes) => ({ addressSpace: bytes }),
  dataSize: (bytes) => ({ dataSize: bytes }),
  pages: (bytes) => ({ pages: bytes / 65536 }),
  segment: (bytes) => ({ segment: bytes }),
  commit: (bytes) => ({ commit: bytes }),
  memory: (bytes) => ({ memory: bytes, swap: 0 }),
  overcommit: (bytes) => ({ memory: 2 * bytes, swap: 0, overcommit: 2 }),
}

/** A limit of so many bytes, and how many bytes more are taken before the kernel is asked for too much. */
const situations: readonly (readonly [bytes: number, more: number])[] = [
  [4 * MIB, 0],
  [8 * MIB, 0],
  [8 * MIB, MIB],
  [6 * MIB, MIB],
  [10 * MIB, 0],
]

/** What the last limit leaves. */
const givenAtLast = 4 * MIB

/** Takes what is held in the first `count` situations. `onEach` runs after each of them. */
function playSituations({ os }: Stage, count: number, onEach: (index: number) => void): void {
  for (const [index, [, more]] of situations.slice(0, count).entries()) {
    if (more > 0) claim(os.sysAllocOS(more) !== null, `sysAllocOS of ${more} bytes is refused, and the limit has more`)
    onEach(index)
  }
}

/** The hints of a backend that was there before the limits were set anew, held against those of a new one. */
function claimToldNow(world: World, name: string): void {
  const limits = limitsOf[name] ?? ((): WitnessLimits => ({}))
  const bytesOf = (index: number): number => situations[index]?.[0] ?? NaN
  const given = ({ os }: Stage): boolean => os.sysAllocOS(givenAtLast) !== null
  const found = world.play(
    (stage) => {
      const told: Readonly<Record<string, string | null>>[] = []
      playSituations(stage, situations.length, (index) => {
        if (index > 0) stage.witness.setLimits?.(limits(bytesOf(index)))
        told.push(hintsFor(stage, tooMuch))
      })
      return { told, isGiven: given(stage) }
    },
    { limits: limits(bytesOf(0)), ledger: false },
  )
  for (const index of situations.keys()) {
    world.play(
      (stage) => {
        playSituations(stage, index + 1, () => undefined)
        const words = `where the limit (${name}) is ${bytesOf(index)} bytes now`
        for (const [way, hint] of Object.entries(hintsFor(stage, tooMuch)))
          same(
            found.told[index]?.[way],
            hint,
            `the hint of ${way} for ${tooMuch} bytes ${words}, as a new backend has it`,
          )
        if (index === situations.length - 1)
          same(
            found.isGiven,
            given(stage),
            `whether sysAllocOS gives ${givenAtLast} bytes ${words}, as a new backend does`,
          )
      },
      { limits: limits(bytesOf(index)), ledger: false },
    )
  }
}

/** Figures in words, as formatBytes of core writes them. */
function figuresIn(words: string): readonly string[] {
  return words.match(/\d[\d.,]* (?:bytes|[KMGTP]iB)/g) ?? []
}

/** The figures that words may have now: what the port reports, what of two figures is left, and what was asked for. */
function figuresNow({ os }: Stage, asked: number): ReadonlySet<string> {
  const told = Object.values(os.host?.limits?.() ?? {}).filter((one) => typeof one === 'number')
  const left = told.flatMap((one) => told.map((other) => Math.abs(one - other)))
  return new Set([asked, ...told, ...left].map(formatBytes))
}

/** Fails where the same words are told under every limit, with a figure that no limit has now. */
function claimOwnFigures(world: World, name: string): void {
  const limits = limitsOf[name] ?? ((): WitnessLimits => ({}))
  const told = situations.map(([bytes]) =>
    world.play((stage) => ({ hints: hintsFor(stage, tooMuch), now: figuresNow(stage, tooMuch) }), {
      limits: limits(bytes),
      ledger: false,
    }),
  )
  for (const way of Object.keys(told[0]?.hints ?? {})) {
    const hints = told.map(({ hints: all }) => all[way] ?? '')
    if (new Set(hints).size > 1) continue
    for (const [index, { now }] of told.entries()) {
      const stale = figuresIn(hints[index] ?? '').filter((figure) => !now.has(figure))
      claim(
        stale.length === 0,
        `the hint of ${way} is the same under every limit (${name}), and tells ${stale.join(', ')}, which none has: ` +
          `"${hints[index] ?? ''}"`,
      )
    }
  }
}

/** Whether a limit makes the kernel refuse anything. */
function bindsAt(world: World, limits: WitnessLimits): boolean {
  return world.play((stage) => Object.values(hintsFor(stage, tooMuch)).some((hint) => hint !== null), { limits })
}

function toldNow(world: World): Verdict | undefined {
  if (world.play(({ witness }) => witness.setLimits === undefined))
    return notRun('needs a kernel whose limits can be set')
  let isBound = false
  for (const [name, limits] of Object.entries(limitsOf)) {
    if (!bindsAt(world, limits(situations[0]?.[0] ?? NaN))) continue
    isBound = true
    claimOwnFigures(world, name)
    claimToldNow(world, name)
  }
  return isBound ? undefined : notRun('none of the limits bounds this kernel')
}

/** The figures of a port that it may leave out. The others are NaN where they are not known. */
const mayBeAbsent = [
  'dataSize',
  'dataSizeUsed',
  'lockedMemoryUsed',
  'groupHigh',
  'groupHighUsed',
  'hostMemory',
  'hostSwap',
]

type Limits = Readonly<Record<string, unknown>>

/** How a port's limits are without what it does not know; null: the port has no function for limits. */
interface Unknown {
  readonly words: string
  readonly change: ((own: Limits) => Limits) | null
}

function unknownIn(own: Limits): readonly Unknown[] {
  const figures = Object.keys(own).filter((name) => typeof own[name] === 'number')
  const isNow = (limits: Limits, name: string): boolean => typeof limits[name] === 'number'
  const all = (limits: Limits): Limits =>
    Object.fromEntries(Object.keys(limits).map((name) => [name, isNow(limits, name) ? NaN : limits[name]]))
  return [
    ...figures.map((name) => ({ words: `${name} is NaN`, change: (now: Limits) => ({ ...now, [name]: NaN }) })),
    ...figures
      .filter((name) => mayBeAbsent.includes(name))
      .map((name) => ({
        words: `${name} is absent`,
        change: (now: Limits) => Object.fromEntries(Object.entries(now).filter(([key]) => key !== name)),
      })),
    { words: 'every figure is NaN', change: all },
    { words: 'there is no function for limits', change: null },
  ]
}

/** The kernel whose port knows no more than `unknown` says. `base` takes the place of its own figures first. */
function knowing(kernel: object, { change }: Unknown, base: Limits = {}): object {
  const told = reporting(kernel, (own) => {
    const isOwn = ([name]: readonly [string, unknown]): boolean => name in own
    return change?.({ ...own, ...Object.fromEntries(Object.entries(base).filter(isOwn)) }) ?? own
  })
  if (change !== null) return told
  return new Proxy(told, {
    get: (target, name) => (name === 'limits' ? undefined : (Reflect.get(target, name) as unknown)),
  })
}

/** Small limits that a port reports: what is left of them must bound the quarantine, although one is not known. */
const small = 8 * MIB
const smallLimits: Limits = { addressSpace: small, dataSize: small, commitLimit: small, overcommit: 2 }

/** Fails unless the quarantine is a number within the limits that the port still knows. */
function claimQuarantine(world: World, unknown: Unknown, base: Limits): void {
  // Stays empty where the backend does not ask.
  let known: Limits = {}
  const change = (own: Limits): Limits => (known = unknown.change?.(own) ?? {})
  const usual = world.play(({ os }) => os.quarantine)
  world.play(
    ({ os }) => {
      for (const member of ['space', 'writable'] as const) {
        const bytes = os.quarantine?.[member] ?? 0
        const isThere = bytes > 0 || (usual?.[member] ?? 0) === 0
        claim(isThere, `quarantine.${member} is ${bytes} where ${unknown.words}, expected more than 0`)
      }
      const bound = (member: 'space' | 'writable', name: string): void => {
        const bytes = os.quarantine?.[member] ?? 0
        const isSpared = known[name] !== small || bytes <= small * spared
        claim(isSpared, `quarantine.${member} is ${bytes} where ${unknown.words}, and ${name} is ${small} bytes`)
      }
      bound('space', 'addressSpace')
      if ('dataSize' in known) bound('writable', 'dataSize')
      if (known['overcommit'] === 2 || !('overcommit' in known)) bound('writable', 'commitLimit')
    },
    { wrap: (kernel) => knowing(kernel, { ...unknown, change: unknown.change && change }, base) },
  )
}

/** Fails if a hint has a figure that is none. */
function claimWords(hints: Readonly<Record<string, string | null>>, what: string): void {
  for (const [way, hint] of Object.entries(hints))
    claim(hint === null || !/NaN|undefined|Infinity/.test(hint), `the hint of ${way}, ${what}, is "${hint}"`)
}

function claimHints(world: World, unknown: Unknown): void {
  for (const [name, limits] of Object.entries(limitsOf))
    world.play((stage) => claimWords(hintsFor(stage, tooMuch), `under ${name}, where ${unknown.words}`), {
      limits: limits(small),
      wrap: (kernel) => knowing(kernel, unknown),
    })
  const far = `for ${beyondAll} bytes, where ${unknown.words}`
  world.play((stage) => claimWords(hintsFor(stage, beyondAll), far), { wrap: (kernel) => knowing(kernel, unknown) })
  for (const errno of errnosOf(world.subject) ?? []) {
    const { wrap, refuse } = whileRefused(errno)
    const what = `refused with error number ${errno}, where ${unknown.words}`
    world.play(
      (stage) =>
        claimWords(
          refuse(() => hintsFor(stage, tooMuch)),
          what,
        ),
      {
        wrap: (kernel) => wrap(knowing(kernel, unknown)),
      },
    )
  }
}

function notKnown(world: World): Verdict | undefined {
  const { kernel } = world.subject
  const port = kernel?.({ seed: world.seed }) ?? {}
  if (typeof Reflect.get(port, 'limits') !== 'function') return absent('limits of the kernel’s port')
  if (world.play(({ witness }) => witness.setLimits === undefined))
    return notRun('needs a kernel whose limits can be set')
  const own = (port as { limits(): Limits }).limits()
  const hasQuarantine = world.play(({ os }) => os.sysRetireOS !== undefined)
  for (const unknown of unknownIn(own)) {
    for (const base of hasQuarantine ? [{}, smallLimits] : []) claimQuarantine(world, unknown, base)
    claimHints(world, unknown)
  }
  return undefined
}

export const limitsToldCases: readonly Definition[] = [
  {
    id: 'limits/told-now',
    title: 'the hint of a refusal tells the limits and their use as they are now, and not those of an earlier refusal',
    show: toldNow,
  },
  {
    id: 'limits/not-known',
    title: 'a limit that the kernel’s port does not know bounds no quarantine, lifts no other limit, is in no hint',
    show: notKnown,
  },
]
