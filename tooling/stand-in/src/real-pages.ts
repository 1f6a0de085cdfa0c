// What every POSIX backend does with real pages, by the kernel's own account, over a stand-in. A backend's
// mem.real.test.ts calls it with what is the system's own: a `test…` declares a test by a title that several
// have, an `expect…` is the body of a test whose title is the system's.
import { createMemory, FatalError, type Address, type Memory, type OS } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { record, type PosixKernel } from '@memlayer/kernel'
import { bytesWith, errorOf, mappingsIn, residentBytes } from '@memlayer/witness'
import { expect, it } from 'vitest'
import { disagreement, live } from './life.js'
import type { StandIn } from './stand-in.js'

/** A backend over real pages, and what is its own. */
export interface RealBackend {
  readonly createOS: (options: { readonly kernel: PosixKernel }) => OS
  /** Its kernel, made anew. */
  readonly standIn: () => StandIn
  /** Bytes that are no whole page. */
  readonly offPage: number
  /** What sysMap asks of the kernel. */
  readonly mapCall: 'mmap' | 'mprotect'
}

const MiB = 2 ** 20

/** A whole life leaves nothing owned and nothing mapped. */
export function expectWholeLife({ createOS, standIn }: RealBackend): void {
  const { kernel, mappedBytes } = standIn()
  const memory = createMemory(createOS({ kernel }))
  live(memory)
  expect(memory.ranges()).toEqual([])
  expect(disagreement(memory)).toBe(null)
  expect(mappedBytes()).toBe(0)
}

/** A TiB is reserved without memory, and faults but for the part that is mapped, which reads zero. */
export function expectBareReservation({ createOS, standIn }: RealBackend): void {
  const memory = createMemory(createOS({ kernel: standIn().kernel }))
  const v = memory.sysReserve(null, 2 ** 40)
  expect(bytesWith('---p', v, 2 ** 40)).toBe(2 ** 40)
  memory.sysMap(v + MiB, MiB, null)
  memory.sysUsed(v + MiB, MiB)
  expect(bytesWith('rw-p', v, 2 ** 40)).toBe(MiB)
  expect(new Uint8Array(memory.os.view(v + MiB, MiB)).every((byte) => byte === 0)).toBe(true)
  expect(mappingsIn(v, 2 ** 40).reduce((sum, { rss }) => sum + rss, 0)).toBeLessThanOrEqual(MiB)
  memory.sysFree(v, 2 ** 40, null)
}

/** sysUnused, sysUsed and sysHugePage give this advice of the range, in this order, and make no other call. */
export function expectAdvice({ createOS, standIn }: RealBackend, advice: readonly number[]): void {
  const { kernel, take } = record(standIn().kernel)
  const memory = createMemory(createOS({ kernel }))
  const v = memory.sysAlloc(4 * MiB, null)
  const bytes = new Uint8Array(memory.os.view(v, 4 * MiB)).fill(1)
  take()
  memory.sysUnused(v, 2 * MiB)
  memory.sysUsed(v, 2 * MiB)
  memory.sysHugePage(v, 4 * MiB)
  expect(take()).toEqual(advice.map((word) => ({ fn: 'madvise', args: [v, 2 * MiB, word], ret: 0 })))
  // The kernel may take them, and need not: that is why unusedDropsContents is false.
  expect(bytes.subarray(0, 2 * MiB).every((byte) => byte === 0 || byte === 1)).toBe(true)
  expect(bytes.subarray(2 * MiB).every((byte) => byte === 1)).toBe(true)
  memory.sysFree(v, 4 * MiB, null)
}

/** For a backend that maps over what it faults. */
export function testFault({ createOS, standIn }: RealBackend): void {
  it('takes the memory of what it faults, and its permissions; sysMap gives zeroes', () => {
    const hostPage = posixKernel().pageSize
    const memory = createMemory(createOS({ kernel: standIn().kernel }))
    const stat = memory.stat('test')
    const v = memory.sysAlloc(MiB, stat)
    new Uint8Array(memory.os.view(v, MiB)).fill(3)
    expect(residentBytes(v, MiB, hostPage)).toBe(MiB)
    memory.sysFault(v, MiB)
    expect(bytesWith('---p', v, MiB)).toBe(MiB)
    expect(residentBytes(v, MiB, hostPage)).toBe(0)
    memory.sysMap(v, MiB, stat)
    memory.sysUsed(v, MiB)
    expect(new Uint8Array(memory.os.view(v, MiB)).every((byte) => byte === 0)).toBe(true)
    memory.sysFree(v, MiB, stat)
    memory.check()
  })
}

/** read and write, over a port that copies and over one that can't. */
export function testCopies({ createOS, standIn }: RealBackend): void {
  it('copies bytes where an engine forbids views, and by a view where a port can’t copy', () => {
    const whole = record(standIn().kernel).kernel
    const forbidden = (): never => {
      throw new Error('views are forbidden')
    }
    const { read: _read, write: _write, ...viewsOnly } = whole
    for (const port of [{ ...whole, view: forbidden }, viewsOnly]) {
      const region = createMemory(createOS({ kernel: port })).reserve(65536)
      region.commit()
      region.write(3, Uint8Array.of(1, 2, 3))
      const bytes = new Uint8Array(5)
      region.read(2, bytes)
      expect([...bytes]).toEqual([0, 1, 2, 3, 0])
      region.free()
    }
  })
}

/** Without a ledger the kernel alone stands between a wrong call and the memory. */
export function testWithoutLedger({ createOS, standIn, offPage, mapCall }: RealBackend): void {
  it('without a ledger, the kernel refuses a range off the page, in Go’s words if it has some', () => {
    const { kernel, mappedBytes } = standIn()
    const memory = createMemory(createOS({ kernel }), { ledger: false })
    const stat = memory.stat('test')
    const v = memory.sysReserve(null, MiB)
    const error = errorOf(() => memory.sysMap(v + offPage, 65536, stat))
    expect(error).toBeInstanceOf(FatalError)
    expect((error as Error).message).toMatch(/^cannot map pages in arena address space/)
    expect(error).toMatchObject({ syscall: mapCall, errnoName: 'EINVAL', address: v + offPage })
    expect(stat.load()).toBe(0)
    if (mapCall === 'mprotect') expectNoProtection(memory, v + 4 * MiB)
    // Go has no word for these: they are ignored, and have done nothing.
    memory.sysMap(v, MiB, stat)
    const bytes = new Uint8Array(memory.os.view(v, MiB)).fill(6)
    memory.sysUnused(v + offPage, 65536)
    memory.sysFault(v + offPage, 65536)
    memory.sysFree(v + offPage, 65536, null)
    expect(bytes.every((byte) => byte === 6)).toBe(true)
    expect(bytesWith('rw-p', v, MiB)).toBe(MiB)
    expect(mappedBytes()).toBe(MiB)
    memory.sysFree(v, MiB, stat)
    expect(mappedBytes()).toBe(0)
  })
}

/** Where nothing is mapped, there is no protection to change. */
function expectNoProtection(memory: Memory, v: Address): void {
  expect(errorOf(() => memory.sysMap(v, MiB, null))).toMatchObject({ name: 'FatalError', errnoName: 'ENOMEM' })
}
