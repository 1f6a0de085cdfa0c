// Twelve thousand calls by somebody who means harm, or does not know better: any value in any
// place, addresses of the engine's own heap, regions that are gone, views kept past everything.
// The process goes on, nothing reaches the kernel that was refused, and every count is right.
import { createMemory, FatalError, GrowableBuffer, MemlayerError, OutOfMemoryError, UsageError, type Memory, type Region } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { posixKernel } from '@memlayer/ffi'
import { record } from '@memlayer/kernel'
import { mappings, random, type Random } from '@memlayer/witness'
import { expect, it } from 'vitest'

const CALLS = 12_000
const page = process.platform === 'linux' ? posixKernel().pageSize : 4096

type Anything = never

/** Values that are wrong nearly everywhere, and some that are right somewhere. */
function values(memory: Memory, regions: readonly Region[], r: Random, heap: readonly number[]): Anything[] {
  const region = r.pick(regions)
  const own = region.address + page * r.below(20)
  const engine = r.pick(heap)
  const all: unknown[] = [
    0, -0, NaN, -1, 0.5, 2 ** 53, 2 ** 53 - page, 2 ** 64, -Infinity, Infinity, '4096', '', null, undefined, {}, [], 4096n, true, Symbol('x'),
    () => page, { valueOf: () => page }, [page], new Date(), page, page, 2 * page, 16 * page, 3, own, own, own + 1, engine, region, memory,
    memory.stat('hostile'), createMemory(memory.os).stat('hostile'), Uint8Array, Float64Array, DataView, Array, Buffer, new Uint8Array(10),
    [own, page], [0, page, page, page], new Float64Array([own, page]), [own, page, own, page], { length: 2, 0: own, 1: '4096' }, { length: -2 },
  ]
  return all as Anything[]
}

/** What a history of calls is about. */
interface Scene {
  readonly r: Random
  readonly memory: Memory
  readonly region: Region
  readonly buffer: GrowableBuffer
  /** Keeps a view, if it is one that has elements. */
  readonly keep: (made: unknown) => void
}

/** Every call there is, with any three values; and some right ones, so that there is something to harm. */
function callsOf({ r, memory, region, buffer, keep }: Scene, a: Anything, b: Anything, c: Anything): (() => unknown)[] {
  return [
    () => memory.sysAlloc(a, b), () => memory.sysUnused(a, b), () => memory.sysUsed(a, b), () => memory.sysHugePage(a, b),
    () => memory.sysFree(a, b, c), () => memory.sysFault(a, b), () => memory.sysReserve(a, b), () => memory.sysReserveAligned(a, b, c),
    () => memory.sysMap(a, b, c), () => memory.sysUnusedAll(a), () => memory.reserve(a, b), () => keep(memory.view(a, b, c)), () => memory.stat(a),
    () => memory.attach(a), () => typeof a === 'function' || memory.observe(a), () => region.map(a, b), () => region.used(a, b), () => region.commit(a, b),
    () => region.unused(a, b), () => region.unusedAll(a), () => region.hugePage(a, b), () => region.fault(a, b), () => keep(region.view(a, b, c)),
    () => region.read(a, b), () => region.write(a, b), () => region.share(a, b, c), () => region.free(a, b), () => region[Symbol.dispose](),
    () => keep(region.view(Uint8Array, r.below(20) * page, 100)), () => region.commit(0, 20 * page), () => region.unused(r.below(20) * page, page),
    () => region.free(r.below(64) * page, page), () => buffer.resize(a), () => buffer.discard(a, b), () => keep(buffer.view(a, b, c)),
    () => buffer.resize(r.below(2 ** 20)), () => keep(buffer.bytes()), () => new GrowableBuffer(memory, { maximum: a, length: b }).free(),
  ]
}

/** Transitions from within observers; only so many, for they bring about others. Returns how many there were. */
function meddle(memory: Memory, r: Random): () => number {
  let depth = 0
  let times = 0
  memory.observe(({ address, size }) => {
    if (depth > 3 || address === null || r.below(10) > 0) return
    depth += 1
    times += 1
    try {
      r.pick([() => memory.sysUnused(address, size), () => memory.sysFree(address, size, null), () => memory.sysUsed(address, size)])()
    } catch (error) {
      if (!(error instanceof MemlayerError)) throw error
    } finally {
      depth -= 1
    }
  })
  return () => times
}

/** Reads and writes whatever was ever kept. */
function touchAll(kept: Kept[]): void {
  for (const view of kept) {
    void view[0]
    if (view.length > 0 && typeof view[0] === 'number') view[view.length - 1] = 1
  }
  if (kept.length > 40) kept.splice(0, 20)
}

type Kept = { [index: number]: unknown; length: number }

it.skipIf(process.platform !== 'linux')(`survives ${CALLS.toLocaleString('en')} hostile calls with every count right (needs Linux)`, () => {
  const r = random()
  const { kernel, take } = record(posixKernel())
  const memory = createMemory(createOS({ kernel }))
  const meddled = meddle(memory, r)
  const made = (): Region => {
    const region = memory.reserve(64 * page, { name: 'prey' })
    try {
      region.commit(0, 20 * page)
    } catch (error) {
      // An observer was faster.
      if (!(error instanceof UsageError)) throw error
    }
    return region
  }
  const regions: Region[] = [made(), made()]
  const buffer = new GrowableBuffer(memory, { maximum: 2 ** 20, length: 5000 })
  const kept: Kept[] = []
  const keep = (view: unknown): void => void (ArrayBuffer.isView(view) && !(view instanceof DataView) && kept.push(view as unknown as Kept))
  const heap = mappings().flatMap(({ permissions, start }) => (permissions.startsWith('rw') ? start : []))
  const outcomes = { done: 0, UsageError: 0, OutOfMemoryError: 0 }

  for (let i = 0; i < CALLS; i++) {
    if (i % 50 === 0) regions[r.below(8)] = made()
    const there = regions.filter((region) => region !== undefined)
    const pool = values(memory, there, r, heap)
    const calls = callsOf({ r, memory, region: r.pick(there), buffer, keep }, r.pick(pool), r.pick(pool), r.pick(pool))
    take()
    const before = meddled()
    try {
      r.pick(calls)()
      outcomes.done += 1
    } catch (error) {
      // A category that would hold more than a number can: Go's word for that is a throw, before anything changes.
      if (error instanceof FatalError && error.message.startsWith('sysMemStat overflow')) continue
      if (!(error instanceof UsageError || error instanceof OutOfMemoryError)) throw error
      outcomes[error instanceof UsageError ? 'UsageError' : 'OutOfMemoryError'] += 1
      if (error instanceof UsageError && meddled() === before) expect(take().map(({ fn }) => fn), error.message).toEqual([])
    }
    touchAll(kept)
    if (i % 20 === 0) memory.check()
  }
  memory.check()
  expect(outcomes.UsageError).toBeGreaterThan(CALLS / 2)
  expect(outcomes.done).toBeGreaterThan(CALLS / 20)
  buffer.free()
  for (const { address, size } of memory.ranges()) memory.sysFree(address, size, null)
  expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
  for (const old of kept) expect(old.length).toBe(0)
}, 300_000)
