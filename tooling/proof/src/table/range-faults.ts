// Ways of being wrong for a function over a range [v, v+n), and for a function that obtains one.
import { detachView } from '@memlayer/kernel'
import type { OS } from '@memlayer/core'
import type { Call, Fault, Life } from './wrong-os.js'

const MIB = 2 ** 20
const GIB = 2 ** 30

/** A wrong range, made from the right one. Null: the function does nothing. */
type Bend = (v: number, n: number, page: number) => readonly [v: number, n: number] | null

/** Wrong ranges, by name. */
const bends: Readonly<Record<string, Bend>> = {
  'does nothing': () => null,
  'leaves the last page': (v, n, page) => (n === page ? null : [v, n - page]),
  'leaves the first page': (v, n, page) => (n === page ? null : [v + page, n - page]),
  'does half': (v, n, page) => (n === page ? null : [v, Math.floor(n / page / 2) * page]),
  'takes a page more after it': (v, n, page) => [v, n + page],
  'takes a page more before it': (v, n, page) => [v - page, n + page],
  'does it a page further': (v, n, page) => [v + page, n],
  'does at most 64 pages': (v, n, page) => [v, Math.min(n, 64 * page)],
  'does at most 1 MiB': (v, n) => [v, Math.min(n, MIB)],
  'does at most 2 MiB': (v, n) => [v, Math.min(n, 2 * MIB)],
  'does at most 8 MiB': (v, n) => [v, Math.min(n, 8 * MIB)],
  'does at most 4 GiB': (v, n) => [v, Math.min(n, 4 * GIB)],
  'is a page short beyond 64 pages': (v, n, page) => [v, n > 64 * page ? n - page : n],
  'is a page short beyond 2 MiB': (v, n, page) => [v, n > 2 * MIB ? n - page : n],
  'is a page long beyond 1 MiB': (v, n, page) => [v, n > MIB ? n + page : n],
  'is a page long beyond 1 GiB': (v, n, page) => [v, n > GIB ? n + page : n],
  'cuts the size to 32 bits': (v, n) => (n % 2 ** 32 === 0 ? null : [v, n % 2 ** 32]),
  'does nothing for a single page': (v, n, page) => (n === page ? null : [v, n]),
  'does nothing for 65 pages': (v, n, page) => (n === 65 * page ? null : [v, n]),
  'does nothing at low addresses': (v, n) => (v < 2 ** 32 ? null : [v, n]),
}

/** The size up to which a fault does not show, by its words. Absent: it shows at any size. */
export const hiddenUpTo: Readonly<Record<string, number>> = {
  'does at most 4 GiB': 4 * GIB,
  'has at most 4 GiB': 4 * GIB,
  'cuts the size to 32 bits': 4 * GIB,
  'cuts sizes to 32 bits': 4 * GIB,
  'is a page long beyond 1 GiB': GIB,
  'is a page short beyond 1 GiB': GIB,
  'refuses more than 1 GiB': GIB,
}

/** When a function stops to work, by name. */
export const ends: Readonly<Record<string, (life: Life) => boolean>> = {
  'works once': ({ calls }) => calls > 1,
  'works twice': ({ calls }) => calls > 2,
  'works a thousand times': ({ calls }) => calls > 1000,
  'works until a refusal': ({ refusals }) => refusals > 0,
  'works until a second refusal': ({ refusals }) => refusals > 1,
  'stops when another instance begins'(life) {
    life.shared.newest = Math.max(life.shared.newest, life.id)
    return life.id < life.shared.newest
  },
}

/** What a function may do in the place of another. */
const others: Readonly<Record<string, readonly (keyof OS)[]>> = {
  sysUnusedOS: ['sysFaultOS', 'sysUsedOS'],
  sysUsedOS: ['sysMapOS', 'sysFaultOS'],
  sysHugePageOS: ['sysNoHugePageOS', 'sysUnusedOS'],
  sysFreeOS: ['sysFaultOS', 'sysUnusedOS'],
  sysFaultOS: ['sysUnusedOS', 'sysFreeOS'],
  sysMapOS: ['sysUsedOS', 'sysFaultOS'],
  sysNoHugePageOS: ['sysHugePageOS', 'sysUnusedOS'],
  sysPopulateOS: ['sysUsedOS', 'sysMapOS'],
  sysRenewOS: ['sysUnusedOS', 'sysFaultOS'],
  sysRetireOS: ['sysFreeOS', 'sysUnusedOS'],
}

/** The faults of a function over a range. `done` is its answer when all went well. */
export function rangeFaults(fn: string, done?: boolean): Fault[] {
  const bent = Object.entries(bends).map(([way, bend]) => ({ fn, way, wrong: bending(bend, done) }))
  const ended = Object.entries(ends).map(([way, hasEnded]) => ({
    fn,
    way,
    wrong:
      (right: Call, life: Life): Call =>
      (...args) =>
        hasEnded(life) ? done : right(...args),
  }))
  const swapped = (others[fn] ?? []).map((other) => ({
    fn,
    way: `does what ${other} does`,
    wrong:
      (_right: Call, { os }: Life): Call =>
      (v, n) => {
        const call: unknown = Reflect.get(os, other, os)
        if (typeof call === 'function') Reflect.apply(call, os, [v, n])
        return done
      },
  }))
  return [...bent, ...ended, ...swapped, twice(fn), ...(done === undefined ? [] : answers(fn))]
}

function bending(bend: Bend, done: boolean | undefined): (right: Call, life: Life) => Call {
  return (right, { page }) =>
    (v, n, ...rest) => {
      const range = bend(v as number, n as number, page)
      return range === null ? done : right(...range, ...rest)
    }
}

function twice(fn: string): Fault {
  return {
    fn,
    way: 'does it twice',
    wrong:
      (right) =>
      (...args) => {
        right(...args)
        return right(...args)
      },
  }
}

/** Lies of a function that answers whether it did it. */
function answers(fn: string): Fault[] {
  return [
    {
      fn,
      way: 'says no, having done it',
      wrong:
        (right) =>
        (...args) =>
          right(...args) === null,
    },
    {
      fn,
      way: 'says yes always',
      wrong:
        (right) =>
        (...args) =>
          right(...args) !== undefined,
    },
  ]
}

/** Wrong sizes of what is obtained, by name. */
const sizes: Readonly<Record<string, (n: number, page: number) => number>> = {
  'comes a page short': (n, page) => (n > page ? n - page : n),
  'comes a page too long': (n, page) => n + page,
  'has at most 64 pages': (n, page) => Math.min(n, 64 * page),
  'has at most 1 MiB': (n) => Math.min(n, MIB),
  'has at most 8 MiB': (n) => Math.min(n, 8 * MIB),
  'has at most 4 GiB': (n) => Math.min(n, 4 * GIB),
  'is a page short beyond 64 pages': (n, page) => (n > 64 * page ? n - page : n),
  'is a page short beyond 1 GiB': (n, page) => (n > GIB ? n - page : n),
  'is a page long beyond 2 MiB': (n, page) => (n > 2 * MIB ? n + page : n),
  'cuts the size to 32 bits': (n, page) => (n % 2 ** 32 === 0 ? page : n % 2 ** 32),
}

type Obtain = (
  life: Life,
  right: (n: number, v?: number | null) => number | null,
  v: number | null,
  n: number,
) => unknown

/** Other ways of obtaining memory wrongly, by name. */
const obtains: Readonly<Record<string, Obtain>> = {
  'refuses without a reason': () => null,
  'refuses, having obtained it': (_life, right, _v, n) => (right(n) === null ? null : null),
  'answers an address a page further': ({ page }, right, _v, n) => plus(right(n + page), page),
  'obtains it twice': (_life, right, v, n) => (right(n, v), right(n)),
  'refuses more than 1 MiB': (_life, right, v, n) => (n > MIB ? null : right(n, v)),
  'refuses more than 1 GiB': (_life, right, v, n) => (n > GIB ? null : right(n, v)),
  'leaves a page dirty beyond 1 MiB'({ os, page }, right, v, n) {
    const p = right(n, v)
    if (p !== null && n > MIB) stain(os, p + n - page, page)
    return p
  },
}

/** Hints that are taken wrongly, by name. */
const hints: Readonly<Record<string, (life: Life, v: number, n: number) => boolean>> = {
  'drops the hint': () => false,
  'drops a hint for more than 1 MiB': (_life, _v, n) => n <= MIB,
  'drops a hint for a single page': ({ page }, _v, n) => n > page,
  'drops a hint at a low address': (_life, v) => v >= 2 ** 32,
  'drops the third hint': ({ calls }) => calls < 3,
  'drops hints after a refusal': ({ refusals }) => refusals === 0,
  'drops hints after a thousand calls': ({ calls }) => calls <= 1000,
}

/** The faults of sysAllocOS and sysReserveOS. */
export function obtainFaults(fn: 'sysAllocOS' | 'sysReserveOS'): Fault[] {
  const isReserve = fn === 'sysReserveOS'
  const own =
    (obtain: Obtain) =>
    (right: Call, life: Life): Call =>
    (...args) => {
      const [v, n] = (isReserve ? args : [null, args[0]]) as [number | null, number]
      const call = (m: number, w: number | null = null): number | null =>
        (isReserve ? right(w, m) : right(m)) as number | null
      return obtain(life, call, v, n)
    }
  const sized = Object.entries(sizes).map(([way, size]) => ({
    fn,
    way,
    wrong: own((life, right, v, n) => right(size(n, life.page), v)),
  }))
  const other = Object.entries(obtains).map(([way, obtain]) => ({ fn, way, wrong: own(obtain) }))
  const ended = Object.entries(ends).map(([way, hasEnded]) => ({
    fn,
    way,
    wrong: own((life, right, v, n) => (hasEnded(life) ? null : right(n, v))),
  }))
  const hinted = Object.entries(hints).map(([way, takes]) => ({
    fn,
    way,
    wrong: own((life, right, v, n) => right(n, v !== null && takes(life, v, n) ? v : null)),
  }))
  return [...sized, ...other, ...ended, ...(isReserve ? hinted : []), ...keepers(fn), swap(fn)]
}

/** Each has the other's function in its place. */
function swap(fn: 'sysAllocOS' | 'sysReserveOS'): Fault {
  return fn === 'sysAllocOS'
    ? {
        fn,
        way: 'does what sysReserveOS does',
        wrong:
          (_right, { os }) =>
          (n) =>
            os.sysReserveOS(null, n as number),
      }
    : {
        fn,
        way: 'does what sysAllocOS does',
        wrong:
          (_right, { os }) =>
          (_v, n) =>
            os.sysAllocOS(n as number),
      }
}

/** A backend that keeps memory of one size, and hands it out as it was left. */
function keepers(fn: 'sysAllocOS' | 'sysReserveOS'): Fault[] {
  return [1, 7, 33].map((pages) => {
    const kept: { v: number; id: number }[] = []
    return {
      fn,
      way: `hands out freed memory of ${pages} pages as it was left`,
      wrong:
        (right: Call, { id, page }: Life): Call =>
        (...args) => {
          const n = args.at(-1)
          const at = kept.findIndex((one) => one.id === id)
          return n === pages * page && at !== -1 ? kept.splice(at, 1)[0]?.v : right(...args)
        },
      and: {
        fn: 'sysFreeOS',
        wrong:
          (right: Call, { id, page }: Life): Call =>
          (v, n) => {
            if (n === pages * page) kept.push({ v: v as number, id })
            else right(v, n)
          },
      },
    }
  })
}

function plus(p: number | null, more: number): number | null {
  return p === null ? null : p + more
}

/** Writes a byte at the end of a page, if it can be touched. */
function stain(os: OS, v: number, page: number): void {
  try {
    const buffer = os.view(v, page)
    const bytes = new Uint8Array(buffer, buffer.byteLength === page ? 0 : v, page)
    bytes[page - 1] = 1
    if (buffer.byteLength === page) detachView(buffer)
  } catch {
    // The page is not there to be touched.
  }
}
