// The table of faults: each function of the OS contract × each way of being wrong. A fault changes a backend from
// outside, so the same table serves every backend. table.ts puts the rows together.
import type { OS } from '@memlayer/core'

/** A function of a backend, with its arguments as they come. */
export type Call = (...args: readonly never[]) => unknown

/** A backend that a fault changes. */
export interface Patient {
  readonly os: OS
  /** Bytes in a page. */
  readonly page: number
  /** The number of calls that the kernel has refused so far. */
  refusals(): number
  /** The backend that was made before this one, in another case or in the same; null: this is the first. */
  readonly before: OS | null
}

/** The members of a backend that a fault replaces. */
export type Change = Readonly<Record<string, unknown>>

/** One row of the table. */
export interface Fault {
  /** The function that is wrong: `'sysUnusedOS'`, `'host.read'`. */
  readonly fn: string
  /** How it is wrong, in words. */
  readonly way: string
  /** Makes the members of one wrong backend. A fault that counts counts in here. */
  change(patient: Patient): Change
  /** Changes the kernel that the backend sees. */
  kernel?(right: object): object
}

/** The name of a fault: the function, and how it is wrong. It stays the same from run to run. */
export function nameOf({ fn, way }: Pick<Fault, 'fn' | 'way'>): string {
  return `${fn} ${way}`
}

/** An object like `target`, but with the members of `change`, getters too. Methods are called on `target`. */
export function over<T extends object>(target: T, change: Change, onCall?: (call: () => unknown) => unknown): T {
  // The proxy stands over an object of its own, because a frozen member of `target` may not be replaced.
  return new Proxy({} as T, {
    has: (_, name) => Object.hasOwn(change, name) || name in target,
    set: (_, name, value) => Reflect.set(target, name, value, target),
    get(_, name) {
      const from: object = Object.hasOwn(change, name) ? change : target
      const member: unknown = Reflect.get(from, name, from)
      if (typeof member !== 'function') return member
      const call = (...args: unknown[]): unknown => Reflect.apply(member as Call, target, args)
      return onCall === undefined ? call : (...args: unknown[]) => onCall(() => call(...args))
    },
  })
}
