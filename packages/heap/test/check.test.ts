// The checked mode: each kind of error that a program makes, found and told with its place.
import { createMemory, FatalError, UsageError } from '@memlayer/core'
import { createHeap, type Heap, type HeapOptions } from '@memlayer/heap'
import { createOS } from '@memlayer/os-js'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { SpanTable } from '../src/span-table.js'

const MiB = 2 ** 20

function checked(check: HeapOptions['check'] = true, maximum = 16 * MiB): Heap {
  return createHeap(createMemory(createOS()), { maximum, check })
}

function usageErrorOf(run: () => unknown): UsageError {
  const error = errorOf(run)
  expect(error).toBeInstanceOf(UsageError)
  return error as UsageError
}

function here(heap: Heap, bytes: number): number {
  return heap.alloc(bytes)
}

describe('a checked heap', () => {
  it('runs a program without errors as an unchecked one does', () => {
    for (const heap of [checked(), checked(false)]) {
      const handle = heap.alloc(100)
      heap.u8[handle * 8 + 99] = 7
      const moved = heap.realloc(handle, 200)
      expect(heap.u8[moved * 8 + 99]).toBe(7)
      expect(
        heap
          .view(heap.allocZeroed(50))
          .subarray(0, 50)
          .every((byte) => byte === 0),
      ).toBe(true)
      heap.free(moved)
      expect(heap.has(moved)).toBe(false)
      heap.check()
      heap.destroy()
    }
  })

  it('has objects of just the size that was asked for', () => {
    const heap = checked()
    for (const bytes of [0, 1, 8, 100, 65536, 100_000]) {
      const handle = heap.alloc(bytes)
      expect(heap.size(handle)).toBe(bytes)
      expect(heap.view(handle).length).toBe(bytes)
      expect((heap.allocAligned(bytes, 4096) * 8) % 4096).toBe(0)
    }
  })

  it('finds a write past the end, at the free, and tells where the object was allocated', () => {
    const heap = checked()
    for (const bytes of [0, 5, 8, 100, 4096, 100_000]) {
      const handle = here(heap, bytes)
      heap.u8[handle * 8 + bytes] = 1
      const error = usageErrorOf(() => heap.free(handle))
      expect(error.code).toBe('ERR_MEMLAYER_STATE')
      expect(error.message).toContain(
        `the object of ${bytes} bytes was written to past its end, at its offset ${bytes}`,
      )
      expect(error.hint).toMatch(/It was allocated here:\nat here .*check\.test\.ts/)
      expect(usageErrorOf(() => heap.check()).op).toBe('check')
      // Nothing has happened: the object is still in use.
      expect(heap.has(handle)).toBe(true)
      heap.u8[handle * 8 + bytes] = 0xc5
      heap.free(handle)
    }
  })

  it('finds a second free, long after the first, and tells where that was', () => {
    const heap = checked()
    const handle = heap.alloc(100)
    heap.free(handle)
    for (let i = 0; i < 10_000; i++) heap.free(heap.alloc(100))
    expect(heap.stats().waiting.objects).toBe(10_001)
    const error = usageErrorOf(() => heap.free(handle))
    expect(error.message).toContain('the object is free already')
    expect(error.hint).toMatch(/It was freed here:\nat .*check\.test\.ts/)
    expect(usageErrorOf(() => heap.view(handle)).code).toBe('ERR_MEMLAYER_STATE')
    expect(usageErrorOf(() => heap.realloc(handle, 5)).code).toBe('ERR_MEMLAYER_STATE')
  })

  it('finds the old handle of an object that was given another size', () => {
    const heap = checked()
    const handle = heap.alloc(100)
    expect(heap.realloc(handle, 100)).not.toBe(handle)
    expect(usageErrorOf(() => heap.size(handle)).code).toBe('ERR_MEMLAYER_STATE')
  })

  it('finds a write after the free, by check and when the wait is over', () => {
    const heap = checked({ quarantine: 1000 })
    const handle = heap.alloc(100)
    heap.free(handle)
    heap.u8[handle * 8 + 3] = 1
    const told = /was written to after it was freed, at its offset 3/
    expect(usageErrorOf(() => heap.check()).message).toMatch(told)
    const errors: unknown[] = []
    for (let i = 0; i < 10; i++) {
      const other = heap.alloc(100)
      try {
        heap.free(other)
      } catch (error) {
        errors.push((error as Error).message)
        // The other one is still in use: nothing has happened to it.
        heap.free(other)
      }
    }
    expect(errors).toEqual([expect.stringMatching(told)])
    heap.check()
  })

  it('tells what was not freed, by place, those with the most bytes first', () => {
    const heap = checked()
    const kept = [1, 2, 3].map(() => here(heap, 100))
    const large = heap.alloc(5000)
    const leaks = heap.leaks()
    expect(leaks.map(({ objects, bytes }) => [objects, bytes])).toEqual([
      [1, 5000],
      [3, 300],
    ])
    expect(leaks[1]?.place).toMatch(/^at here .*check\.test\.ts:\d+:\d+/)
    for (const handle of [...kept, large]) heap.free(handle)
    expect(heap.leaks()).toEqual([])
    expect(checked(false).leaks()).toEqual([])
  })

  it('keeps no place when none is wanted', () => {
    const heap = checked({ places: false })
    const handle = heap.alloc(10)
    expect(heap.leaks()).toEqual([{ place: '', objects: 1, bytes: 10 }])
    heap.free(handle)
    expect(usageErrorOf(() => heap.free(handle)).hint).not.toContain('here')
  })

  it('looks at what a release frees, and forgets it', () => {
    const heap = checked()
    const mark = heap.mark()
    const handle = heap.alloc(100)
    heap.free(heap.alloc(50))
    heap.u8[handle * 8 + 100] = 1
    expect(usageErrorOf(() => heap.release(mark)).op).toBe('release')
    heap.u8[handle * 8 + 100] = 0xc5
    heap.release(mark)
    expect(heap.leaks()).toEqual([])
    expect(heap.stats()).toMatchObject({ objects: 0, used: 0, waiting: { objects: 0, bytes: 0 } })
  })

  it('ends waits rather than be full', () => {
    const heap = checked({ quarantine: 64 * MiB }, 4 * MiB)
    for (let i = 0; i < 100; i++) heap.free(heap.alloc(300_000))
    expect(heap.stats().waiting.objects).toBeGreaterThan(0)
    heap.scavenge()
    expect(heap.stats()).toMatchObject({ used: 0, waiting: { objects: 0, bytes: 0 } })
  })

  it('refuses options that are wrong', () => {
    for (const check of [{ quarantine: -1 }, { quarantine: NaN }, { places: 1 }, { place: true }, 1, null, 'yes'])
      expect(usageErrorOf(() => checked(check as HeapOptions['check'])).code).toBe('ERR_MEMLAYER_OPTION')
    const grow = 1 as unknown as boolean
    expect(usageErrorOf(() => createHeap(createMemory(createOS()), { grow })).code).toBe('ERR_MEMLAYER_OPTION')
  })
})

describe('the audit of a table', () => {
  it('finds a count, a bitmap and a summary that disagree', () => {
    const auditOf = (change: (table: SpanTable) => void) => () => {
      const table = new SpanTable(4)
      // A span of class 16 at page 1: 64 objects of 128 bytes. All of them are in use.
      table.tags[1] = 16 << 8
      table.base[1] = table.pool.take(3) + 1
      table.pool.words.fill(0)
      change(table)
      table.audit(4, 'heap')
    }
    expect(auditOf(() => undefined)).not.toThrow()
    const wrong = [
      auditOf((table) => (table.free[1] = 1)),
      auditOf((table) => (table.pool.words[table.base[1] as number] = 1)),
      auditOf((table) => {
        table.pool.words[table.base[1] as number] = 1
        table.pool.words[(table.base[1] as number) - 1] = 1
      }),
    ]
    for (const audit of wrong) {
      const error = errorOf(audit)
      expect(error).toBeInstanceOf(FatalError)
      expect((error as Error).message).toMatch(/^heap: the span at page 1 of the heap 'heap' is broken: /)
    }
  })
})
