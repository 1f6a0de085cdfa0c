// What recording and failing share: a port of the same shape, whose kernel calls pass
// through one function. Facts (pageSize, limits, view) go straight to the port below.

import type { PosixKernel } from './port.js'

/** The members of the ports that ask something of the kernel, and what each answers when it refuses. */
const kernelCalls: ReadonlyMap<string, (errno: number) => number> = new Map([
  ['mmap', (errno: number) => -errno],
  ['munmap', (errno: number) => -errno],
  ['mprotect', (errno: number) => -errno],
  ['madvise', (errno: number) => -errno],
  ['madviseAll', (errno: number) => -errno],
  ['virtualAlloc', (errno: number) => -errno],
  ['virtualFree', (errno: number) => -errno],
  ['brk', () => -1],
  ['growMemory', () => -1],
  ['discard', () => -1],
])

/**
 * What the call `fn` of a port answers when the kernel refuses it with an error number; null: it is no call
 * that can be refused. A port with calls of its own names them in a member `kernelCalls`, and each
 * answers with minus the error number.
 */
export function refusalOf(kernel: object, fn: string): ((errno: number) => number) | null {
  const own: unknown = Reflect.get(kernel, 'kernelCalls')
  if (Array.isArray(own) && own.includes(fn)) return (errno) => -errno
  return kernelCalls.get(fn) ?? null
}

/** Calls that cannot be refused; they are recorded, and never made to fail. */
export const sureCalls: ReadonlySet<string> = new Set(['clear', 'currentMemory', 'resetMemoryDataView'])

type Call = (...args: number[]) => number

/** A port like `kernel`, each of whose kernel calls is made by `around`. */
export function decorate<K extends object>(kernel: K, around: (fn: string, args: number[], call: Call) => number): K {
  const port: Record<string, unknown> = {}
  for (const name of memberNames(kernel)) {
    const member: unknown = Reflect.get(kernel, name)
    if (typeof member !== 'function') {
      Object.defineProperty(port, name, { enumerable: true, get: () => Reflect.get(kernel, name) as unknown })
      continue
    }
    const call = name === 'madviseAll' ? flat(kernel) : (member.bind(kernel) as Call)
    const isKernelCall = refusalOf(kernel, name) !== null || sureCalls.has(name)
    port[name] =
      name === 'madviseAll'
        ? (ranges: ArrayLike<number>, advice: number) => around(name, [...Array.from(ranges), advice], call)
        : isKernelCall
          ? (...args: number[]) => around(name, args, call)
          : call
  }
  return port as K
}

/** madviseAll over numbers alone, as calls are written down: the pairs, and the advice last. */
function flat(kernel: Pick<PosixKernel, 'madviseAll'>): Call {
  return (...args) => kernel.madviseAll?.(args.slice(0, -1), args.at(-1) ?? 0) ?? 0
}

/** Own and inherited members, so that a port may be a class. */
function memberNames(kernel: object): Set<string> {
  const names = new Set<string>()
  for (let at = kernel; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const name of Object.getOwnPropertyNames(at)) if (name !== 'constructor') names.add(name)
  }
  return names
}
