// Ten thousand calls by somebody who means harm, or does not know better, on the real kernel: anything in any
// place, addresses of the engine's own heap, regions that are gone, views kept past everything, tokens changed
// field by field, transitions from inside observers. A shadow says which call is right: that one is done, and any
// other is a UsageError that reached no kernel.
import {
  createMemory,
  GrowableBuffer,
  OutOfMemoryError,
  UsageError,
  type Hold,
  type Memory,
  type Region,
  type RegionState,
  type SharedRegion,
  type ShareToken,
  type SysMemStat,
} from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { record } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-linux'
import { mappings, testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { call, others, type Argument, type Call, type Name } from './hostile-call.js'
import { HostileShadow, type Keep } from './hostile-shadow.js'

const CALLS = 10_000
const page = process.platform === 'linux' ? posixKernel().pageSize : 4096
const engine =
  process.platform === 'linux'
    ? mappings().flatMap(({ permissions, start }) => (permissions.startsWith('rw') ? start : []))
    : []

/** What a call is, and whether the shadow says that it is right; null: who knows. */
interface Judged {
  readonly legal: boolean | null
  readonly run: () => unknown
}

class Scene {
  readonly memory: Memory
  readonly shadow = new HostileShadow(page)
  readonly regions: Region[] = []
  readonly #take: () => unknown[]
  readonly #buffer: GrowableBuffer
  readonly #holds: (Hold | SharedRegion)[] = []
  readonly #tokens: { readonly token: ShareToken; readonly keep: Keep }[] = []
  #inside: Call['inside'] = null
  #nested = 0
  #failure: unknown = null
  #outer: Name = 'reserve'
  readonly ends: Map<string, number>

  constructor(ends: Map<string, number>) {
    this.ends = ends
    const { kernel, take } = record(posixKernel())
    this.#take = () => take().filter(({ fn }) => ['mmap', 'munmap', 'mprotect', 'madvise', 'madviseAll'].includes(fn))
    this.memory = createMemory(createOS({ kernel }))
    this.memory.observe((event) => void (event.outcome === 'done' && this.shadow.done(event)))
    this.memory.observe(() => {
      const inside = this.#inside
      this.#inside = null
      if (inside === null) return
      this.#nested += 1
      try {
        this.make({ ...inside, inside: null }, true)
      } catch (error) {
        // Here it would be an observer's own affair.
        this.#failure ??= error
      }
    })
    for (let i = 0; i < 3; i++) this.#reserve(24 * page)
    for (const region of this.regions) region.commit(0, 16 * page)
    this.#buffer = new GrowableBuffer(this.memory, { maximum: 2 ** 20, length: 5000 })
  }

  /** Makes a call, and holds what comes of it against the shadow. */
  make(one: Call, isInside = false): void {
    const judged = this.#judge(one)
    // Of what was done as one, the shadow has heard a part.
    const isKnown = !(isInside && ['sysUnusedAll', 'unusedAll'].includes(this.#outer))
    if (!isInside) [this.#inside, this.#outer] = [one.inside, one.name]
    const nested = this.#nested
    this.#take()
    let end = 'done'
    try {
      judged.run()
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof OutOfMemoryError)) throw error
      end = error.code
      if (error instanceof OutOfMemoryError && !['sysAlloc', 'sysReserve', 'reserve', 'sysPopulate'].includes(one.name))
        throw error
      if (error instanceof UsageError && judged.legal === true && isKnown && this.#nested === nested)
        throw new Error(`${one.name} was right`, { cause: error })
      if (error instanceof UsageError && this.#nested === nested && one.name !== 'buffer')
        expect(this.#take(), error.message).toEqual([])
    }
    if (end === 'done' && judged.legal === false && isKnown) throw new Error(`${one.name} was done, and was not right`)
    this.ends.set(end, (this.ends.get(end) ?? 0) + 1)
    if (isInside) return
    this.#inside = null
    if (this.#failure !== null) throw this.#failure
    this.#touchKept()
  }

  /** The account, and what the shadow knows, are one. */
  compare(): void {
    this.memory.check()
    expect(this.memory.ranges()).toEqual(this.shadow.ranges())
  }

  /** Gives all of it back; nothing is left of any view. */
  end(): void {
    for (const hold of this.#holds) hold.release()
    for (const { address, size } of this.memory.ranges()) this.memory.sysFree(address, size, null)
    expect(this.memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
    for (const { view } of this.shadow.kept) expect(view.buffer.byteLength).toBe(0)
  }

  #reserve(size: number, options?: never): void {
    const region = this.memory.reserve(size, options)
    this.regions.push(region)
    this.shadow.lost.set(region, [])
    // An observer was faster.
    for (const { start, end, state } of this.shadow.over(region.address, region.size)) {
      if (state === 'None') this.shadow.lost.get(region)?.push({ start, end })
    }
  }

  #keep(view: ArrayBufferView, v: number): void {
    const n = view.byteLength
    if (n > 0) this.shadow.kept.push({ view, start: v, end: v + n, alive: true })
    if (this.shadow.kept.length > 60) this.shadow.kept.splice(0, 30)
  }

  /** Every view that was kept is whole, or nothing: reads and writes nothing. */
  #touchKept(): void {
    for (const { view, alive } of this.shadow.kept) {
      expect(view.buffer.byteLength > 0).toBe(alive)
      if (view instanceof DataView) {
        for (const touch of [() => view.getUint8(0), () => view.setUint8(0, 1)]) {
          if (alive) touch()
          else expect(touch).toThrow(TypeError)
        }
      } else {
        const bytes = view as Uint8Array
        bytes[bytes.length - 1] = 1
        expect([bytes.length > 0, bytes[0] === undefined]).toEqual([alive, !alive])
      }
    }
  }

  #value(one: Argument): unknown {
    if ('region' in one) return (this.regions[one.region % this.regions.length] as Region).address + one.at * page
    if ('engine' in one) return engine[one.engine % engine.length]
    if ('number' in one) return one.number
    if ('any' in one) return one.any
    const all = [...others(this.memory), ...this.regions]
    return all[one.other % all.length]
  }

  #judge({ name, region: number, a: first, b: second, c: third }: Call): Judged {
    const { memory, shadow } = this
    const region = this.regions[number % this.regions.length] as Region
    const [a, b, c] = [this.#value(first), this.#value(second), this.#value(third)] as [never, never, never]
    const offset: unknown = typeof a === 'number' && a > 2 ** 32 ? a - region.address : a
    const at = region.address + (typeof offset === 'number' ? offset : NaN)
    const leaves = (v: unknown, n: unknown): boolean =>
      this.#range(v, n, ['Ready'], 0) && !shadow.isHeld(v as number, n as number)
    const within = (n: unknown, from: unknown = offset): boolean =>
      Number.isSafeInteger(from) &&
      (from as number) >= 0 &&
      Number.isSafeInteger(n) &&
      (n as number) >= 0 &&
      (from as number) + (n as number) <= region.size &&
      shadow.left(region).length > 0 &&
      shadow.has(region, region.address + (from as number), n as number)
    const o = offset as never
    const start: unknown = offset === undefined ? 0 : offset
    const rest: unknown = b === undefined ? (typeof start === 'number' ? region.size - start : NaN) : b
    // What a method means that has an offset and a length, both of which have defaults.
    const isIn = (states: readonly RegionState[], least: 0 | 1): boolean =>
      within(rest, start) && this.#range(region.address + (start as number), rest, states, least)
    const isReady = (): boolean => {
      if (
        typeof start !== 'number' ||
        typeof rest !== 'number' ||
        !isLength(start, region.size) ||
        !isLength(rest, region.size - start)
      )
        return false
      return (
        isLeft && shadow.has(region, region.address + start, rest) && shadow.is(region.address + start, rest, ['Ready'])
      )
    }
    const place = region.address + (typeof start === 'number' ? start : NaN)
    const elements: unknown =
      c === undefined && typeof start === 'number' ? Math.floor((region.size - start) / (elementOf(b) ?? NaN)) : c
    const isLeft = shadow.left(region).length > 0
    const isGoing = shadow.left(region).every(([from, end]) => !shadow.isHeld(from, end - from))
    switch (name) {
      case 'sysAlloc':
        return { legal: this.#isSize(a) && this.#isStat(b, a), run: () => memory.sysAlloc(a, b) }
      case 'sysUnused':
        return { legal: leaves(a, b), run: () => memory.sysUnused(a, b) }
      case 'sysUsed':
        return { legal: this.#range(a, b, ['Prepared', 'Ready'], 0), run: () => memory.sysUsed(a, b) }
      case 'sysHugePage':
        return { legal: this.#range(a, b, ['Reserved', 'Prepared', 'Ready'], 0), run: () => memory.sysHugePage(a, b) }
      case 'sysPopulate':
        return { legal: this.#range(a, b, ['Ready'], 0), run: () => memory.sysPopulate(a, b) }
      case 'sysFree':
        return { legal: this.#isFree(a, b, c), run: () => memory.sysFree(a, b, c) }
      case 'sysFault':
        return {
          legal: this.#range(a, b, ['Prepared', 'Ready'], 0) && !shadow.isHeld(a, b),
          run: () => memory.sysFault(a, b),
        }
      case 'sysReserve':
        return { legal: this.#isSize(b) && (a === null || this.#isAddress(a, b)), run: () => memory.sysReserve(a, b) }
      case 'sysMap':
        return { legal: this.#range(a, b, ['Reserved'], 1) && this.#isStat(c, b), run: () => memory.sysMap(a, b, c) }
      case 'sysUnusedAll':
        return {
          legal: leaves(a, b) && leaves(c, page) && !overlap(a, b, c),
          run: () => memory.sysUnusedAll([a, b, c, page]),
        }
      case 'memoryView':
        return {
          legal: Number.isInteger(b) && b >= 0 && this.#isView(a, b, c),
          run: () => this.#keep(memory.view(a, b, c), b),
        }
      case 'attach':
        return this.#attach(second)
      case 'mutate':
        return { legal: false, run: () => memory.attach(this.#mutant(first, b)) }
      case 'reserve':
        return { legal: this.#isSize(a) ? null : false, run: () => this.#reserve(a, b) }
      case 'map':
        return { legal: isIn(['Reserved'], 1), run: () => region.map(o, b) }
      case 'used':
        return { legal: isIn(['Prepared', 'Ready'], 0), run: () => region.used(o, b) }
      case 'commit':
        return {
          legal: isIn(['Reserved', 'Prepared', 'Ready'], 0),
          run: () => region.commit(o, b),
        }
      case 'unused':
        return { legal: within(rest, start) && leaves(place, rest), run: () => region.unused(o, b) }
      case 'unusedAll':
        return { legal: within(b) && leaves(at, b), run: () => region.unusedAll([o, b]) }
      case 'hugePage':
        return {
          legal: isIn(['Reserved', 'Prepared', 'Ready'], 0),
          run: () => region.hugePage(o, b),
        }
      case 'fault':
        return {
          legal: isIn(['Prepared', 'Ready'], 0) && !shadow.isHeld(place, rest as number),
          run: () => region.fault(o, b),
        }
      case 'view':
        return {
          legal: within(spanOf(b, elements), start) && this.#isView(b, place, elements),
          run: () => this.#keep(region.view(b, o, c), place),
        }
      case 'read':
      case 'write': {
        const n = byteLengthOf(b)
        return { legal: n !== null && within(n) && shadow.is(at, n, ['Ready']), run: () => region[name](o, b) }
      }
      case 'share':
        return { legal: isReady(), run: () => this.#share(region, o, b) }
      case 'hold':
        return { legal: isReady(), run: () => this.#hold(region, o, b) }
      case 'release':
        return { legal: true, run: () => this.#release() }
      case 'free':
        return {
          legal:
            offset === undefined ? b === undefined && isLeft && isGoing : within(rest) && this.#isFree(at, rest, null),
          run: () => region.free(o, b),
        }
      case 'dispose':
        return { legal: isGoing, run: () => region[Symbol.dispose]() }
      case 'buffer':
        return {
          legal: isLength(a, 2 ** 20) ? null : false,
          run: () => (this.#buffer.resize(a), this.#keep(this.#buffer.bytes(), this.#buffer.address)),
        }
      default:
        throw new Error(name satisfies never)
    }
  }

  /** The last thing that was held is let go; held things come to their end. */
  #release(): void {
    const hold = this.#holds.pop()
    hold?.release()
    const keep = this.#keeps.pop()
    if (keep !== undefined) keep.state = 'over'
  }

  readonly #keeps: Keep[] = []

  #hold(region: Region, offset: undefined, n: undefined): void {
    const hold = region.hold(offset, n)
    this.#holds.push(hold)
    this.#keeps.push(this.#kept(hold.address, hold.size, 'held'))
  }

  #share(region: Region, offset: undefined, n: undefined): void {
    const token = region.share({ once: () => {} }, offset, n)
    this.#tokens.push({ token, keep: this.#kept(token.address, token.size, 'offered') })
  }

  #kept(v: number, n: number, state: Keep['state']): Keep {
    const keep: Keep = { start: v, end: v + n, state }
    this.shadow.keeps.push(keep)
    return keep
  }

  /** A token that was shared: right once, while its pages are where they were. */
  #attach(which: Argument): Judged {
    const index = 'number' in which && this.#tokens.length > 0 ? which.number % this.#tokens.length : 0
    const one = this.#tokens[Number.isInteger(index) ? Math.abs(index) : 0]
    if (one === undefined) return { legal: false, run: () => this.memory.attach(undefined as never) }
    return {
      legal: one.keep.state === 'offered',
      run: () => {
        const shared = this.memory.attach(one.token)
        this.#holds.push(shared)
        this.#keeps.push(one.keep)
        one.keep.state = 'held'
      },
    }
  }

  /** A token one field of which is another's. */
  #mutant(which: Argument, value: unknown): ShareToken {
    const fields = ['memlayer', 'os', 'hold', 'hold', 'hold'] as const
    const token = this.#tokens[0]?.token ?? {
      memlayer: 'share',
      os: 'linux',
      name: 'x',
      address: page,
      size: page,
      hold: new SharedArrayBuffer(32),
    }
    const field = fields[('other' in which ? which.other : 0) % fields.length] as 'os'
    const holds = [
      new SharedArrayBuffer(32),
      new SharedArrayBuffer(3),
      new SharedArrayBuffer(0),
      new ArrayBuffer(32),
      value,
    ]
    return {
      ...token,
      [field]: field === 'os' ? value : holds['other' in which ? which.other % holds.length : 0],
    } as ShareToken
  }

  #isSize(n: unknown): n is never {
    return Number.isSafeInteger(n) && (n as number) >= 1 && (n as number) % page === 0
  }

  #isAddress(v: unknown, n: unknown): boolean {
    return (
      Number.isInteger(v) &&
      (v as number) >= 0 &&
      (v as number) % page === 0 &&
      (v as number) + (n as number) <= 2 ** 64
    )
  }

  #isStat(stat: unknown, n: unknown): boolean {
    if (stat === null) return true
    const own = [this.memory.stat('a'), this.memory.stat('b')].find((one) => one === stat)
    return own !== undefined && own.load() + (n as number) <= Number.MAX_SAFE_INTEGER
  }

  #range(v: unknown, n: unknown, states: Parameters<HostileShadow['is']>[2], least: 0 | 1): boolean {
    if (!(Number.isSafeInteger(n) && (n as number) >= least && (n as number) % page === 0 && this.#isAddress(v, n)))
      return false
    return this.shadow.is(v as number, n as number, states)
  }

  #isFree(v: unknown, n: unknown, stat: SysMemStat | null): boolean {
    if (!this.#range(v, n, ['Reserved', 'Prepared', 'Ready'], 1) || this.shadow.isHeld(v as number, n as number))
      return false
    if (stat === null) return true
    if (stat !== this.memory.stat('a') && stat !== this.memory.stat('b')) return false
    return this.shadow
      .over(v as number, n as number)
      .every(({ category }) => category === null || category === stat.name)
  }

  #isView(type: unknown, v: number, length: unknown): boolean {
    const element = elementOf(type)
    if (element === null || !Number.isInteger(length) || (length as number) < 0 || v % element !== 0) return false
    return this.shadow.is(v, (length as number) * element, ['Ready'])
  }
}

/** The bytes of an element of a class. A class that extends one is as good as that one. */
function elementOf(type: unknown): number | null {
  if (typeof type !== 'function') return null
  if (type === DataView || type === Uint8Array) return 1
  return type === Float64Array ? 8 : elementOf(Object.getPrototypeOf(type))
}

function spanOf(type: unknown, length: unknown): unknown {
  return typeof length === 'number' ? length * (elementOf(type) ?? 1) : NaN
}

function byteLengthOf(data: unknown): number | null {
  if (!ArrayBuffer.isView(data)) return null
  return data.buffer.byteLength === 0 && (data as Uint8Array).length === 0 && (data.buffer as ArrayBuffer).detached
    ? null
    : data.byteLength
}

function overlap(v: number, n: number, w: number): boolean {
  return n > 0 && v < w + page && w < v + n
}

function isLength(n: unknown, most: number): boolean {
  return Number.isSafeInteger(n) && (n as number) >= 0 && (n as number) <= most
}

it.skipIf(process.platform !== 'linux')(
  `survives ${CALLS.toLocaleString('en')} hostile calls with every count right: what is wrong is a UsageError, what is right is done (needs Linux)`,
  () => {
    const ends = new Map<string, number>()
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 80, size: 'max' }), (calls) => {
        const scene = new Scene(ends)
        for (const one of calls) {
          scene.make(one)
          scene.compare()
        }
        scene.end()
      }),
      { numRuns: 400, seed: testSeed() },
    )
    const sum = [...ends.values()].reduce((total, times) => total + times, 0)
    console.log(`${sum} calls: ${[...ends].map(([end, times]) => `${times} ${end}`).join(', ')}`)
    expect(sum).toBeGreaterThanOrEqual(CALLS)
    for (const end of [
      'done',
      'SIZE',
      'ADDRESS',
      'ALIGNMENT',
      'NOT_OWNED',
      'STATE',
      'STAT',
      'RANGE',
      'VIEW',
      'DISPOSED',
      'SHARED',
    ]) {
      expect(ends.get(end === 'done' ? end : `ERR_MEMLAYER_${end}`) ?? 0, end).toBeGreaterThan(0)
    }
    expect(ends.get('done')).toBeGreaterThan(sum / 20)
  },
  300_000,
)
