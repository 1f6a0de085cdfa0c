// Ways in which the rest of a backend is wrong: its views, its traits, and what it keeps of a refusal.
import type { OS, Refusal, Traits } from '@memlayer/core'
import { detachView } from '@memlayer/kernel'
import type { Change, Fault, Patient } from './fault.js'

type View = (v: number, n: number) => ArrayBuffer

const viewWays: Readonly<Record<string, (right: View, page: number) => View>> = {
  'shows the next page': (right, page) => (v, n) => right(v + page, n),
  'shows the page before': (right, page) => (v, n) => right(v - page, n),
  'shows a byte less': (right) => (v, n) => right(v, n > 1 ? n - 1 : n),
  'shows a page more': (right, page) => (v, n) => right(v, n + page),
  'shows at most 64 pages': (right, page) => (v, n) => right(v, Math.min(n, 64 * page)),
  'shows at most 1 MiB': (right) => (v, n) => right(v, Math.min(n, 2 ** 20)),
  'shows a copy': (right) => (v, n) => right(v, n).slice(0),
  'shows a copy beyond 1 MiB': (right) => (v, n) => (n > 2 ** 20 ? right(v, n).slice(0) : right(v, n)),
  'shows a copy of a single page': (right, page) => (v, n) => (n === page ? right(v, n).slice(0) : right(v, n)),
  'shows zeroes': () => (_v, n) => new ArrayBuffer(n),
  'shows the first range again': (right) => {
    const seen = new Map<number, ArrayBuffer>()
    return (v, n) => {
      const buffer = seen.get(n) ?? right(v, n)
      seen.set(n, buffer)
      return buffer
    }
  },
  'shows the length that an address had first': (right) => {
    const seen = new Map<number, ArrayBuffer>()
    return (v, n) => {
      const kept = seen.get(v)
      const buffer = kept !== undefined && kept.byteLength > 0 ? kept : right(v, n)
      seen.set(v, buffer)
      return buffer
    }
  },
  'shows another range each thousandth time': (right, page) => {
    let count = 0
    return (v, n) => right((count += 1) % 1000 === 0 ? v + page : v, n)
  },
}

/** Each trait that is another than the backend's own. */
function traitWays(os: OS): [way: string, traits: Partial<Traits>][] {
  const { pageSize, hugePageSize, granularity } = os.traits
  const huge = hugePageSize === 0 ? 2 ** 21 : hugePageSize
  return [
    ...Object.entries(os.traits)
      .filter(([, value]) => typeof value === 'boolean')
      .map(([flag, value]): [string, Partial<Traits>] => [
        `${value ? 'denies' : 'claims'} ${flag}`,
        { [flag]: !value },
      ]),
    ['tells pages of half the size', { pageSize: pageSize / 2 }],
    ['tells pages of 3 bytes', { pageSize: 3 }],
    hugePageSize === 0
      ? ['tells huge pages that are not there', { hugePageSize: huge }]
      : ['tells of no huge pages', { hugePageSize: 0 }],
    ['tells huge pages of half the size', { hugePageSize: huge / 2 }],
    ['tells huge pages of twice the size', { hugePageSize: huge * 2 }],
    ['tells a granularity of twice the size', { granularity: granularity * 2 }],
    ['tells a granularity of 1 MiB', { granularity: 2 ** 20 }],
    ['tells a granularity below the page', { granularity: pageSize / 2 }],
  ]
}

/** Traits with some that are other. A trait that changes while the backend lives still does. */
function withTraits(right: Traits, other: Partial<Traits>): Traits {
  const own = Object.getOwnPropertyDescriptors(right)
  return Object.defineProperties({}, { ...own, ...Object.getOwnPropertyDescriptors(other) }) as Traits
}

const refusalWays: Readonly<Record<string, (right: Refusal) => Refusal | null>> = {
  'is not kept': () => null,
  'has another error number': (right) => ({ ...right, errno: (right.errno ?? 0) + 1 }),
  'has a negative error number': (right) => ({ ...right, errno: -(right.errno ?? 1) }),
  'has another name for the number': (right) => ({ ...right, errnoName: 'EOTHER' }),
  'has no name for the number': ({ syscall = '', errno = 0, hint }) => ({ syscall, errno, hint }),
  'names another kernel call': (right) => ({ ...right, syscall: 'other' }),
  'names no kernel call': ({ errno = 0, errnoName = '', hint }) => ({ errno, errnoName, hint }),
  'has no hint': (right) => ({ ...right, hint: '' }),
}

/** A listener takes the place of the one before it. */
function oneListener({ os }: Patient): Change {
  let remove = (): void => undefined
  return {
    onDetach(listener: () => void): () => void {
      remove()
      remove = os.onDetach?.(listener) ?? remove
      return () => remove()
    },
  }
}

/** Takes memory each time that it ends a view. */
function costlyDetach({ os }: Patient): Change {
  return {
    detach(buffer: ArrayBuffer): void {
      os.sysReserveOS(null, Math.max(os.traits.pageSize, os.traits.granularity))
      if (os.detach === undefined) detachView(buffer)
      else os.detach(buffer)
    },
  }
}

/** The host's functions, each taken from the kernel and called without it. */
function unboundHost({ os }: Patient): Change {
  const host = new Proxy(os.host ?? {}, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown => Reflect.apply(member, undefined, args) as unknown
    },
  })
  return { host }
}

/** Functions that a kernel may not know, and that tell so. */
const learning = ['sysPopulateOS', 'sysZeroOS', 'sysUnusedAllOS', 'sysRoomOS'] as const

/** What the kernel of the backend before said no to is not asked of this one. */
function learnedElsewhere(fn: (typeof learning)[number]): Fault {
  const refused = new WeakSet<OS>()
  return {
    fn,
    way: 'keeps in the module that a kernel refused',
    change: ({ os, before }) => ({
      [fn](...args: never[]): unknown {
        if (before !== null && refused.has(before)) return false
        const answer: unknown = Reflect.apply(os[fn] as (...given: never[]) => unknown, os, args)
        if (answer === false) refused.add(os)
        return answer
      },
    }),
  }
}

/** The faults of what is no transition. */
export function factFaults(os: OS, kernel: object | undefined): Fault[] {
  return [
    ...Object.entries(viewWays).map(([way, wrong]): Fault => ({
      fn: 'view',
      way,
      change: (patient) => ({ view: wrong((v, n) => patient.os.view(v, n), patient.page) }),
    })),
    ...traitWays(os).map(([way, traits]): Fault => ({
      fn: 'traits',
      way,
      change: (patient) => ({ traits: Object.freeze(withTraits(patient.os.traits, traits)) }),
    })),
    { fn: 'traits', way: 'are not frozen', change: (patient) => ({ traits: withTraits(patient.os.traits, {}) }) },
    { fn: 'name', way: 'is empty', change: () => ({ name: '' }) },
    ...Object.entries(refusalWays).map(([way, wrong]) => refusalFault(way, wrong)),
    {
      fn: 'refusal',
      way: 'is shared with the backend that was made before',
      change: ({ os: right, before }) =>
        Object.defineProperty({}, 'refusal', { enumerable: true, get: () => right.refusal ?? before?.refusal ?? null }),
    },
    { fn: 'detach', way: 'ends no view', change: () => ({ detach: () => undefined }) },
    { fn: 'detach', way: 'takes memory each time', change: costlyDetach },
    // Where the host is the kernel itself, its functions need it.
    ...(os.host !== undefined && os.host === kernel
      ? [{ fn: 'host', way: 'calls the kernel without the kernel', change: unboundHost }]
      : []),
    ...learning.filter((fn) => os[fn] !== undefined).map(learnedElsewhere),
    ...(os.onDetach === undefined
      ? []
      : [
          { fn: 'onDetach', way: 'never calls', change: (): Change => ({ onDetach: () => () => undefined }) },
          { fn: 'onDetach', way: 'knows one listener', change: oneListener },
        ]),
  ]
}

/** A fault in what the backend keeps of a refusal. Where it is read, another one is found. */
function refusalFault(way: string, wrong: (right: Refusal) => Refusal | null): Fault {
  return {
    fn: 'refusal',
    way,
    change: ({ os }) =>
      Object.defineProperty({}, 'refusal', {
        enumerable: true,
        get: () => (os.refusal ? wrong(os.refusal) : os.refusal),
      }),
  }
}
