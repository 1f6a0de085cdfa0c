// Ways of being wrong for the functions that take no single range: refusals, views, lists, services of the host, and
// traits.
import { FatalError, type OS } from '@memlayer/core'
import { ends } from './range-faults.js'
import type { Call, Fault, Life } from './wrong-os.js'

/** What a refusal says, wrongly. By name. */
const refusals: Readonly<Record<string, (refusal: Record<string, unknown>) => object | null>> = {
  'hides a refusal': () => null,
  'tells another error number': (refusal) => ({ ...refusal, errno: 1, errnoName: 'EPERM' }),
  'tells another name of the number': (refusal) => ({ ...refusal, errnoName: 'EIO' }),
  'tells another kernel call': (refusal) => ({ ...refusal, syscall: 'sbrk' }),
  'gives no hint': (refusal) => ({ ...refusal, hint: '' }),
}

/** A FatalError with other facts. By name. */
const errors: Readonly<Record<string, (error: FatalError) => unknown>> = {
  'throws an error of its own': ({ message }) => new Error(message),
  'throws an error about another function': (error) => remade(error, { op: 'sysHugePage' }),
  'throws an error about another range': (error) => remade(error, { address: 2 ** 40 }),
  'throws an error with another error number': (error) => remade(error, { errno: 1, errnoName: 'EPERM' }),
  'throws an error about another kernel call': (error) => remade(error, { syscall: 'sbrk' }),
  'throws an error without words': (error) => remade(error, {}, ''),
  'swallows its error': () => null,
}

function remade(error: FatalError, facts: object, words = error.message): FatalError {
  const { op, syscall, errno, errnoName, address, size, hint } = error
  const own = { op, syscall, errno, errnoName, address, size, hint }
  const known = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined))
  return new FatalError(words, { ...known, ...facts })
}

/** The faults of what a function says when the kernel refuses. */
export function refusalFaults(fn: string, how: 'keeps' | 'throws'): Fault[] {
  if (how === 'throws') {
    return Object.entries(errors).map(([way, other]) => ({
      fn,
      way,
      wrong:
        (right) =>
        (...args) => {
          try {
            return right(...args)
          } catch (error) {
            const thrown = other(error as FatalError)
            if (thrown !== null) throw thrown
            return undefined
          }
        },
    }))
  }
  return Object.entries(refusals).map(([way, other]) => ({
    fn,
    way,
    wrong:
      (right: Call, { os }: Life): Call =>
      (...args) => {
        const answer = right(...args)
        if (os.refusal) os.refusal = other({ ...os.refusal }) as OS['refusal'] & object
        return answer
      },
  }))
}

/** The faults of `view`. */
export const viewFaults: readonly Fault[] = [
  view('is a page short', (right, { page }, v, n) => right(v, n > page ? n - page : n)),
  view('is a page long', (right, { page }, v, n) => right(v, n + page)),
  view('begins a page further', (right, { page }, v, n) => right(n > page ? v + page : v, n)),
  view('is a copy', (right, _life, v, n) => (right(v, n) as ArrayBuffer).slice(0)),
  view('is a copy beyond 1 MiB', (right, _life, v, n) => {
    const buffer = right(v, n) as ArrayBuffer
    return n > 2 ** 20 ? buffer.slice(0) : buffer
  }),
  view('is empty', () => new ArrayBuffer(0)),
  view('has at most 64 pages', (right, { page }, v, n) => right(v, Math.min(n, 64 * page))),
  view('has at most 2 MiB', (right, _life, v, n) => right(v, Math.min(n, 2 ** 21))),
  ...Object.entries(ends).map(([way, hasEnded]) =>
    view(way, (right, life, v, n) => (hasEnded(life) ? new ArrayBuffer(n) : right(v, n))),
  ),
]

function view(way: string, wrong: (right: Call, life: Life, v: number, n: number) => unknown): Fault {
  return { fn: 'view', way, wrong: (right, life) => (v, n) => wrong(right, life, v as number, n as number) }
}

/** The faults of `detach`. */
export const detachFaults: readonly Fault[] = [
  { fn: 'detach', way: 'does nothing', wrong: () => () => undefined },
  ...Object.entries(ends).map(([way, hasEnded]) => ({
    fn: 'detach',
    way,
    wrong:
      (right: Call, life: Life): Call =>
      (buffer) =>
        hasEnded(life) ? undefined : right(buffer),
  })),
]

/** The faults of `onDetach`. */
export const onDetachFaults: readonly Fault[] = [
  { fn: 'onDetach', way: 'never tells', wrong: () => () => () => undefined },
  {
    fn: 'onDetach',
    way: 'tells once',
    wrong: (right) => (listener) => {
      let isTold = false
      return right(() => {
        if (!isTold) (listener as () => void)()
        isTold = true
      })
    },
  },
  {
    fn: 'onDetach',
    way: 'goes on to tell a listener that was removed',
    wrong: (right) => (listener) => {
      right(listener)
      return () => undefined
    },
  },
  {
    fn: 'onDetach',
    way: 'knows one listener',
    wrong(right) {
      let end: unknown = null
      return (listener) => {
        if (typeof end === 'function') Reflect.apply(end, undefined, [])
        end = right(listener)
        return end
      }
    },
  },
]

/** The faults of sysUnusedAllOS. */
export const listFaults: readonly Fault[] = [
  list('does nothing', () => []),
  list('leaves the last range', (pairs) => pairs.slice(0, -2)),
  list('leaves the first range', (pairs) => pairs.slice(2)),
  list('does every second range', (pairs) => pairs.filter((_, i) => i % 4 < 2)),
  list('does at most 1,024 ranges', (pairs) => pairs.slice(0, 2048)),
  list('does at most 1,023 ranges', (pairs) => pairs.slice(0, 2046)),
  list('does at most 4,096 ranges', (pairs) => pairs.slice(0, 8192)),
  list('takes a page more after each', (pairs, { page }) => pairs.map((x, i) => (i % 2 === 0 ? x : x + page))),
  list('does each a page further', (pairs, { page }) => pairs.map((x, i) => (i % 2 === 0 ? x + page : x))),
  list('leaves the last page of each', (pairs, { page }) => pairs.map((x, i) => (i % 2 === 0 ? x : x - page))),
  list('takes a page more beyond 1,024 ranges', (pairs, { page }) =>
    pairs.map((x, i) => (i % 2 === 1 && i > 2048 ? x + page : x)),
  ),
  list('cuts sizes to 32 bits', (pairs) => pairs.map((x, i) => (i % 2 === 0 ? x : x % 2 ** 32))),
  ...Object.entries(ends).map(([way, hasEnded]) => list(way, (pairs, life) => (hasEnded(life) ? [] : pairs))),
  {
    fn: 'sysUnusedAllOS',
    way: 'says yes always',
    wrong: (right) => (ranges) => {
      right(ranges)
      return true
    },
  },
]

function list(way: string, bend: (pairs: number[], life: Life) => number[]): Fault {
  return {
    fn: 'sysUnusedAllOS',
    way,
    wrong: (right, life) => (ranges) => {
      const bent = bend(Array.from(ranges as ArrayLike<number>), life)
      const kept = bent.flatMap((v, i) => (i % 2 === 0 && (bent[i + 1] ?? 0) > 0 ? [v, bent[i + 1] ?? 0] : []))
      return kept.length === 0 ? true : right(kept)
    },
  }
}

type Copy = (right: Call, life: Life, v: number, bytes: Uint8Array) => unknown

const copies: Readonly<Record<string, Copy>> = {
  'does nothing': () => undefined,
  'leaves the last byte': (right, _life, v, bytes) => right(v, bytes.subarray(0, -1)),
  'leaves the first byte': (right, _life, v, bytes) => right(v + 1, bytes.subarray(1)),
  'copies at most a page': (right, { page }, v, bytes) => right(v, bytes.subarray(0, page)),
  'copies at most 64 KiB': (right, _life, v, bytes) => right(v, bytes.subarray(0, 65536)),
  'copies at most 1 MiB': (right, _life, v, bytes) => right(v, bytes.subarray(0, 2 ** 20)),
  'copies from the start of the page': (right, { page }, v, bytes) => right(v - (v % page), bytes),
  'copies a byte further': (right, _life, v, bytes) => right(v + 1, bytes),
  ...Object.fromEntries(
    Object.entries(ends).map(([way, hasEnded]): [string, Copy] => [
      way,
      (right, life, v, bytes) => (hasEnded(life) ? undefined : right(v, bytes)),
    ]),
  ),
}

/** The faults of host.read and host.write. */
export function copyFaults(fn: 'host.read' | 'host.write'): Fault[] {
  return Object.entries(copies).map(([way, copy]) => ({
    fn,
    way,
    wrong: (right, life) => (v, bytes) => copy(right, life, v as number, bytes as Uint8Array),
  }))
}

/** The faults of host.mappings. */
export const mappingFaults: readonly Fault[] = [
  mappings('counts twice', ({ used, limit }) => ({ used: 2 * used, limit: 2 * limit })),
  mappings('counts none', ({ limit }) => ({ used: 0, limit })),
  mappings('counts half', ({ used, limit }) => ({ used: Math.floor(used / 2), limit })),
  mappings('tells no limit', ({ used }) => ({ used, limit: 0 })),
  {
    fn: 'host.mappings',
    way: 'remembers its first answer',
    wrong(right) {
      let first: unknown
      return () => (first ??= right())
    },
  },
]

function mappings(way: string, wrong: (right: { used: number; limit: number }) => unknown): Fault {
  return { fn: 'host.mappings', way, wrong: (right) => () => wrong(right() as { used: number; limit: number }) }
}

/** The faults of the traits: each flag the other way round, and sizes that are not the kernel's. */
export function traitFaults(os: OS): Fault[] {
  return Object.keys(os.traits).flatMap((name): Fault[] => {
    const value: unknown = Reflect.get(os.traits, name)
    const fn = `traits.${name}`
    if (typeof value === 'boolean') return [{ fn, way: value ? 'is denied' : 'is claimed', trait: (is) => is !== true }]
    if (name === 'hugePageSize' && value === 0) return [{ fn, way: 'is claimed', trait: () => 2 ** 21 }]
    const larger: Fault = { fn, way: 'is twice as large', trait: (size) => 2 * Number(size) }
    if (name === 'hugePageSize') return [larger, { fn, way: 'is denied', trait: () => 0 }]
    const isHalf = name === 'granularity' && os.traits.granularity > os.traits.pageSize
    return isHalf ? [larger, { fn, way: 'is a page', trait: () => os.traits.pageSize }] : [larger]
  })
}
