// What a person reads when the kernel refuses: the class, the error's name and the limit. A refused call changes no
// sum of bytes.
import { createMemory, GrowableBuffer, OutOfMemoryError, UsageError } from '@memlayer/core'
import { record, type WindowsKernel, type WindowsLimits } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-windows'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { pagesKernel } from './pages-kernel.ts'

const MiB = 2 ** 20
const GiB = 2 ** 30

const roomy: WindowsLimits = {
  commitLimit: 32 * GiB,
  commitAvailable: 20 * GiB,
  addressSpace: 2 ** 47,
  addressSpaceAvailable: 2 ** 46,
}

function refusing(errno: number, limits: Partial<WindowsLimits> | null): WindowsKernel {
  return {
    ...pagesKernel(),
    virtualAlloc: () => -errno,
    virtualFree: () => -errno,
    ...(limits === null ? { limits: undefined } : { limits: () => ({ ...roomy, ...limits }) }),
  } as WindowsKernel
}

describe('os-windows, refused a commit', () => {
  it('answers that a range can’t be retired, and throws no error', () => {
    const os = createOS({ kernel: refusing(1455, {}) })
    expect(os.sysRetireOS?.(MiB, MiB, false)).toBe(false)
  })
})

describe('os-windows, refused an allocation', () => {
  it.each([
    [
      'the commit limit',
      1455,
      'ERROR_COMMITMENT_LIMIT',
      { commitAvailable: 2 ** 20 },
      "The commit limit (memory and page files together, or the job's limit) is 32 GiB, and 1 MiB of it is left",
    ],
    ['the commit limit', 8, 'ERROR_NOT_ENOUGH_MEMORY', { commitAvailable: 0 }, '0 bytes of it is left.'],
    ['a growing page file', 635, 'ERROR_COMMITMENT_MINIMUM', {}, 'a page file that is growing'],
    ['a quota', 1454, 'ERROR_PAGEFILE_QUOTA', {}, 'is not what refused, so how much is left is not known'],
    ['an unknown limit', 1455, 'ERROR_COMMITMENT_LIMIT', null, 'Committed memory is counted when it is asked for'],
    ['a limit without its size', 1455, 'ERROR_COMMITMENT_LIMIT', { commitLimit: NaN }, 'How much is left is not known'],
    ["a limit of Wine's host", 5, 'ERROR_ACCESS_DENIED', {}, 'or the host of Wine'],
    ['an error without a name', 4242, 'error 4242', {}, 'The kernel gives no other reason'],
  ] as const)('names %s (%i), and counts nothing', (_, errno, errnoName, limits, words) => {
    const memory = createMemory(createOS({ kernel: refusing(errno, limits) }))
    const stat = memory.stat('test')
    const error = errorOf(() => memory.sysAlloc(GiB, stat))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({
      code: 'ERR_MEMLAYER_OUT_OF_MEMORY',
      op: 'sysAlloc',
      syscall: 'VirtualAlloc',
      errno,
      errnoName,
      size: GiB,
      hint: expect.stringContaining(words) as string,
    })
    expect(stat.load()).toBe(0)
    expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0, refusals: 1 })
    expect(memory.os.refusal).toBeNull()
  })
})

describe('os-windows, refused a reservation', () => {
  it.each([
    [
      'the free address space',
      8,
      { addressSpaceAvailable: 2 ** 29 },
      'The address space of the process is 128 TiB, and 512 MiB of it are free',
    ],
    [
      'what is taken of the address space',
      8,
      { addressSpace: GiB, addressSpaceAvailable: GiB - 2 ** 16 },
      'The address space of the process is 1 GiB, and 64 KiB of it are taken',
    ],
    ['the whole address space', 87, {}, '64-bit Windows has 128 TiB for a process'],
    ['its pieces', 8, {}, 'no range as large as that in one piece'],
    ['no range, because there is none yet', 487, null, 'Look up the error number'],
  ] as const)('names %s (%i), after asking at the hint and anywhere', (_, errno, limits, words) => {
    const { kernel, calls } = record(refusing(errno, limits))
    const memory = createMemory(createOS({ kernel }))
    const error = errorOf(() => memory.sysReserve(2 ** 40, GiB))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({ op: 'sysReserve', errno, hint: expect.stringContaining(words) as string })
    expect(calls.map(({ args }) => args[0])).toEqual([2 ** 40, 0])
  })
})

describe('os-windows, misused', () => {
  it.each([-4096, 0.5, 4096.5, NaN, Infinity, -Infinity, 2 ** 53, -0, 0])(
    'does not ask the kernel for %d bytes, and says what to pass',
    (n) => {
      const { kernel, calls } = record(pagesKernel())
      const memory = createMemory(createOS({ kernel }))
      const stat = memory.stat('test')
      for (const run of [
        () => memory.sysAlloc(n, stat),
        () => memory.sysReserve(null, n),
        () => memory.sysReserveAligned(null, n, 65536),
        () => memory.sysMap(65536, n, stat),
        () => memory.sysFree(65536, n, stat),
      ]) {
        const error = errorOf(run)
        expect(error).toBeInstanceOf(UsageError)
        expect(error).toMatchObject({ code: 'ERR_MEMLAYER_SIZE', hint: expect.stringContaining('Pass') as string })
      }
      expect(calls).toEqual([])
    },
  )

  it('does nothing for zero bytes, which VirtualFree takes for the whole reservation', () => {
    const { kernel, take } = record(pagesKernel())
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysAlloc(65536, null)
    take()
    memory.sysUnused(v, 0)
    memory.sysUsed(v, 0)
    memory.sysFault(v, 0)
    expect(take()).toEqual([])
  })
})

describe('os-windows, asked whether more would fit', () => {
  it('gives back what a question took that a script left half way', () => {
    const kernel = pagesKernel()
    let ends = true
    const os = createOS({
      kernel: {
        ...kernel,
        virtualAlloc: (...call) => {
          const answer = kernel.virtualAlloc(...call)
          if (ends && call[2] === 0x1000) throw new Error('the script ends here')
          return answer
        },
      },
    })
    const taken = (): number => GiB * 1024 - (kernel.limits?.().commitAvailable ?? NaN)
    expect(() => os.sysRoomOS?.(GiB)).toThrow('ends here')
    expect(taken()).toBe(GiB)
    ends = false
    expect(os.sysRoomOS?.(GiB)).toBe(true)
    expect(taken()).toBe(0)
  })
})

describe('os-windows, a buffer near the commit limit', () => {
  it('discards without a question, because the engine has no less after it', () => {
    const kernel = { ...pagesKernel({ commitLimit: GiB }), view: (_: number, n: number) => new ArrayBuffer(n) }
    const memory = createMemory(createOS({ kernel }))
    using buffer = new GrowableBuffer(memory, { maximum: GiB, length: 400 * MiB })
    const rest = memory.sysAlloc(500 * MiB, null)
    buffer.discard(100 * MiB, 200 * MiB)
    expect(buffer.length).toBe(400 * MiB)
    expect(memory.stats().total.ready).toBe(900 * MiB)
    memory.check()
    // The room that others need is not a part of what came back.
    expect(errorOf(() => buffer.grow(64 * MiB))).toBeInstanceOf(OutOfMemoryError)
    memory.sysFree(rest, 500 * MiB, null)
  })
})
