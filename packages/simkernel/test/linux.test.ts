// The simulated Linux alone, rule by rule. The differential test (tooling/simulated) shows that the rules are
// Linux's.
import { simulate, type PosixOptions, type SimulatedPosixKernel } from '@memlayer/simkernel'
import { describe, expect, it } from 'vitest'

const page = 4096
const huge = 2 ** 21
const MiB = 2 ** 20
const GiB = 2 ** 30

const ANON_PRIVATE = 0x22
const ANON_SHARED = 0x21
const FIXED = 0x10
const NORESERVE = 0x4000
const POPULATE = 0x8000
const LOCKED = 0x2000
const STACK = 0x20000
const NOREPLACE = 0x100000

const RW = 3
const [EAGAIN, ENOMEM, EBADF, EEXIST, EINVAL] = [11, 12, 9, 17, 22]

/** A kernel and a mapping of whole huge pages in it. */
function mapped(
  n: number,
  options: PosixOptions = {},
  prot = RW,
  flags = ANON_PRIVATE,
): { kernel: SimulatedPosixKernel; v: number } {
  const kernel = simulate('linux', { pressure: 0, ...options })
  const v = kernel.mmap(0, n, prot, flags, -1, 0)
  if (v < 0) throw new Error(`mmap answered ${v}`)
  return { kernel, v }
}

/** The mappings as `start-end permissions flags`, in pages from `v`. */
function shown(kernel: SimulatedPosixKernel, v: number): string[] {
  return kernel
    .maps()
    .map(({ start, end, permissions, flags }) =>
      `${(start - v) / page}-${(end - v) / page} ${permissions} ${flags.join(' ')}`.trim(),
    )
}

describe('mappings', () => {
  it('merge with a neighbour that is like them, and split when a part is changed', () => {
    const { kernel, v } = mapped(4 * page, {}, 0)
    expect(kernel.mmap(v + 4 * page, 4 * page, 0, ANON_PRIVATE | FIXED, -1, 0)).toBe(v + 4 * page)
    expect(shown(kernel, v)).toEqual(['0-8 ---p'])
    kernel.mprotect(v + 2 * page, page, RW)
    expect(shown(kernel, v)).toEqual(['0-2 ---p', '2-3 rw-p ac', '3-8 ---p'])
    kernel.mprotect(v + 2 * page, page, 0)
    expect(shown(kernel, v)).toEqual(['0-8 ---p'])
  })

  it('do not merge when each has written private pages', () => {
    const { kernel, v } = mapped(page)
    kernel.touch(v, page)
    const apart = v + 2 * page
    kernel.mmap(apart, page, RW, ANON_PRIVATE | FIXED, -1, 0)
    kernel.touch(apart, page)
    // The mapping between joins the lower one, because the upper one has another family of pages.
    kernel.mmap(v + page, page, RW, ANON_PRIVATE | FIXED, -1, 0)
    expect(shown(kernel, v)).toEqual(['0-2 rw-p ac', '2-3 rw-p ac'])
  })

  it('show each advice that Linux keeps, in the letters of /proc/self/smaps', () => {
    const { kernel, v } = mapped(page, {}, RW, ANON_PRIVATE | NORESERVE)
    const letters = [
      [14, 'hg'],
      [15, 'nh'],
      [10, 'dc'],
      [16, 'dd'],
      [18, 'wf'],
      [2, 'sr'],
      [1, 'rr'],
      [12, 'mg'],
    ] as const
    for (const [advice, two] of letters) {
      expect(kernel.madvise(v, page, advice)).toBe(0)
      expect(kernel.maps()[0]?.flags).toContain(two)
    }
    expect(kernel.maps()[0]?.flags).toEqual(['rr', 'dc', 'nr', 'wf', 'dd', 'nh', 'mg'])
    for (const undo of [0, 11, 13, 17, 19]) kernel.madvise(v, page, undo)
    expect(kernel.maps()[0]?.flags).toEqual(['nr', 'nh'])
  })

  it('of a stack get no huge pages', () => {
    const { kernel } = mapped(page, {}, RW, ANON_PRIVATE | STACK)
    expect(kernel.maps()[0]?.flags).toEqual(['ac', 'nh'])
  })

  it.each<[string, Parameters<SimulatedPosixKernel['mmap']>, number]>([
    ['no bytes', [0, 0, RW, ANON_PRIVATE, -1, 0], EINVAL],
    ['neither shared nor private', [0, page, RW, 0x20, -1, 0], EINVAL],
    ['a fixed address inside a page', [0x5000_0001, page, RW, ANON_PRIVATE | FIXED, -1, 0], EINVAL],
    ['an offset inside a page', [0, page, RW, ANON_PRIVATE, -1, 1], EINVAL],
    ['a file, because the simulator has no files', [0, page, RW, 2, 3, 0], EBADF],
    ['2^47 bytes', [0, 2 ** 47, 0, ANON_PRIVATE, -1, 0], ENOMEM],
    ['a fixed end above user space', [2 ** 47 - 2 * page, 4 * page, 0, ANON_PRIVATE | FIXED, -1, 0], ENOMEM],
    ['a length below zero', [0, -page, 0, ANON_PRIVATE, -1, 0], ENOMEM],
  ])('of %s are refused', (_, args, errno) => {
    const kernel = simulate('linux')
    expect(kernel.mmap(...args)).toBe(-errno)
    expect(kernel.maps()).toEqual([])
  })

  it('replace the mapping at a fixed address, except with NOREPLACE', () => {
    const { kernel, v } = mapped(3 * page)
    kernel.write(v + page, new Uint8Array([7]))
    expect(kernel.mmap(v + page, page, RW, ANON_PRIVATE | NOREPLACE, -1, 0)).toBe(-EEXIST)
    expect(kernel.mmap(v + page, page, RW, ANON_PRIVATE | FIXED, -1, 0)).toBe(v + page)
    const byte = new Uint8Array([1])
    kernel.read(v + page, byte)
    expect(byte[0]).toBe(0)
  })

  it('throw for a flag that is not simulated, instead of doing something else', () => {
    const kernel = simulate('linux')
    for (const flag of [0x40, 0x100, 0x40000]) {
      expect(() => kernel.mmap(0, page, RW, ANON_PRIVATE | flag, -1, 0)).toThrow(
        expect.objectContaining({ code: 'ERR_MEMLAYER_SIM_UNSUPPORTED' }) as Error,
      )
    }
  })
})

describe('holes', () => {
  it('are ignored by munmap, stop mprotect, and are skipped by madvise', () => {
    const { kernel, v } = mapped(6 * page)
    kernel.munmap(v + 2 * page, page)
    kernel.touch(v, 2 * page)
    kernel.touch(v + 3 * page, 3 * page)
    expect(kernel.mprotect(v, 6 * page, 1)).toBe(-ENOMEM)
    expect(shown(kernel, v)).toEqual(['0-2 r--p ac', '3-6 rw-p ac'])
    expect(kernel.madvise(v, 6 * page, 4)).toBe(-ENOMEM)
    expect(kernel.residence(v, 6 * page).resident).toBe(0)
    expect(kernel.munmap(v, 6 * page)).toBe(0)
    expect(kernel.munmap(v, 6 * page)).toBe(0)
  })
})

describe('limits', () => {
  it('of address space count each mapped byte, and a replaced one only once', () => {
    const { kernel, v } = mapped(MiB, { limits: { addressSpace: MiB } })
    expect(kernel.mmap(0, page, 0, ANON_PRIVATE, -1, 0)).toBe(-ENOMEM)
    expect(kernel.mmap(v, MiB, 0, ANON_PRIVATE | FIXED, -1, 0)).toBe(v)
    kernel.munmap(v, page)
    expect(kernel.mmap(0, page, 0, ANON_PRIVATE, -1, 0)).toBeGreaterThan(0)
    expect(kernel.limits()).toMatchObject({ addressSpace: MiB, addressSpaceUsed: MiB })
  })

  it('of mappings refuse an advice with EAGAIN and every other call with ENOMEM', () => {
    const { kernel, v } = mapped(8 * page, { limits: { maxMappings: 1 } })
    expect(kernel.madvise(v + page, page, 14)).toBe(-EAGAIN)
    expect(kernel.mprotect(v + page, page, 0)).toBe(-ENOMEM)
    expect(kernel.munmap(v + page, page)).toBe(-ENOMEM)
    expect(kernel.munmap(v, page)).toBe(0)
    expect(kernel.mappings()).toEqual({ used: 1, limit: 1 })
  })

  it('of promised memory depend on vm.overcommit_memory', () => {
    const answers = ([0, 1, 2] as const).map((overcommit) => {
      const kernel = simulate('linux', { limits: { memory: GiB, overcommit } })
      const reserve = kernel.mmap(0, 2 * GiB, 0, ANON_PRIVATE, -1, 0) > 0
      const large = kernel.mmap(0, 2 * GiB, RW, ANON_PRIVATE, -1, 0) > 0
      const many = [1, 2, 3].map(() => kernel.mmap(0, 256 * MiB, RW, ANON_PRIVATE, -1, 0) > 0)
      const unreserved = kernel.mmap(0, 256 * MiB, RW, ANON_PRIVATE | NORESERVE, -1, 0) > 0
      return [reserve, large, ...many, unreserved]
    })
    expect(answers).toEqual([
      [true, false, true, true, true, true],
      [true, true, true, true, true, true],
      // Half of memory, which must not be reached. NORESERVE has no effect.
      [true, false, true, false, false, false],
    ])
  })

  it('of promised memory count memory that becomes writable, and release unmapped memory', () => {
    const { kernel, v } = mapped(4 * page, {}, 0)
    const committed = (): number => kernel.limits().committed
    expect(committed()).toBe(0)
    kernel.mprotect(v, 2 * page, RW)
    expect(committed()).toBe(2 * page)
    kernel.touch(v, page)
    kernel.mprotect(v, page, 0)
    // It has private pages, which are still promised.
    expect(committed()).toBe(2 * page)
    kernel.munmap(v, 4 * page)
    expect(committed()).toBe(0)
    const shared = kernel.mmap(0, 4 * page, RW, ANON_SHARED, -1, 0)
    kernel.munmap(shared, 2 * page)
    // A shared object goes when its last part is unmapped.
    expect(committed()).toBe(4 * page)
    kernel.munmap(shared + 2 * page, 2 * page)
    expect(committed()).toBe(0)
  })

  it('of locked memory refuse with EAGAIN, and locked memory keeps its pages', () => {
    const { kernel, v } = mapped(2 * page, { limits: { lockedMemory: 2 * page } }, RW, ANON_PRIVATE | LOCKED)
    expect(kernel.residence(v, 2 * page).resident).toBe(2 * page)
    expect(kernel.mmap(0, page, RW, ANON_PRIVATE | LOCKED, -1, 0)).toBe(-EAGAIN)
    expect(kernel.madvise(v, page, 4)).toBe(-EINVAL)
    expect(kernel.madvise(v, page, 24)).toBe(0)
    expect(kernel.residence(v, 2 * page).resident).toBe(page)
    kernel.munmap(v, 2 * page)
    expect(kernel.mmap(0, page, RW, ANON_PRIVATE | LOCKED, -1, 0)).toBeGreaterThan(0)
  })

  it('of memory itself kill: after all forfeit pages are taken, one touch too many throws and has no effect', () => {
    const { kernel, v } = mapped(4 * MiB, { limits: { group: 2 * MiB } })
    kernel.touch(v, 2 * MiB)
    kernel.madvise(v, MiB, 8)
    kernel.touch(v + 2 * MiB, MiB)
    expect(kernel.counters.forfeitTaken).toBe(MiB)
    expect(() => kernel.touch(v + 3 * MiB, MiB)).toThrow(
      expect.objectContaining({ code: 'ERR_MEMLAYER_SIM_KILLED' }) as Error,
    )
    expect(kernel.residence(v, 4 * MiB).resident).toBe(2 * MiB)
  })
})

describe('pages', () => {
  it('come with a write, with POPULATE and with MADV_POPULATE, but not with a read', () => {
    const { kernel, v } = mapped(8 * page)
    const resident = (): number => kernel.residence(v, 8 * page).resident / page
    kernel.touch(v, page, 'read')
    expect(resident()).toBe(0)
    kernel.touch(v, 1)
    expect(resident()).toBe(1)
    expect(kernel.madvise(v + page, page, 23)).toBe(0)
    expect(kernel.madvise(v + 2 * page, page, 22)).toBe(0)
    expect(resident()).toBe(2)
    kernel.mmap(v, 8 * page, RW, ANON_PRIVATE | FIXED | POPULATE, -1, 0)
    expect(resident()).toBe(8)
    kernel.mprotect(v, page, 0)
    expect(kernel.madvise(v, page, 23)).toBe(-EINVAL)
  })

  it('that only a view has written count once they hold a nonzero byte', () => {
    const { kernel, v } = mapped(4 * page)
    const bytes = new Uint8Array(kernel.view(v, 4 * page))
    expect(kernel.residence(v, 4 * page).resident).toBe(0)
    bytes[2 * page] = 1
    expect(kernel.residence(v, 4 * page).resident).toBe(page)
  })

  it('of a block with the advice get memory when khugepaged comes, if one of them has some', () => {
    const { kernel, v } = mapped(4 * huge)
    const base = Math.ceil(v / huge) * huge
    kernel.madvise(base, 2 * huge, 14)
    for (let i = 0; i < 3; i++) kernel.touch(base + i * huge, page)
    kernel.madvise(base + page, 3 * huge - page, 4)
    kernel.madvise(base + huge, huge, 15)
    kernel.touch(base + huge, page)
    kernel.collapse(v, 4 * huge)
    const resident = [0, 1, 2].map((i) => kernel.residence(base + i * huge, huge).resident)
    expect(resident).toEqual([huge, page, 0])
    expect(kernel.residence(base, huge).huge).toBe(huge)
    const bytes = new Uint8Array(page)
    kernel.read(base + page, bytes)
    expect(Math.max(...bytes)).toBe(0)
  })

  it('that are forfeit go when the machine is short of memory, unless they were written before', () => {
    const { kernel, v } = mapped(4 * page)
    kernel.write(v, new Uint8Array(4 * page).fill(7))
    kernel.madvise(v, 4 * page, 8)
    expect(kernel.residence(v, 4 * page)).toMatchObject({ resident: 4 * page, forfeit: 4 * page })
    kernel.write(v + page, new Uint8Array([1]))
    kernel.takeForfeit()
    const bytes = new Uint8Array(4 * page)
    kernel.read(v, bytes)
    expect([bytes[0], bytes[page], bytes[page + 1], bytes[2 * page]]).toEqual([0, 1, 7, 0])
  })

  it('that are forfeit go by themselves under pressure, as the seed decides', () => {
    const taken = [1, 2, 3, 1].map((seed) => {
      const { kernel, v } = mapped(64 * page, { seed, pressure: 0.5 })
      kernel.touch(v, 64 * page)
      kernel.madvise(v, 64 * page, 8)
      for (let i = 0; i < 10; i++) kernel.touch(v, page, 'read')
      return kernel.counters.forfeitTaken
    })
    expect(taken[0]).toBe(taken[3])
    expect(new Set(taken).size).toBeGreaterThan(1)
    expect(taken.every((bytes) => bytes > 0)).toBe(true)
  })

  it('of a shared mapping keep their bytes when they are given back', () => {
    const { kernel, v } = mapped(2 * page, {}, RW, ANON_SHARED)
    kernel.write(v, new Uint8Array([7]))
    kernel.madvise(v, 2 * page, 4)
    expect(kernel.residence(v, 2 * page).resident).toBe(0)
    const byte = new Uint8Array(1)
    kernel.read(v, byte)
    expect(byte[0]).toBe(7)
    expect(kernel.madvise(v, page, 8)).toBe(-EINVAL)
    expect(kernel.madvise(v, page, 9)).toBe(0)
    kernel.read(v, byte)
    expect(byte[0]).toBe(0)
  })
})

describe('huge pages', () => {
  it('come only where advised, whole and aligned', () => {
    const { kernel, v } = mapped(4 * huge)
    expect(v % huge).toBe(0)
    kernel.touch(v, page)
    expect(kernel.residence(v, 4 * huge)).toMatchObject({ resident: page, huge: 0 })
    kernel.madvise(v, 4 * huge, 14)
    // The first block already has small pages.
    kernel.touch(v + page, page)
    kernel.touch(v + huge + page, page)
    expect(kernel.residence(v, 4 * huge)).toMatchObject({ resident: 2 * page + huge, huge })
    kernel.madvise(v + 2 * huge, huge, 15)
    kernel.touch(v + 2 * huge, page)
    expect(kernel.residence(v + 2 * huge, huge)).toMatchObject({ resident: page, huge: 0 })
  })

  it('become small pages when something cuts them, and huge again after being given back whole', () => {
    const { kernel, v } = mapped(2 * huge, { transparentHugePages: 'always' })
    kernel.touch(v, 2 * huge)
    expect(kernel.residence(v, 2 * huge).huge).toBe(2 * huge)
    kernel.madvise(v, page, 4)
    expect(kernel.residence(v, 2 * huge)).toMatchObject({ resident: 2 * huge - page, huge })
    kernel.mprotect(v + huge, page, 1)
    expect(kernel.residence(v, 2 * huge)).toMatchObject({ resident: 2 * huge - page, huge: 0 })
    kernel.mprotect(v + huge, page, RW)
    kernel.madvise(v, 2 * huge, 4)
    kernel.touch(v, 1)
    expect(kernel.residence(v, 2 * huge)).toMatchObject({ resident: huge, huge })
  })

  it('do not exist when the machine has them off', () => {
    const { kernel, v } = mapped(huge, { transparentHugePages: 'never' })
    kernel.madvise(v, huge, 14)
    kernel.touch(v, page)
    expect(kernel.residence(v, huge)).toMatchObject({ resident: page, huge: 0 })
  })

  it('are made from small pages by MADV_COLLAPSE, in blocks that are not empty', () => {
    const { kernel, v } = mapped(2 * huge)
    expect(kernel.madvise(v, huge, 25)).toBe(-EINVAL)
    kernel.touch(v, page)
    expect(kernel.madvise(v, huge, 25)).toBe(0)
    expect(kernel.residence(v, 2 * huge)).toMatchObject({ resident: huge, huge })
    expect(kernel.madvise(v, 2 * huge, 25)).toBe(-EINVAL)
  })
})

describe('madviseAll', () => {
  it('does to many ranges what madvise does to each, and continues after a refused one', () => {
    const { kernel, v } = mapped(8 * page)
    kernel.touch(v, 8 * page)
    expect(kernel.madviseAll?.([v, page, v + 2 * page, 2 * page], 4)).toBe(0)
    expect(kernel.residence(v, 8 * page).resident).toBe(5 * page)
    expect(kernel.madviseAll?.([v + 4 * page, page, v + 100 * page, page, v + 5 * page, page], 4)).toBe(-ENOMEM)
    expect(kernel.residence(v, 8 * page).resident).toBe(3 * page)
    expect(kernel.madviseAll?.([v + 1, page], 4)).toBe(-EINVAL)
  })

  it('does not exist on an older kernel', () => {
    expect(simulate('linux', { batches: false }).madviseAll).toBeUndefined()
    expect(simulate('freebsd').madviseAll).toBeUndefined()
  })
})

describe('mips', () => {
  it('has IRIX’s numbers, so Linux’s MAP_ANON has no meaning there', () => {
    const kernel = simulate('linux', { arch: 'mipsel' })
    expect(kernel.mmap(0, page, RW, ANON_PRIVATE, -1, 0)).toBe(-EBADF)
    expect(kernel.mmap(0, page, RW, 0x802, -1, 0)).toBeGreaterThan(0)
  })
})

describe('describe', () => {
  it('shows the address space as text for a person', () => {
    const kernel = simulate('linux', {
      seed: 7,
      pressure: 0,
      layout: { base: 0x7f00_0000_0000, occupied: [{ address: 0x40_0000, size: page }] },
    })
    const v = kernel.mmap(0, 4 * huge, 0, ANON_PRIVATE, -1, 0)
    kernel.mmap(v, 2 * huge, RW, ANON_PRIVATE | FIXED, -1, 0)
    kernel.madvise(v, huge, 14)
    kernel.touch(v, page)
    kernel.mmap(0, 0, 0, 0, -1, 0)
    expect(kernel.describe()).toBe(
      [
        'linux, seed 7: 4 mappings, 8.0 MiB; 2 MiB resident; 2 MiB in huge pages',
        '  0x400000-0x401000              4 KiB  ---p  occupied',
        '  0x7effff800000-0x7effffa00000  2 MiB  rw-p  ac hg     2 MiB resident, 2 MiB in huge pages',
        '  0x7effffa00000-0x7effffc00000  2 MiB  rw-p  ac',
        '  0x7effffc00000-0x7f0000000000  4 MiB  ---p',
        '4 calls (mmap 3, madvise 1), 1 refused',
      ].join('\n'),
    )
  })
})
