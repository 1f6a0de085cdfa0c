// What a person reads when the kernel refuses. By then nothing has changed.
import { createMemory, OutOfMemoryError, UsageError, type Memory, type MemoryStats } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { record, type PosixKernel } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-linux'
import { errorOf, mappings, runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const page = onLinux ? posixKernel().pageSize : 4096

/** The bytes of an account, without the counts of calls. */
function bytesOf({ total }: MemoryStats): number[] {
  return [total.reserved, total.prepared, total.ready, total.held]
}

describe.skipIf(!onLinux)('os-linux, refused by the real kernel (needs Linux)', () => {
  it('names the end of the address space when 2^47 bytes are reserved', () => {
    const memory = createMemory(createOS())
    const before = bytesOf(memory.stats())
    const error = errorOf(() => memory.sysReserve(null, 2 ** 47))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({
      code: 'ERR_MEMLAYER_OUT_OF_MEMORY',
      op: 'sysReserve',
      syscall: 'mmap',
      errno: 12,
      errnoName: 'ENOMEM',
      size: 2 ** 47,
      hint: expect.stringContaining('address space') as string,
    })
    expect(bytesOf(memory.stats())).toEqual(before)
    expect(memory.stats().total.refusals).toBe(1)
  })

  it('names the address space, and not the charge, when no hole is large enough', () => {
    let largest = 0
    let end = 0
    for (const mapping of mappings().filter(({ end: last }) => last <= 2 ** 47)) {
      largest = Math.max(largest, mapping.start - end)
      end = mapping.end
    }
    // The processor decides where the holes are. On x86-64 the largest is 85 TiB.
    const n = Math.max(112 * 2 ** 40, largest + page)
    expect(n).toBeLessThan(2 ** 47)
    const error = errorOf(() => createMemory(createOS()).sysReserve(null, n))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({
      errnoName: 'ENOMEM',
      hint: expect.stringMatching(/(No hole of [\d.]+ TiB is left in the|The) address space/) as string,
    })
  })

  it('names RLIMIT_AS when `ulimit -v` stops an allocation, counts nothing, and works after a free', () => {
    const child = runChild(
      `
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-linux'
      import { posixKernel } from '@memlayer/ffi'
      const GiB = 2 ** 30
      const memory = createMemory(createOS(), { engineHeap: 0 })
      const stat = memory.stat('test')
      const { addressSpace, addressSpaceUsed } = posixKernel().limits()
      const room = Math.floor((addressSpace - addressSpaceUsed) / GiB) * GiB - GiB
      const v = memory.sysReserve(null, room)
      const before = memory.stats().total.held
      let said
      try { memory.sysAlloc(3 * GiB, stat) } catch (error) {
        const { name, code, message, size, hint } = error
        said = { name, code, message, size, hint }
      }
      const after = memory.stats().total.held
      memory.check()
      memory.sysFree(v, room, null)
      memory.sysFree(memory.sysAlloc(3 * GiB, stat), 3 * GiB, stat)
      console.log(JSON.stringify({ ...said, before, after }))
      `,
      { from: import.meta.dirname, under: ['prlimit', `--as=${64 * 2 ** 30}`] },
    )
    expect(child.stderr).toBe('')
    expect(JSON.parse(child.stdout)).toEqual({
      name: 'OutOfMemoryError',
      code: 'ERR_MEMLAYER_OUT_OF_MEMORY',
      message: expect.stringContaining('of 64 GiB of address space') as string,
      size: 3 * 2 ** 30,
      hint: expect.stringContaining('raise RLIMIT_AS (ulimit -v)') as string,
      before: 0,
      after: 0,
    })
  })

  it.each([-page, 0.5, page + 0.5, NaN, Infinity, -Infinity, 2 ** 53, -0, 0])(
    'does not ask the kernel for %d bytes, and says what to pass',
    (n) => {
      const { kernel, calls } = record(posixKernel())
      const memory = createMemory(createOS({ kernel }))
      const stat = memory.stat('test')
      const wrong = [
        () => memory.sysAlloc(n, stat),
        () => memory.sysReserve(null, n),
        () => memory.sysReserveAligned(null, n, page),
        () => memory.sysMap(page, n, stat),
        () => memory.sysFree(page, n, stat),
      ]
      for (const call of wrong) {
        const error = errorOf(call)
        expect(error).toBeInstanceOf(UsageError)
        expect(error).toMatchObject({ code: 'ERR_MEMLAYER_SIZE', hint: expect.stringContaining('Pass') as string })
      }
      expect(calls).toEqual([])
    },
  )
})

// Limits as a host would report them. The arithmetic of the hints needs no kernel.
const roomy = {
  addressSpace: Infinity,
  addressSpaceUsed: 2 ** 30,
  lockedMemory: 8 * 2 ** 20,
  maxMappings: 65530,
  mappings: 200,
  overcommit: 1,
  commitLimit: 2 ** 34,
  committed: 2 ** 33,
  groupLimit: Infinity,
  groupUsed: 0,
}

const GiB = 2 ** 30

describe('os-linux names the limit that stopped a call', () => {
  const hintOf = (limits: Partial<typeof roomy>, run: (memory: Memory) => unknown): string => {
    const error = errorOf(() => run(createMemory(createOS({ kernel: refusing(12, limits) }))))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    return (error as OutOfMemoryError).hint ?? ''
  }
  const reserve = (memory: Memory): unknown => memory.sysReserve(null, 4096)
  const alloc = (memory: Memory): unknown => memory.sysAlloc(GiB, null)
  const allocMuch = (memory: Memory): unknown => memory.sysAlloc(32 * GiB, null)

  it.each([
    ['vm.max_map_count', reserve, { mappings: 65530 }, 'vm.max_map_count is 65530, and the process has 65530 mappings'],
    ['RLIMIT_AS', reserve, { addressSpace: GiB }, 'RLIMIT_AS (ulimit -v) is 1 GiB'],
    ['strict overcommit', alloc, { overcommit: 2, committed: 16 * GiB }, 'vm.overcommit_memory is 2: 16 GiB of 16 GiB'],
    ['heuristic overcommit', allocMuch, { overcommit: 0 }, 'vm.overcommit_memory is 0'],
    [
      // The first touch is charged to it, and the mapping is not.
      'not a full control group',
      alloc,
      { groupLimit: 4 * GiB, groupUsed: 4 * GiB },
      'No hole of 1 GiB is left in the address space',
    ],
    [
      'not a control group without a limit',
      alloc,
      { groupLimit: Infinity, groupUsed: 3 * GiB },
      'No hole of 1 GiB is left in the address space',
    ],
    ['not an unknown control group', alloc, { groupLimit: NaN, groupUsed: NaN }, 'No hole of 1 GiB is left'],
    ['not overcommit while it has room', alloc, { overcommit: 0 }, 'No hole of 1 GiB is left'],
    ['not strict overcommit while it has room', alloc, { overcommit: 2 }, 'No hole of 1 GiB is left'],
  ])('%s', (_, run, limits, words) => {
    expect(hintOf(limits, run)).toContain(words)
  })

  it('no limit when the answer is not ENOMEM', () => {
    const memory = createMemory(createOS({ kernel: refusing(22, {}) }))
    for (const run of [() => reserve(memory), () => alloc(memory)]) {
      expect(errorOf(run)).toMatchObject({ hint: 'Look up the error number. The kernel gives no other reason.' })
    }
  })

  // A mapping without access is not charged, so the limits on charged memory can't stop it.
  it.each([
    ['heuristic overcommit', { overcommit: 0 }],
    ['strict overcommit', { overcommit: 2, committed: 16 * GiB }],
    ['the control group', { groupLimit: GiB, groupUsed: GiB }],
  ])('not %s for a reservation', (_, limits) => {
    expect(hintOf(limits, (memory) => memory.sysReserve(null, 64 * GiB))).toMatch(
      /No hole of 64 GiB is left in the address space/,
    )
  })

  it('what stopped a mapping over a reservation, but not address space, which it has', () => {
    const kernel: PosixKernel = {
      ...refusing(12, { addressSpace: GiB, overcommit: 2, committed: 16 * GiB }),
      mmap: (addr) => (addr === 0 ? 0x7f00_0000_0000 : -12),
    }
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysReserve(null, 4096)
    expect(errorOf(() => memory.sysMap(v, 4096, null))).toMatchObject({
      name: 'FatalError',
      hint: expect.stringMatching(/vm.overcommit_memory is 2: 16 GiB of 16 GiB/) as string,
    })
  })

  it('the control group when populating pages fails, but not overcommit', () => {
    const kernel: PosixKernel = {
      ...refusing(12, { overcommit: 2, committed: 16 * GiB, groupLimit: GiB, groupUsed: GiB }),
      mmap: () => 0x7f00_0000_0000,
    }
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysAlloc(4096, null)
    expect(errorOf(() => memory.sysPopulate(v, 4096))).toMatchObject({
      hint: expect.stringMatching(
        /Give pages back, or raise memory\.max\. The control group uses 1 GiB of 1 GiB\./,
      ) as string,
    })
  })

  it('RLIMIT_MEMLOCK, in Go’s words and as a FatalError', () => {
    const memory = createMemory(createOS({ kernel: refusing(11, {}) }))
    const error = errorOf(() => memory.sysAlloc(4096, null)) as Error
    expect(error.message).toContain("mmap: too much locked memory (check 'ulimit -l').")
    expect(error).toMatchObject({
      errnoName: 'EAGAIN',
      hint: expect.stringContaining('RLIMIT_MEMLOCK is 8 MiB') as string,
    })
  })

  it('no figure of RLIMIT_MEMLOCK where it is not known', () => {
    const memory = createMemory(createOS({ kernel: refusing(11, { lockedMemory: NaN }) }))
    expect(errorOf(() => memory.sysAlloc(4096, null))).toMatchObject({
      hint: expect.stringMatching(/and may lock no more\.$/) as string,
    })
  })
})

function refusing(errno: number, limits: Partial<typeof roomy>): PosixKernel {
  return {
    pageSize: 4096,
    hugePageSize: 0,
    mmap: () => -errno,
    munmap: () => -errno,
    mprotect: () => -errno,
    madvise: () => -errno,
    view: () => new ArrayBuffer(0),
    limits: () => ({ ...roomy, ...limits }),
  }
}

describe('os-linux, when the kernel answers another address than asked for', () => {
  const [base, stray] = [0x7f00_0000_0000, 0x7f80_0000_0000]
  const kernel: PosixKernel = { ...refusing(12, {}), mmap: (addr) => (addr === 0 ? base : stray) }

  it.each([
    ['sysMap', {}, 'cannot map pages in arena address space', 'Reserved'],
    ['sysFault', {}, 'sysFault: the kernel kept the range', 'Ready'],
    ['sysUnused', { hardDecommit: true }, 'cannot disable permissions in address space', 'Ready'],
    ['sysUsed', { hardDecommit: true }, 'cannot remap pages in address space', 'Ready'],
  ] as const)('%s, %o, throws a FatalError with that address, and keeps the range', (op, options, words, state) => {
    const memory = createMemory(createOS({ kernel, ...options }))
    const stat = memory.stat('test')
    const v = op === 'sysMap' ? memory.sysReserve(null, 4096) : memory.sysAlloc(4096, stat)
    const error = errorOf(() => (op === 'sysMap' ? memory.sysMap(v, 4096, stat) : memory[op](v, 4096))) as Error
    expect(error.name).toBe('FatalError')
    expect(error.message.startsWith(words)).toBe(true)
    expect(error).toMatchObject({ op, hint: expect.stringContaining('0x7f8000000000') as string })
    expect(memory.ranges().map((range) => range.state)).toEqual([state])
    memory.check()
  })
})
