// Wraps a backend so that one of its functions is wrong in one way. The wrapper knows nothing of the backend below, so
// one table of faults serves every backend. table.ts lists the faults.
import type { OS } from '@memlayer/core'

/** Any function of a backend or of its host. */
export type Call = (...args: unknown[]) => unknown

/** What a fault knows of the instance that it is in. */
export interface Life {
  /** The backend below. */
  readonly os: OS
  /** Bytes in a page. */
  readonly page: number
  /** A number per instance, in the order in which they were made. */
  readonly id: number
  /** The calls of the wrong function so far, with this one. */
  calls: number
  /** The calls of any function so far that were refused. */
  refusals: number
  /** What all instances of one run have in common. */
  readonly shared: Shared
}

/** What a faulty module keeps for all of its instances. */
export interface Shared {
  /** The instances so far. */
  instances: number
  /** The newest instance that has called the wrong function. */
  newest: number
}

/** One row of the table: a function and its way of being wrong. */
export interface Fault {
  /** The function: `'sysFreeOS'`, `'host.read'`, or `'traits.hints'`. */
  readonly fn: string
  /** What is wrong, in words. */
  readonly way: string
  /** The wrong function, made from the right one. Absent for a trait. */
  readonly wrong?: (right: Call, life: Life) => Call
  /** A second function that is wrong together with it. */
  readonly and?: { readonly fn: string; readonly wrong: (right: Call, life: Life) => Call }
  /** The wrong trait, made from the right one. */
  readonly trait?: (value: unknown) => unknown
}

/** Starts a run: its instances share what this returns. */
export function newShared(): Shared {
  return { instances: 0, newest: 0 }
}

/** The backend with one fault. */
export function wrongOS(os: OS, fault: Fault, shared: Shared): OS {
  shared.instances += 1
  const life: Life = { os, page: os.traits.pageSize, id: shared.instances, calls: 0, refusals: 0, shared }
  const own = new Map<string, unknown>()
  const [owner = '', member = ''] = fault.fn.split('.')
  if (owner === 'traits') own.set('traits', wrongTraits(os, member, fault))
  if (owner === 'host') own.set('host', wrongHost(os, member, fault, life))
  return new Proxy(os, {
    get(target, name) {
      const kept = own.get(String(name))
      if (kept !== undefined) return kept
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      const call = faulty(String(name), (value as Call).bind(target), fault, life)
      own.set(String(name), call)
      return call
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
}

/** Counts refusals, and is wrong where the fault says so. */
function faulty(name: string, right: Call, fault: Fault, life: Life): Call {
  const wrong = fault.fn === name ? fault.wrong : fault.and?.fn === name ? fault.and.wrong : undefined
  const call = wrong?.(right, life) ?? right
  return (...args) => {
    if (fault.fn === name) life.calls += 1
    try {
      const answer = call(...args)
      if (answer === null || (name.endsWith('OS') && (life.os.refusal ?? null) !== null)) life.refusals += 1
      return answer
    } catch (error) {
      life.refusals += 1
      throw error
    }
  }
}

function wrongHost(os: OS, name: string, fault: Fault, life: Life): object {
  return new Proxy(os.host ?? {}, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      const right = (value as Call).bind(target)
      if (key !== name || fault.wrong === undefined) return right
      const wrong = fault.wrong(right, life)
      return (...args: unknown[]) => {
        life.calls += 1
        return wrong(...args)
      }
    },
  })
}

function wrongTraits(os: OS, name: string, { trait }: Fault): object {
  const traits = {}
  for (const key of Object.keys(os.traits)) {
    // Some traits change, so each is read when it is asked for.
    const get = (): unknown => {
      const value: unknown = Reflect.get(os.traits, key)
      return key === name && trait !== undefined ? trait(value) : value
    }
    Object.defineProperty(traits, key, { enumerable: true, get })
  }
  return Object.freeze(traits)
}
