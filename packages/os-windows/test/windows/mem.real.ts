// The transitions on kernel32, with VirtualQuery as the witness. Runs in Node for Windows.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemory, FatalError, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import { windowsKernel } from '@memlayer/ffi'
import { record } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-windows'
import { bytesInState, pageRange, pageRangesIn } from '@memlayer/witness'

const KiB = 2 ** 10
const MiB = 2 ** 20
const GiB = 2 ** 30
const TiB = 2 ** 40
const MEM_COMMIT = 0x1000
const MEM_RESERVE = 0x2000
const MEM_DECOMMIT = 0x4000
const MEM_RELEASE = 0x8000
const PAGE_READWRITE = 4
const { pageSize, allocationGranularity } = windowsKernel()

/** Bytes by state, as VirtualQuery tells. */
function states(v: number, n: number): { commit: number; reserve: number; free: number } {
  return {
    commit: bytesInState('COMMIT', v, n),
    reserve: bytesInState('RESERVE', v, n),
    free: bytesInState('FREE', v, n),
  }
}

function bytesOf(memory: Memory, v: number, n: number): Uint8Array {
  return new Uint8Array(memory.os.view(v, n))
}

function errorOf(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('no error was thrown')
}

/** Two reservations of `n` bytes with nothing between them: the range that one VirtualFree can't reach over. */
function neighbours(memory: Memory, n: number): number {
  for (let tries = 0; tries < 100; tries++) {
    const v = memory.sysReserve(null, 2 * n)
    memory.sysFree(v, 2 * n, null)
    const first = memory.sysReserve(v, n)
    const second = memory.sysReserve(v + n, n)
    if (first === v && second === v + n) return v
    memory.sysFree(first, n, null)
    memory.sysFree(second, n, null)
  }
  throw new Error('no two reservations came to lie side by side')
}

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

describe('used and unused', () => {
  it('commits what is used and nothing beside it', () => {
    const memory = createMemory(createOS())
    const v = memory.sysReserve(null, 64 * MiB)
    memory.sysMap(v, 64 * MiB, null)
    memory.sysUsed(v + 16 * MiB, 32 * MiB)
    assert.deepEqual(
      pageRangesIn(v, 64 * MiB).map(({ start, end, state, protect }) => [start - v, end - v, state, protect]),
      [
        [0, 16 * MiB, 'RESERVE', 0],
        [16 * MiB, 48 * MiB, 'COMMIT', PAGE_READWRITE],
        [48 * MiB, 64 * MiB, 'RESERVE', 0],
      ],
    )
    assert.equal(memory.stats().total.ready, 32 * MiB)
    memory.sysFree(v, 64 * MiB, null)
  })

  it('decommits what is unused and keeps its address space', () => {
    const memory = createMemory(createOS())
    const v = memory.sysAlloc(16 * MiB, null)
    assert.deepEqual(states(v, 16 * MiB), { commit: 16 * MiB, reserve: 0, free: 0 })
    memory.sysUnused(v + pageSize, 8 * MiB)
    assert.deepEqual(states(v, 16 * MiB), { commit: 8 * MiB, reserve: 8 * MiB, free: 0 })
    assert.equal(bytesInState('RESERVE', v + pageSize, 8 * MiB), 8 * MiB)
    memory.sysFree(v, 16 * MiB, null)
  })

  it('hands back zeroes after unused and used, and leaves the neighbours their bytes', () => {
    const memory = createMemory(createOS())
    const v = memory.sysAlloc(4 * MiB, null)
    assert.ok(bytesOf(memory, v, 4 * MiB).every((byte) => byte === 0))
    bytesOf(memory, v, 4 * MiB).fill(7)
    memory.sysUnused(v + MiB, MiB)
    memory.sysUsed(v + MiB, MiB)
    const bytes = bytesOf(memory, v, 4 * MiB)
    assert.ok(bytes.subarray(0, MiB).every((byte) => byte === 7))
    assert.ok(bytes.subarray(MiB, 2 * MiB).every((byte) => byte === 0))
    assert.ok(bytes.subarray(2 * MiB).every((byte) => byte === 7))
    memory.sysFree(v, 4 * MiB, null)
  })

  it('keeps the bytes of what was Ready when a mix of Prepared and Ready is used', () => {
    const memory = createMemory(createOS())
    const v = memory.sysReserve(null, MiB)
    memory.sysMap(v, MiB, null)
    memory.sysUsed(v + 256 * KiB, 64 * KiB)
    bytesOf(memory, v + 256 * KiB, 64 * KiB).fill(3)
    memory.sysUsed(v, MiB)
    assert.ok(bytesOf(memory, v + 256 * KiB, 64 * KiB).every((byte) => byte === 3))
    assert.equal(bytesInState('COMMIT', v, MiB), MiB)
    memory.sysFree(v, MiB, null)
  })

  it('faults by decommitting', () => {
    const memory = createMemory(createOS())
    const v = memory.sysAlloc(MiB, null)
    memory.sysFault(v, 64 * KiB)
    assert.deepEqual(states(v, MiB), { commit: MiB - 64 * KiB, reserve: 64 * KiB, free: 0 })
    assert.equal(memory.stats().total.reserved, 64 * KiB)
    memory.sysFree(v, MiB, null)
  })
})

describe('across two reservations', () => {
  it('is what the kernel refuses: 487 for a commit, 87 for a decommit, and nothing has changed', () => {
    const memory = createMemory(createOS())
    const kernel = windowsKernel()
    const v = neighbours(memory, MiB)
    assert.equal(kernel.virtualAlloc(v, 2 * MiB, MEM_COMMIT, PAGE_READWRITE), -487)
    assert.equal(bytesInState('COMMIT', v, 2 * MiB), 0)
    memory.sysMap(v, 2 * MiB, null)
    memory.sysUsed(v, 2 * MiB)
    assert.equal(kernel.virtualFree(v, 2 * MiB, MEM_DECOMMIT), -87)
    assert.equal(bytesInState('COMMIT', v, 2 * MiB), 2 * MiB)
    memory.sysFree(v, MiB, null)
    memory.sysFree(v + MiB, MiB, null)
  })

  it('commits and decommits in pieces, whichever page the range begins and ends at', () => {
    const { kernel, take } = record(windowsKernel())
    const memory = createMemory(createOS({ kernel }))
    const v = neighbours(memory, MiB)
    memory.sysMap(v, 2 * MiB, null)
    for (const [offset, size] of [
      [0, 2 * MiB],
      [pageSize, 2 * MiB - 3 * pageSize],
      [MiB - pageSize, 2 * pageSize],
      [MiB - 5 * pageSize, MiB],
    ] as const) {
      take()
      memory.sysUsed(v + offset, size)
      const commits = take()
      assert.equal(bytesInState('COMMIT', v, 2 * MiB), size)
      assert.equal(bytesInState('COMMIT', v + offset, size), size)
      // The whole twice, as Go asks, and then pieces: each reservation's part is taken.
      assert.deepEqual(
        commits.slice(0, 2).map(({ args, ret }) => [...args, ret]),
        [
          [v + offset, size, MEM_COMMIT, PAGE_READWRITE, -487],
          [v + offset, size, MEM_COMMIT, PAGE_READWRITE, -487],
        ],
      )
      const taken = commits.filter(({ ret }) => ret > 0)
      assert.equal(
        taken.reduce((sum, { args }) => sum + (args[1] ?? 0), 0),
        size,
      )
      bytesOf(memory, v + offset, size).fill(5)

      take()
      memory.sysUnused(v + offset, size)
      const decommits = take()
      assert.equal(bytesInState('COMMIT', v, 2 * MiB), 0)
      assert.equal(decommits[0]?.ret, -87)
      assert.equal(
        decommits.filter(({ ret }) => ret === 0).reduce((sum, { args }) => sum + (args[1] ?? 0), 0),
        size,
      )
    }
    memory.check()
    memory.sysFree(v, MiB, null)
    memory.sysFree(v + MiB, MiB, null)
  })

  it('faults in pieces too', () => {
    const memory = createMemory(createOS())
    const v = neighbours(memory, 64 * KiB)
    memory.sysMap(v, 128 * KiB, null)
    memory.sysUsed(v, 128 * KiB)
    memory.sysFault(v + 32 * KiB, 64 * KiB)
    assert.deepEqual(states(v, 128 * KiB), { commit: 64 * KiB, reserve: 64 * KiB, free: 0 })
    memory.sysFree(v, 64 * KiB, null)
    memory.sysFree(v + 64 * KiB, 64 * KiB, null)
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

  it('refuses a part of a reservation before the kernel hears of it', () => {
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

  it('says in Go’s words that the kernel does not release, and goes on counting the range', () => {
    const memory = createMemory(createOS())
    const v = memory.sysReserve(null, MiB)
    // Behind the layer's back: what it frees then is not there any more.
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

  it('release and reserve anew, and try again when another takes the place', () => {
    let thefts = 0
    const stolen: number[] = []
    const below = windowsKernel()
    const align = 64 * MiB
    // The other thread: it is quicker three times.
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
    assert.match(String(error.hint), /The commit limit .* is [\d.]+ [GT]iB, [\d.]+ [MGT]iB of it are left/)
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

  it('refuses memory of the engine itself before the kernel hears of it', () => {
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
