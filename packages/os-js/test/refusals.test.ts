// What a person reads when a memory has no room left. By then nothing has changed. Also the calls that are stopped
// before they reach the memory.
import { createMemory, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import { record, type WasmKernel } from '@memlayer/kernel'
import { createOS, wasmKernel } from '@memlayer/os-js'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { wideAddress } from './history/memories.js'
import { PAGE } from './history/shadow.js'

const MiB = 2 ** 20
const GiB = 2 ** 30

function hintOf(run: () => unknown): string | undefined {
  const error = errorOf(run)
  expect(error).toBeInstanceOf(OutOfMemoryError)
  return (error as OutOfMemoryError).hint
}

/** A memory that has handed out pages and got some back, below its maximum of 64. */
function fragmented(kernel: WasmKernel = wasmKernel({ maximum: 64 })): Memory {
  const memory = createMemory(createOS({ kernel }))
  const parts = Array.from({ length: 8 }, () => memory.sysAlloc(PAGE, null))
  for (const i of [1, 4, 5]) memory.sysFree(parts[i] as number, PAGE, null)
  return memory
}

describe('os-js, refused by a real memory', () => {
  it('names the maximum and the free pieces, counts nothing, and continues', () => {
    const kernel = wasmKernel({ maximum: 64 })
    const memory = fragmented(kernel)
    const before = memory.stats().total
    const error = errorOf(() => memory.sysReserve(null, 4 * MiB))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({
      code: 'ERR_MEMLAYER_OUT_OF_MEMORY',
      op: 'sysReserve',
      syscall: 'growMemory',
      errno: 12,
      errnoName: 'ENOMEM',
      size: 4 * MiB,
      hint:
        'Make the kernel with a larger maximum. ' +
        "The memory's maximum is 4 MiB (64 pages), and this would take it from 576 KiB to 4.6 MiB. " +
        '192 KiB are free inside it, in pieces of 128 KiB or less.',
    })
    expect(memory.stats().total).toEqual({ ...before, calls: before.calls + 1, refusals: 1 })
    expect(kernel.currentMemory()).toBe(9)
    memory.check()
    // One huge request does not spoil later ones. All memory up to the maximum can still be reserved.
    expect(memory.sysReserve(null, 55 * PAGE)).toBe(9 * PAGE)
    expect(memory.sysAlloc(2 * PAGE, null)).toBe(5 * PAGE)
    expect(memory.sysAlloc(PAGE, null)).toBe(2 * PAGE)
    expect(errorOf(() => memory.sysAlloc(PAGE, null))).toBeInstanceOf(OutOfMemoryError)
  })

  it('names 4 GiB and 64-bit memories at the end of a 32-bit memory', () => {
    const memory = createMemory(createOS())
    expect(hintOf(() => memory.sysReserve(null, 4 * GiB))).toBe(
      "Make the kernel with wasmKernel({ address: 'i64' }). " +
        'A 32-bit memory ends at 4 GiB, and this would take it from 64 KiB to 4.0 GiB.',
    )
    memory.sysFree(memory.sysReserve(null, GiB), GiB, null)
  })

  it('names the engine when no maximum stopped the growth', (ctx) => {
    const memory = createMemory(createOS({ kernel: wasmKernel({ address: wideAddress(ctx) }) }))
    for (const size of [2 ** 50, 2 ** 48, 2 ** 46]) {
      expect(hintOf(() => memory.sysReserve(null, size))).toMatch(
        / from 64 KiB to .*\. The engine has a limit of its own, or the host has no address space left\.$/,
      )
    }
    // 2^40 pages. V8 would take the low 32 bits of the count and report growth.
    expect(hintOf(() => memory.sysReserve(null, 2 ** 53 - PAGE))).toContain('The engine did not grow')
    expect(memory.sysReserve(null, PAGE)).toBe(PAGE)
    memory.check()
  })

  it('names the engine and the maximum when the engine stops below it', () => {
    const kernel: WasmKernel = { ...wasmKernel({ maximum: 64 }), growMemory: () => -1 }
    expect(hintOf(() => createMemory(createOS({ kernel })).sysReserve(null, PAGE))).toBe(
      'Free memory, or ask for less. ' +
        'The engine did not grow the memory from 64 KiB to 128 KiB, although its maximum is 4 MiB. ' +
        'The engine has a limit of its own, or the host has no address space left.',
    )
  })

  it('refuses a requested address without asking the memory, and says why', () => {
    const { kernel, calls } = record(wasmKernel())
    const memory = createMemory(createOS({ kernel }))
    const error = errorOf(() => memory.sysReserve(PAGE, PAGE)) as OutOfMemoryError
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error.message).toBe(
      'sysReserve: js refused 64 KiB at 0x10000. Pass null. A WebAssembly memory chooses the address itself.',
    )
    expect(error.syscall).toBeUndefined()
    expect(calls).toEqual([])
    expect(memory.os.traits.hints).toBe(false)
    expect(() => memory.sysReserveAligned(PAGE, PAGE, PAGE)).toThrow(OutOfMemoryError)
  })
})

describe('os-js under wrong calls', () => {
  const wrong: readonly (readonly [string, (memory: Memory, v: number) => unknown])[] = [
    ['a size that is not whole pages', (memory, v) => memory.sysFree(v, 100, null)],
    ['an address inside a page', (memory, v) => memory.sysUnused(v + 1, PAGE)],
    ['a range that was freed', (memory, v) => memory.sysFree(v + PAGE, PAGE, null)],
    ['a range that ends in a freed range', (memory, v) => memory.sysUsed(v, 2 * PAGE)],
    ['page 0', (memory) => memory.sysFree(0, PAGE, null)],
    ['a range beyond the memory', (memory) => memory.sysFree(GiB, PAGE, null)],
    ['an address beyond 2^32', (memory) => memory.sysUnused(2 ** 40, PAGE)],
    ['mapping a Ready range', (memory, v) => memory.sysMap(v, PAGE, null)],
    ['NaN', (memory, v) => memory.sysFree(v, NaN, null)],
    ['minus zero', (memory) => memory.sysAlloc(-0, null)],
    ['2^53', (memory) => memory.sysReserve(null, 2 ** 53)],
    ['a string', (memory, v) => memory.sysFree(String(v) as unknown as number, PAGE, null)],
    ['a bigint', (memory, v) => memory.sysFree(BigInt(v) as unknown as number, PAGE, null)],
  ]

  it.each(wrong)('stops %s with a UsageError, without a kernel call', (_, call) => {
    const { kernel, take } = record(wasmKernel({ maximum: 64 }))
    const memory = fragmented(kernel)
    const before = memory.ranges()
    take()
    expect(errorOf(() => call(memory, PAGE))).toBeInstanceOf(UsageError)
    expect(take()).toEqual([])
    expect(memory.ranges()).toEqual(before)
    memory.check()
  })

  it.each([
    [
      'twice',
      [
        [PAGE, 2 * PAGE],
        [PAGE, 2 * PAGE],
        [2 * PAGE, PAGE],
      ],
    ],
    ['of page 0', [[0, PAGE]]],
    [
      'that was never handed out',
      [
        [0, GiB],
        [16 * PAGE, PAGE],
        [2 ** 40, PAGE],
      ],
    ],
    ['inside a page', [[PAGE + 8, PAGE]]],
  ])('ignores a free %s, even without a ledger', (_, frees) => {
    const memory = createMemory(createOS(), { ledger: false })
    const v = memory.sysAlloc(2 * PAGE, null)
    const kept = memory.sysAlloc(2 * PAGE, null)
    expect([v, kept]).toEqual([PAGE, 3 * PAGE])
    for (const [at, n] of frees) memory.sysFree(at as number, n as number, null)
    const taken = Array.from({ length: 8 }, () => memory.sysAlloc(PAGE, null))
    expect(new Set(taken).size).toBe(8)
    expect(taken.filter((at) => at < PAGE || (at >= kept && at < kept + 2 * PAGE))).toEqual([])
  })
})

describe('wasmKernel', () => {
  const memory = new WebAssembly.Memory({ initial: 1 })
  it.each([
    [{ address: 'i63' }, /address is i63.*'i32' or 'i64'/],
    [{ maximum: 65537 }, /maximum is 65537/],
    [{ maximum: -1 }, /maximum is -1/],
    [{ initial: 1.5 }, /initial is 1.5/],
    [{ maximum: 0 }, /maximum is 0 and initial is 1/],
    [{ initial: 10, maximum: 5 }, /maximum is 5 and initial is 10/],
    [{ shared: true }, /shared needs maximum/],
    [{ end: 0 }, /end is given without memory/],
    [{ memory, initial: 1 }, /initial or shared is given together with memory/],
    [{ memory, shared: false }, /initial or shared is given together with memory/],
    [{ memory, end: -1 }, /end is -1/],
    [{ memory: null }, /memory is not a WebAssembly.Memory/],
    [{ memory: new ArrayBuffer(PAGE) }, /memory is not a WebAssembly.Memory/],
    [{ memory: { buffer: new ArrayBuffer(5), grow: () => -1 } }, /memory is not a WebAssembly.Memory/],
  ])('refuses %o with a UsageError', (options, message) => {
    const error = errorOf(() => wasmKernel(options as never)) as UsageError
    expect(error).toBeInstanceOf(UsageError)
    expect(error.code).toBe('ERR_MEMLAYER_OPTION')
    expect(error.message).toMatch(message)
    expect(error.hint).not.toBe('')
  })

  it.each([
    [{ maximum: 65537 }, true],
    [{ maximum: 1.5 }, false],
    [{ maximum: 2 ** 60 }, false],
    [{ address: 'i64', maximum: 2 ** 60 }, false],
  ] as const)('names 64-bit memories for %o only if they may have that many pages: %s', (options, isNamed) => {
    const { hint } = errorOf(() => wasmKernel(options)) as UsageError
    expect(hint?.includes("A memory with address 'i64' may have more.")).toBe(isNamed)
  })

  it('advises 32-bit addresses only where 64-bit addresses were refused', () => {
    const { Memory } = WebAssembly
    WebAssembly.Memory = function refuse() {
      throw new TypeError('refused')
    } as never
    try {
      const hintFor = (address: 'i32' | 'i64'): string | undefined =>
        (errorOf(() => wasmKernel({ address })) as UsageError).hint
      expect(hintFor('i64')).toMatch(/^Pass address 'i32', or use Node 24/)
      expect(hintFor('i32')).toBe("Look at the cause, which is the engine's own error.")
    } finally {
      WebAssembly.Memory = Memory
    }
  })

  it('throws OutOfMemoryError when the engine can’t make a memory of that size', (ctx) => {
    const address = wideAddress(ctx)
    const error = errorOf(() => wasmKernel({ address, initial: 2 ** 31, maximum: 2 ** 32 - 1 })) as OutOfMemoryError
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error.hint).toContain('smaller maximum')
    expect(error.cause).toBeInstanceOf(RangeError)
  })

  it('finds the width of a memory that is handed in, and detaches nothing', (ctx) => {
    const narrow = new WebAssembly.Memory({ initial: 2 })
    const wide = new WebAssembly.Memory({ initial: 2n, address: wideAddress(ctx) } as never)
    const buffers = [narrow.buffer, wide.buffer]
    expect(wasmKernel({ memory: narrow })).toMatchObject({ address: 'i32', maximum: 65536 })
    expect(wasmKernel({ memory: wide })).toMatchObject({ address: 'i64' })
    expect(buffers.map(({ byteLength }) => byteLength)).toEqual([2 * PAGE, 2 * PAGE])
    expect([narrow.buffer, wide.buffer]).toEqual(buffers)
  })

  it.each([-1, 0.5, NaN, Infinity, 2 ** 32, 2 ** 53])(
    'answers -1 to a growth of %d pages, and does not throw',
    (pages) => {
      const kernel = wasmKernel()
      expect(kernel.growMemory(pages)).toBe(-1)
      expect(kernel.currentMemory()).toBe(1)
    },
  )

  it('keeps a module’s memory below the kernel’s own maximum', () => {
    const kernel = wasmKernel({ memory: new WebAssembly.Memory({ initial: 1, maximum: 100 }), maximum: 10 })
    expect(kernel.growMemory(10)).toBe(-1)
    expect(kernel.growMemory(9)).toBe(1)
  })
})
