// The memory that the hostile test calls: it makes a call, and compares what comes of it with the rules. Views are
// kept past everything, and an observer makes calls of its own.
import { createMemory, GrowableBuffer, OutOfMemoryError, UsageError, type Memory, type Region } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { record } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-linux'
import { mappings } from '@memlayer/witness'
import { expect } from 'vitest'
import { others, type Argument, type Call, type Name } from './hostile-call.js'
import { HostileKeeps } from './hostile-keeps.js'
import { byteLengthOf, HostileRules, isLength, overlap, spanOf, type PartOfRegion } from './hostile-rules.js'
import { HostileShadow } from './hostile-shadow.js'

const isLinux = process.platform === 'linux'
const page = isLinux ? posixKernel().pageSize : 4096
/** Addresses of the engine's own memory. */
const engine = isLinux
  ? mappings().flatMap(({ permissions, start }) => (permissions.startsWith('rw') ? start : []))
  : []

/** The calls that a region has. */
type RegionName = Extract<
  Name,
  | 'map'
  | 'used'
  | 'commit'
  | 'unused'
  | 'unusedAll'
  | 'hugePage'
  | 'fault'
  | 'view'
  | 'read'
  | 'write'
  | 'share'
  | 'hold'
  | 'free'
  | 'dispose'
>

/** A call, and whether it is right; null: the rules do not tell. */
interface Judged {
  readonly legal: boolean | null
  readonly run: () => unknown
}

/** A memory, three regions in it, a buffer, and the rules. */
export class HostileScene {
  readonly #memory: Memory
  readonly #shadow = new HostileShadow(page)
  readonly #rules: HostileRules
  readonly #keeps: HostileKeeps
  readonly #regions: Region[] = []
  readonly #take: () => unknown[]
  readonly #buffer: GrowableBuffer
  #inside: Call['inside'] = null
  #nested = 0
  #isInside = false
  #failure: unknown = null
  #outer: Name = 'reserve'
  readonly #ends: Map<string, number>

  /** `ends` counts how the calls end. */
  constructor(ends: Map<string, number>) {
    this.#ends = ends
    const { kernel, take } = record(posixKernel())
    this.#take = () => take().filter(({ fn }) => ['mmap', 'munmap', 'mprotect', 'madvise', 'madviseAll'].includes(fn))
    const memory = createMemory(createOS({ kernel }))
    this.#memory = memory
    this.#rules = new HostileRules(memory, this.#shadow)
    this.#keeps = new HostileKeeps(memory, this.#shadow)
    memory.observe((event) => void (event.outcome === 'done' && this.#shadow.done(event)))
    memory.observe(() => this.#callInside())
    for (let i = 0; i < 3; i++) this.#reserve(24 * page)
    for (const region of this.#regions) region.commit(0, 16 * page)
    this.#buffer = new GrowableBuffer(memory, { maximum: 2 ** 20, length: 5000 })
  }

  /** Makes a call, and compares its end with the rules. */
  make(one: Call, isInside = false): void {
    const judged = this.#judge(one)
    // Of an operation on many ranges, the shadow has heard a part so far.
    const isKnown = !(isInside && ['sysUnusedAll', 'unusedAll'].includes(this.#outer))
    if (!isInside) [this.#inside, this.#outer] = [one.inside, one.name]
    const nested = this.#nested
    this.#take()
    let end = 'done'
    try {
      judged.run()
    } catch (error) {
      // A call inside changes what is right.
      const isAlone = this.#nested === nested
      if (!(error instanceof UsageError)) expectRefusal(one.name, error)
      else if (isAlone && judged.legal === true && isKnown) throw new Error(`${one.name} was right`, { cause: error })
      else if (isAlone && one.name !== 'buffer') expect(this.#take(), error.message).toEqual([])
      end = (error as UsageError | OutOfMemoryError).code
    }
    if (end === 'done' && judged.legal === false && isKnown) throw new Error(`${one.name} was done, and was not right`)
    this.#ends.set(end, (this.#ends.get(end) ?? 0) + 1)
    if (isInside) return
    this.#inside = null
    if (this.#failure !== null) throw this.#failure
    this.#touchKept()
  }

  /** The account and the shadow agree. */
  compare(): void {
    this.#memory.check()
    expect(this.#memory.ranges()).toEqual(this.#shadow.ranges())
  }

  /** Frees everything. Then no view has a byte left. */
  end(): void {
    this.#keeps.end()
    for (const { address, size } of this.#memory.ranges()) this.#memory.sysFree(address, size, null)
    expect(this.#memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
    for (const { view } of this.#shadow.kept) expect(view.buffer.byteLength).toBe(0)
  }

  /** The first observer that is told of an event makes the call inside. */
  #callInside(): void {
    const inside = this.#inside
    this.#inside = null
    if (inside === null) return
    this.#nested += 1
    this.#isInside = true
    try {
      this.make({ ...inside, inside: null }, true)
    } catch (error) {
      // The memory only warns of what an observer throws, so `make` throws it later.
      this.#failure ??= error
    } finally {
      this.#isInside = false
    }
  }

  #reserve(size: number, options?: never): void {
    const region = this.#memory.reserve(size, options)
    this.#regions.push(region)
    this.#shadow.lost.set(region, [])
    // The shadow hears of a call inside after the call around it. Until then nobody has freed a part of the region.
    if (this.#isInside) return
    // An observer may have freed a part of it already.
    for (const { start, end, state } of this.#shadow.over(region.address, region.size)) {
      if (state === 'None') this.#shadow.lost.get(region)?.push({ start, end })
    }
  }

  #keep(view: ArrayBufferView, v: number): void {
    const n = view.byteLength
    if (n > 0) this.#shadow.kept.push({ view, start: v, end: v + n, alive: true })
    if (this.#shadow.kept.length > 60) this.#shadow.kept.splice(0, 30)
  }

  /** A kept view is whole, or it is empty: then it reads and writes nothing. */
  #touchKept(): void {
    for (const { view, alive } of this.#shadow.kept) {
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
    if ('region' in one) return (this.#regions[one.region % this.#regions.length] as Region).address + one.at * page
    if ('engine' in one) return engine[one.engine % engine.length]
    if ('number' in one) return one.number
    if ('any' in one) return one.any
    const all = [...others(this.#memory), ...this.#regions]
    return all[one.other % all.length]
  }

  #judge({ name, region: number, a: first, b: second, c: third }: Call): Judged {
    const [memory, rules] = [this.#memory, this.#rules]
    const region = this.#regions[number % this.#regions.length] as Region
    const [a, b, c] = [this.#value(first), this.#value(second), this.#value(third)] as [never, never, never]
    switch (name) {
      case 'sysAlloc':
        return { legal: rules.isSize(a) && rules.isStat(b, a), run: () => memory.sysAlloc(a, b) }
      case 'sysUnused':
        return { legal: rules.isUnusable(a, b), run: () => memory.sysUnused(a, b) }
      case 'sysUsed':
        return { legal: rules.isRange(a, b, ['Prepared', 'Ready'], 0), run: () => memory.sysUsed(a, b) }
      case 'sysHugePage':
        return { legal: rules.isRange(a, b, ['Reserved', 'Prepared', 'Ready'], 0), run: () => memory.sysHugePage(a, b) }
      case 'sysPopulate':
        return { legal: rules.isRange(a, b, ['Ready'], 0), run: () => memory.sysPopulate(a, b) }
      case 'sysFree':
        return { legal: rules.isFree(a, b, c), run: () => memory.sysFree(a, b, c) }
      case 'sysFault':
        return { legal: rules.isFaultable(a, b), run: () => memory.sysFault(a, b) }
      case 'sysReserve':
        return {
          legal: rules.isSize(b) && (a === null || rules.isAddress(a, b)),
          run: () => memory.sysReserve(a, b),
        }
      case 'sysMap':
        return { legal: rules.isRange(a, b, ['Reserved'], 1) && rules.isStat(c, b), run: () => memory.sysMap(a, b, c) }
      case 'sysUnusedAll':
        return {
          legal: rules.isUnusable(a, b) && rules.isUnusable(c, page) && !overlap(a, b, c, page),
          run: () => memory.sysUnusedAll([a, b, c, page]),
        }
      case 'memoryView':
        return {
          legal: Number.isInteger(b) && b >= 0 && rules.isView(a, b, c),
          run: () => this.#keep(memory.view(a, b, c), b),
        }
      case 'attach':
        return this.#keeps.attach(second)
      case 'mutate':
        return { legal: false, run: () => memory.attach(this.#keeps.mutant(first, b)) }
      case 'reserve':
        return { legal: rules.isSize(a) ? null : false, run: () => this.#reserve(a, b) }
      case 'release':
        return { legal: true, run: () => this.#keeps.release() }
      case 'buffer':
        return { legal: isLength(a, 2 ** 20) ? null : false, run: () => this.#resize(a) }
      default:
        return this.#judgeRegion(name, region, a, b, c)
    }
  }

  #judgeRegion(name: RegionName, region: Region, a: unknown, b: never, c: never): Judged {
    const rules = this.#rules
    const part = rules.partOf(region, a, b)
    const [o, at, from, rest] = [part.offset as never, part.at, part.place, part.rest]
    const elements = part.elements(b, c)
    switch (name) {
      case 'map':
        return { legal: part.isFrom(rest) && rules.isRange(from, rest, ['Reserved'], 1), run: () => region.map(o, b) }
      case 'used':
        return {
          legal: part.isFrom(rest) && rules.isRange(from, rest, ['Prepared', 'Ready'], 0),
          run: () => region.used(o, b),
        }
      case 'commit':
      case 'hugePage':
        return {
          legal: part.isFrom(rest) && rules.isRange(from, rest, ['Reserved', 'Prepared', 'Ready'], 0),
          run: () => region[name](o, b),
        }
      case 'unused':
        return { legal: part.isFrom(rest) && rules.isUnusable(from, rest), run: () => region.unused(o, b) }
      case 'unusedAll':
        return { legal: part.isWithin(b) && rules.isUnusable(at, b), run: () => region.unusedAll([o, b]) }
      case 'fault':
        return { legal: part.isFrom(rest) && rules.isFaultable(from, rest), run: () => region.fault(o, b) }
      case 'view':
        return {
          legal: part.isFrom(spanOf(b, elements)) && rules.isView(b, from, elements),
          run: () => this.#keep(region.view(b, o, c), from),
        }
      case 'read':
      case 'write': {
        const n = byteLengthOf(b)
        return { legal: n !== null && part.isWithin(n) && rules.isReady(at, n), run: () => region[name](o, b) }
      }
      case 'share':
        return { legal: part.isReady(), run: () => this.#keeps.share(region, o, b) }
      case 'hold':
        return { legal: part.isReady(), run: () => this.#keeps.hold(region, o, b) }
      case 'free':
        return { legal: this.#isFreed(part, b), run: () => region.free(o, b) }
      case 'dispose':
        return { legal: part.isLoose, run: () => region[Symbol.dispose]() }
      default:
        throw new Error(name satisfies never)
    }
  }

  #isFreed(part: PartOfRegion, b: unknown): boolean {
    if (part.offset === undefined) return b === undefined && part.isLeft && part.isLoose
    return part.isWithin(part.rest) && this.#rules.isFree(part.at, part.rest, null)
  }

  #resize(length: number): void {
    this.#buffer.resize(length)
    this.#keep(this.#buffer.bytes(), this.#buffer.address)
  }
}

/** Passes on what is not a refusal by the kernel, and a refusal of a call that needs no memory. */
function expectRefusal(name: Name, error: unknown): void {
  const mayBeRefused = ['sysAlloc', 'sysReserve', 'reserve', 'sysPopulate'].includes(name)
  if (!(error instanceof OutOfMemoryError && mayBeRefused)) throw error
}
