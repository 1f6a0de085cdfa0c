// Reservations on kernel32: how they are made, mapped, freed and refused. Runs in Node for Windows.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemory, FatalError, OutOfMemoryError, UsageError } from '@memlayer/core'
import { windowsKernel } from '@memlayer/ffi'
import { record } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-windows'
import { bytesInState, errorOf, pageRange } from '@memlayer/witness'
import { bytesOf, KiB, MEM_RELEASE, MEM_RESERVE, MiB, neighbours, PAGE_READWRITE, states } from './address-space.ts'

const GiB = 2 ** 30
const TiB = 2 ** 40
const { pageSize, allocationGranularity } = windowsKernel()

describe('what the host tells', () => {
  it('has pages of 4 KiB and reserves at multiples of 64 KiB', () => {
    assert.equal(pageSize, 4096)
    assert.equal(allocationGranularity, 65536)
    const { traits } = createOS()
    assert.equal(traits.granularity, 65536)
    assert.equal(traits.freesParts, false)
    assert.ok(Object.isFrozen(traits))
  })
})

describe('reserve and map', () => {
  it('reserves 1 TiB that is committed nowhere', () => {
    const memory = createMemory(createOS())
    const v = memory.sysReserve(null, TiB)
    assert.deepEqual(states(v, TiB), { commit: 0, reserve: TiB, free: 0 })
    assert.equal(memory.stats().total.reserved, TiB)
    memory.sysFree(v, TiB, null)
    assert.deepEqual(states(v, TiB), { commit: 0, reserve: 0, free: TiB })
  })

  it('maps without a kernel call: Prepared is Reserved to the machine', () => {
    const { kernel, take } = record(windowsKernel())
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysReserve(null, MiB)
    take()
    memory.sysMap(v, MiB, memory.stat('test'))
    memory.sysHugePage(v, MiB)
    assert.deepEqual(take(), [])
    assert.deepEqual(states(v, MiB), { commit: 0, reserve: MiB, free: 0 })
    memory.sysFree(v, MiB, null)
  })

  it('takes a hint that is free, and reserves elsewhere when it is busy', () => {
    const memory = createMemory(createOS())
    const v = memory.sysReserve(null, 8 * MiB)
    memory.sysFree(v, 8 * MiB, null)
    assert.equal(memory.sysReserve(v, 8 * MiB), v)

    memory.sysMap(v, MiB, null)
    memory.sysUsed(v, MiB)
    bytesOf(memory, v, MiB).fill(9)
    const other = memory.sysReserve(v, MiB)
    assert.ok(other + MiB <= v || other >= v + 8 * MiB)
    assert.ok(bytesOf(memory, v, MiB).every((byte) => byte === 9))
    memory.sysFree(other, MiB, null)
    memory.sysFree(v, 8 * MiB, null)
  })

  it('answers at the 64 KiB boundary below a hint that is not on one', () => {
    const memory = createMemory(createOS())
    const v = memory.sysReserve(null, MiB)
    memory.sysFree(v, MiB, null)
    assert.equal(memory.sysReserve(v + pageSize, 128 * KiB), v)
    memory.sysFree(v, 128 * KiB, null)
    assert.equal(pageRange(v).state, 'FREE')
  })
})

describe('free', () => {
  it('releases a reservation whole, committed parts and all', () => {
    const memory = createMemory(createOS())
    const stat = memory.stat('test')
    const v = memory.sysReserve(null, 8 * MiB)
    memory.sysMap(v, 4 * MiB, stat)
    memory.sysUsed(v, MiB)
    memory.sysFree(v, 8 * MiB, stat)
    assert.deepEqual(states(v, 8 * MiB), { commit: 0, reserve: 0, free: 8 * MiB })
    assert.equal(stat.load(), 0)
    memory.check()
  })

  it('refuses a part of a reservation without a kernel call', () => {
    const { kernel, take } = record(windowsKernel())
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysAlloc(8 * MiB, null)
    take()
    for (const [at, n] of [
      [v, MiB],
      [v + MiB, 7 * MiB],
      [v + MiB, MiB],
      [v, 16 * MiB],
    ] as const) {
      const error = errorOf(() => memory.sysFree(at, n, null))
      assert.ok(error instanceof UsageError, String(error))
      assert.match(error.code, /ERR_MEMLAYER_(RESERVATION|NOT_OWNED)/)
    }
    assert.deepEqual(take(), [])
    assert.equal(bytesInState('COMMIT', v, 8 * MiB), 8 * MiB)
    memory.sysFree(v, 8 * MiB, null)
  })

  it('refuses two reservations at once, though they lie side by side', () => {
    const memory = createMemory(createOS())
    const v = neighbours(memory, MiB)
    const error = errorOf(() => memory.sysFree(v, 2 * MiB, null))
    assert.ok(error instanceof UsageError)
    assert.equal(error.code, 'ERR_MEMLAYER_RESERVATION')
    memory.sysFree(v, MiB, null)
    assert.deepEqual(states(v, 2 * MiB), { commit: 0, reserve: MiB, free: MiB })
    memory.sysFree(v + MiB, MiB, null)
  })

  it('is what the kernel refuses in parts: 87 with a size, 487 inside', () => {
    const kernel = windowsKernel()
    const v = kernel.virtualAlloc(0, MiB, MEM_RESERVE, PAGE_READWRITE)
    assert.equal(kernel.virtualFree(v, MiB, MEM_RELEASE), -87)
    assert.equal(kernel.virtualFree(v + 64 * KiB, 0, MEM_RELEASE), -487)
    assert.deepEqual(states(v, MiB), { commit: 0, reserve: MiB, free: 0 })
    assert.equal(kernel.virtualFree(v, 0, MEM_RELEASE), 0)
    // Wine answers 87, Windows 487.
    assert.ok([-87, -487].includes(kernel.virtualFree(v, 0, MEM_RELEASE)))
  })

  it('says in Go’s words that the kernel does not release, and still counts the range', () => {
    const memory = createMemory(createOS())
    const v = memory.sysReserve(null, MiB)
    // The reservation goes without the layer, which then frees it again.
    assert.equal(windowsKernel().virtualFree(v, 0, MEM_RELEASE), 0)
    const error = errorOf(() => memory.sysFree(v, MiB, null))
    assert.ok(error instanceof FatalError)
    assert.match(error.message, /^failed to release pages: VirtualFree\(/)
    assert.match(String(error.errnoName), /^ERROR_INVALID_(PARAMETER|ADDRESS)$/)
    assert.equal(memory.stats().total.reserved, MiB)
  })
})

describe('aligned reservations', () => {
  it('come at an alignment far above the granularity, and own no byte more than they say', () => {
    const memory = createMemory(createOS())
    for (const align of [64 * KiB, MiB, 64 * MiB, GiB, 64 * GiB]) {
      const { address, size } = memory.sysReserveAligned(null, MiB, align)
      assert.equal(address % align, 0)
      assert.ok(size === MiB || size === MiB + align)
      assert.deepEqual(states(address, size), { commit: 0, reserve: size, free: 0 })
      assert.equal(pageRange(address).base, address)
      assert.notEqual(pageRange(address + size).base, address)
      memory.sysFree(address, size, null)
      assert.equal(pageRange(address).state, 'FREE')
    }
    assert.equal(memory.stats().total.reserved, 0)
  })

  it('release and reserve again, and try again when another thread takes the place', () => {
    let thefts = 0
    const stolen: number[] = []
    const below = windowsKernel()
    const align = 64 * MiB
    // Another thread takes the place first, three times.
    const kernel = {
      ...below,
      virtualAlloc(addr: number, size: number, type: number, protect: number): number {
        if (addr !== 0 && thefts < 3) {
          thefts += 1
          stolen.push(below.virtualAlloc(addr, allocationGranularity, MEM_RESERVE, PAGE_READWRITE))
        }
        return below.virtualAlloc(addr, size, type, protect)
      },
    }
    const { kernel: recorded, take } = record(kernel)
    const memory = createMemory(createOS({ kernel: recorded }))
    const { address, size } = memory.sysReserveAligned(null, 3 * MiB, align)
    assert.equal(address % align, 0)
    const calls = take()
    const held = new Map<number, number>()
    for (const { fn, args, ret } of calls) {
      if (fn === 'virtualAlloc' && ret > 0) held.set(ret, args[1] ?? 0)
      if (fn === 'virtualFree') assert.ok(held.delete(args[0] ?? 0), 'a release of what was reserved')
    }
    assert.deepEqual([...held], [[address, size]])
    memory.sysFree(address, size, null)
    for (const v of stolen) if (v > 0) below.virtualFree(v, 0, MEM_RELEASE)
  })
})

describe('refused', () => {
  it('refuses 1 TiB of committed memory as out of memory, counts nothing, and goes on', () => {
    const memory = createMemory(createOS())
    const stat = memory.stat('test')
    const error = errorOf(() => memory.sysAlloc(TiB, stat))
    assert.ok(error instanceof OutOfMemoryError, String(error))
    assert.equal(error.op, 'sysAlloc')
    assert.equal(error.syscall, 'VirtualAlloc')
    // Wine answers 8, Windows 1455.
    assert.ok(error.errno === 8 || error.errno === 1455, String(error.errno))
    assert.match(String(error.errnoName), /^ERROR_(NOT_ENOUGH_MEMORY|COMMITMENT_LIMIT)$/)
    assert.match(String(error.hint), /The commit limit .* is [\d.]+ [GT]iB, and [\d.]+ [MGT]iB of it is left/)
    assert.equal(stat.load(), 0)
    assert.equal(memory.stats().total.refusals, 1)
    memory.sysFree(memory.sysAlloc(MiB, stat), MiB, stat)
    memory.check()
  })

  it('names the address space when more is reserved than there is', () => {
    const memory = createMemory(createOS())
    const error = errorOf(() => memory.sysReserve(null, 2 ** 48))
    assert.ok(error instanceof OutOfMemoryError, String(error))
    assert.match(String(error.hint), /The address space of the process is 128(\.0)? TiB/)
    assert.equal(memory.stats().total.reserved, 0)
  })

  it('refuses memory of the engine itself without a kernel call', () => {
    const { kernel, take } = record(windowsKernel())
    const memory = createMemory(createOS({ kernel }))
    let engine = pageRange(allocationGranularity)
    while (engine.protect !== PAGE_READWRITE) engine = pageRange(engine.end)
    for (const run of [
      () => memory.sysFree(engine.start, pageSize, null),
      () => memory.sysUnused(engine.start, pageSize),
      () => memory.sysUsed(engine.start, pageSize),
      () => memory.sysMap(engine.start, pageSize, null),
      () => memory.sysFault(engine.start, pageSize),
    ]) {
      const error = errorOf(run)
      assert.ok(error instanceof UsageError)
      assert.equal(error.code, 'ERR_MEMLAYER_NOT_OWNED')
    }
    assert.deepEqual(take(), [])
    assert.equal(pageRange(engine.start).state, 'COMMIT')
  })
})
