// Uses a simulated kernel as a witness. It recognizes the kernel by its members, not by its class. So this package does
// not depend on @memlayer/simkernel, and an author's own simulated kernel works too.
import type { Address } from '@memlayer/kernel'
import type { Witness, WitnessLimits } from './subject.js'

interface Mapping {
  readonly start: Address
  readonly end: Address
  readonly flags: readonly string[]
}

interface Telling {
  touch(v: Address, n: number, access: 'read' | 'write'): void
  residence(v: Address, n: number): { readonly resident: number; readonly huge?: number }
  maps(): readonly Mapping[]
  /** Windows' commit charge. */
  readonly committed: number
  /** A POSIX kernel's limits, and what it has promised. */
  limits(): { readonly committed?: number }
  collapse(v: Address, n: number): void
  takeForfeit(): void
  lockAll(): void
  setLimits(limits: WitnessLimits): void
}

/** The witness of a kernel of `@memlayer/simkernel` or with the same members; `{}` for any other kernel. */
export function simulatedWitness(kernel: object | undefined): Witness {
  const telling: Partial<Telling> | undefined = kernel
  const found: { -readonly [M in keyof Witness]: Witness[M] } = {}
  if (telling?.touch !== undefined) found.faults = (v, access): boolean => faults(telling as Telling, v, access)
  if (telling?.residence !== undefined) {
    found.resident = (v, n): number => (telling as Telling).residence(v, n).resident
    found.hugePages = (v, n): number => (telling as Telling).residence(v, n).huge ?? 0
  }
  if (telling?.maps !== undefined) {
    found.held = (v, n): number => heldIn((telling as Telling).maps(), v, v + n)
    found.total = (): number => heldIn((telling as Telling).maps(), 0, Infinity)
  }
  if (telling?.maps !== undefined && telling.collapse !== undefined)
    found.advised = (v): string => adviceAt((telling as Telling).maps(), v)
  if (telling !== undefined && promised(telling) !== null) found.charged = (): number => promised(telling) ?? NaN
  if (telling?.collapse !== undefined) found.collapse = (v, n): void => (telling as Telling).collapse(v, n)
  if (telling?.takeForfeit !== undefined) found.takeForfeit = (): void => (telling as Telling).takeForfeit()
  if (telling?.setLimits !== undefined) found.setLimits = (limits): void => (telling as Telling).setLimits(limits)
  if (telling?.lockAll !== undefined) found.lockAll = (): void => (telling as Telling).lockAll()
  return found
}

// A real kernel counts all processes, so it is not asked.
/** The bytes that a simulated kernel has promised; null: it does not tell. */
function promised(kernel: Partial<Telling>): number | null {
  if (kernel.residence === undefined) return null
  return kernel.committed ?? kernel.limits?.().committed ?? null
}

function faults(kernel: Telling, v: Address, access: 'read' | 'write'): boolean {
  try {
    kernel.touch(v, 1, access)
    return false
  } catch (error) {
    // Another error (no memory left for the page) is not a fault, so pass it on.
    if ((error as { code?: unknown }).code === 'ERR_MEMLAYER_SIM_FAULT') return true
    throw error
  }
}

/** The letters of a mapping's advice on huge pages, as Linux has them in smaps. */
function adviceAt(maps: readonly Mapping[], v: Address): string {
  const mapping = maps.find(({ start, end }) => v >= start && v < end)
  return ['hg', 'nh'].filter((flag) => mapping?.flags.includes(flag)).join(' ')
}

function heldIn(maps: readonly Mapping[], from: Address, to: Address): number {
  let sum = 0
  for (const { start, end, flags } of maps) {
    if (end > from && start < to && !flags.includes('occupied')) sum += Math.min(end, to) - Math.max(start, from)
  }
  return sum
}
