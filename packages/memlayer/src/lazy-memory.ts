// A memory that is made at its first use. memory.ts and engine.ts export one each.
import { createMemory, type Limit, type LimitOptions, type Memory, type OS } from '@memlayer/core'
import type { Choice } from './choice.js'
import { environment } from './environment.js'
import { limitOf } from './limit.js'
import type { Requirement } from './requirement.js'

/** The memory of this host. Every method may be taken off the object: `const { reserve } = memory`. */
export interface HostMemory extends Memory {
  /** The backend below, and why it is that one. */
  readonly choice: Choice
  /**
   * Demands a backend of an operating system: `memory.require({ backend: 'native' })`. Call it first, and a host that
   * has only os-js gets an error in place of the fallback's warning. Default: os-js serves there.
   *
   * @throws BackendError ERR_MEMLAYER_BACKEND when os-js would serve, for whatever reason.
   * @throws UsageError ERR_MEMLAYER_OPTION for any other requirement.
   */
  require(wanted: Requirement): void
}

/** Where a lazy memory gets its backend. */
export interface Home {
  /** The choice. The first call makes it. */
  host(): { readonly choice: Choice; readonly os: OS }
  /** `memory.require`. */
  require(wanted: Requirement): void
}

/** The methods of a memory. One that core adds and this list lacks does not compile. */
const methods: Readonly<Record<Exclude<keyof Memory, 'os' | 'limit' | 'toString'>, true>> = {
  sysAlloc: true,
  sysUnused: true,
  sysUsed: true,
  sysHugePage: true,
  sysPopulate: true,
  sysFree: true,
  sysFault: true,
  sysReserve: true,
  sysReserveAligned: true,
  sysMap: true,
  sysUnusedAll: true,
  reserve: true,
  adopt: true,
  view: true,
  attach: true,
  regions: true,
  leaks: true,
  holds: true,
  mappings: true,
  reclaimer: true,
  onPressure: true,
  scavenge: true,
  stat: true,
  stats: true,
  residency: true,
  explain: true,
  trimHost: true,
  hostLimits: true,
  ranges: true,
  check: true,
  observe: true,
}

/** Under this symbol an object has what console.log prints of it. */
const inspected = /* @__PURE__ */ Symbol.for('nodejs.util.inspect.custom')

type Method = (...given: unknown[]) => unknown

/** A memory whose first call makes it. From then on its methods are those of the memory that was made. */
export function lazyMemory({ host, require }: Home): HostMemory {
  let made: Memory | undefined
  const make = (): Memory => {
    if (made !== undefined) return made
    const limit = limitOf(environment().limit)
    made = createMemory(host().os)
    made.limit = limit
    return made
  }
  const lazy: Record<string, unknown> = {
    require,
    get choice(): Choice {
      return host().choice
    },
    get os(): OS {
      return make().os
    },
    get limit(): Limit | null {
      return make().limit
    },
    set limit(given: LimitOptions | null) {
      make().limit = given
    },
  }
  // console.log chooses no backend.
  const toString = (): string => (made === undefined ? 'Memory of this host, not used yet' : made.toString())
  Object.defineProperties(lazy, { toString: hidden(toString), [inspected]: hidden(toString) })
  const firsts: Record<string, Method> = {}
  let bound: Record<string, Method> | undefined
  const settle = (): Record<string, Method> => {
    const memory = make() as unknown as Record<string, Method>
    bound = Object.fromEntries(Object.keys(methods).map((name) => [name, (memory[name] as Method).bind(memory)]))
    for (const name of Object.keys(methods)) replace(lazy, name, firsts[name], bound[name])
    return bound
  }
  for (const name of Object.keys(methods)) {
    // A program may keep this function, so it finds out each time whether it is the first call.
    const first: Method = (...given) => {
      const method = (bound ?? settle())[name] as Method
      // A region's stack begins in the program, so this function names itself.
      return name === 'reserve' ? method(given[0], given[1], first) : method(...given)
    }
    firsts[name] = first
    lazy[name] = first
  }
  return lazy as unknown as HostMemory
}

/** Replaces a method, unless the program has frozen the memory or has put another one there (a mock of a test). */
function replace(lazy: Record<string, unknown>, name: string, from: unknown, to: unknown): void {
  const found = Object.getOwnPropertyDescriptor(lazy, name)
  if (found?.value === from && found?.writable === true) lazy[name] = to
}

/** A property that is not listed. A descriptor that inherited a getter could not have a value. */
function hidden(value: unknown): PropertyDescriptor {
  return Object.assign(Object.create(null) as PropertyDescriptor, { value })
}
