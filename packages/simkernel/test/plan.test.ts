// Fault plans, counters, seeds, and wrong options.
import {
  simulate,
  simulatedOSes,
  SimulationError,
  type PlannedFault,
  type Simulated,
  type SimulatedOS,
} from '@memlayer/simkernel'
import { describe, expect, it } from 'vitest'

const page = 4096
const ANON_PRIVATE = 0x22
const ENOMEM = 12
const EINVAL = 22

function errorOf(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return null
}

describe('a fault plan', () => {
  it('refuses the k-th call of a kind, once', () => {
    const kernel = simulate('linux', { plan: [{ fn: 'mmap', call: 2, errno: 'ENOMEM' }] })
    const answers = [1, 2, 3].map(() => kernel.mmap(0, page, 3, ANON_PRIVATE, -1, 0))
    expect(answers.map((answer) => answer > 0)).toEqual([true, false, true])
    expect(answers[1]).toBe(-ENOMEM)
    expect(kernel.mappings().used).toBe(1)
    expect(kernel.counters).toMatchObject({ calls: { mmap: 3 }, refused: 1, planned: 1 })
  })

  it('refuses every call of a kind from the k-th on, for good', () => {
    const kernel = simulate('linux', { plan: [{ fn: 'madvise', call: 2, errno: EINVAL, forGood: true }] })
    const v = kernel.mmap(0, page, 3, ANON_PRIVATE, -1, 0)
    expect([1, 2, 3, 4].map(() => kernel.madvise(v, page, 4))).toEqual([0, -EINVAL, -EINVAL, -EINVAL])
    expect(kernel.mprotect(v, page, 0)).toBe(0)
  })

  it('counts every call that can be refused, when it names no function', () => {
    const kernel = simulate('linux', { plan: [{ call: 3, errno: 'EACCES' }] })
    const v = kernel.mmap(0, page, 3, ANON_PRIVATE, -1, 0)
    expect([kernel.madvise(v, page, 4), kernel.mprotect(v, page, 1), kernel.munmap(v, page)]).toEqual([0, -13, 0])
  })

  it('first does the part that it names, in whole pages, rounded down', () => {
    const kernel = simulate('linux')
    const v = kernel.mmap(0, 5 * page, 3, ANON_PRIVATE, -1, 0)
    kernel.fail({ fn: 'mprotect', errno: 'ENOMEM', done: 0.5 })
    expect(kernel.mprotect(v, 5 * page, 0)).toBe(-ENOMEM)
    expect(
      kernel.maps().map(({ start, end, permissions }) => [(start - v) / page, (end - v) / page, permissions]),
    ).toEqual([
      [0, 2, '---p'],
      [2, 5, 'rw-p'],
    ])
    kernel.fail({ fn: 'munmap', errno: 'EINVAL', done: 1 })
    expect(kernel.munmap(v, 5 * page)).toBe(-EINVAL)
    expect(kernel.maps()).toEqual([])
  })

  it('answers with the address that it names, over a hint and over a fixed address', () => {
    const kernel = simulate('linux')
    const at = 0x5000_0000
    kernel.fail({ fn: 'mmap', at })
    expect(kernel.mmap(0x7000_0000, page, 0, ANON_PRIVATE, -1, 0)).toBe(at)
    kernel.fail({ fn: 'mmap', at: at + page })
    expect(kernel.mmap(0x7000_0000, page, 0, ANON_PRIVATE | 0x10, -1, 0)).toBe(at + page)
    // The address is busy, so the kernel chooses by itself.
    kernel.fail({ fn: 'mmap', at })
    expect(kernel.mmap(0, page, 0, ANON_PRIVATE, -1, 0)).toBeGreaterThan(0x7000_0000)
  })

  it('counts calls from when it was added', () => {
    const kernel = simulate('linux')
    for (let i = 0; i < 3; i++) kernel.mmap(0, page, 3, ANON_PRIVATE, -1, 0)
    kernel.fail({ fn: 'mmap', call: 2, errno: 'EAGAIN' })
    expect(kernel.mmap(0, page, 3, ANON_PRIVATE, -1, 0)).toBeGreaterThan(0)
    expect(kernel.mmap(0, page, 3, ANON_PRIVATE, -1, 0)).toBe(-11)
  })

  it('gives the answer that each port has for a refusal', () => {
    const windows = simulate('windows', { plan: [{ errno: 'ERROR_COMMITMENT_LIMIT' }] })
    expect(windows.virtualAlloc(0, page, 0x3000, 4)).toBe(-1455)
    const plan9 = simulate('plan9', { plan: [{ fn: 'brk' }] })
    expect(plan9.brk(plan9.end + page)).toBe(-1)
    expect(plan9.brk(plan9.end + page)).toBe(0)
    const wasm = simulate('wasm', { plan: [{ fn: 'growMemory', forGood: true }] })
    expect([wasm.growMemory(1), wasm.growMemory(1), wasm.currentMemory()]).toEqual([-1, -1, 16])
    const batch = simulate('linux', { plan: [{ fn: 'madviseAll', errno: 'ENOSYS' }] })
    const v = batch.mmap(0, page, 3, ANON_PRIVATE, -1, 0)
    expect([batch.madviseAll?.([v, page], 4), batch.madviseAll?.([v, page], 4)]).toEqual([-38, 0])
  })

  it.each<[string, PlannedFault]>([
    ['a function that the port does not have', { fn: 'virtualAlloc', errno: 12 }],
    ['an error that the system does not have', { fn: 'mmap', errno: 'EWHATEVER' }],
    ['neither an error nor an address', { fn: 'mmap' }],
    ['an error and an address', { fn: 'mmap', errno: 12, at: page }],
    ['a negative error', { fn: 'mmap', errno: -12 }],
    ['a call before the first', { fn: 'mmap', errno: 12, call: 0 }],
    ['more than the whole range', { fn: 'mmap', errno: 12, done: 2 }],
    ['a part of many ranges', { fn: 'madviseAll', errno: 12, done: 0.5 }],
  ])('with %s is refused as an option', (_, fault) => {
    const error = errorOf(() => simulate('linux', { plan: [fault] }))
    expect(error).toBeInstanceOf(SimulationError)
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_SIM_OPTION', hint: expect.stringContaining('Pass') as string })
  })
})

describe('simulate', () => {
  it.each(simulatedOSes)('makes a %s that tells its name and seed', (os) => {
    const kernel = make(os, 5)
    expect(kernel).toMatchObject({ os, seed: 5 })
    expect(kernel.describe()).toContain(`${os}, seed 5: `)
    expect(kernel.counters).toMatchObject({ refused: 0, planned: 0, forfeitTaken: 0 })
  })

  it('places mappings elsewhere with another seed, and in the same place with the same seed', () => {
    const places = [1, 1, 2, 3].map((seed) => simulate('linux', { seed }).mmap(0, page, 0, ANON_PRIVATE, -1, 0))
    expect(places[0]).toBe(places[1])
    expect(new Set(places).size).toBe(3)
  })

  it.each<[string, () => unknown]>([
    ['an operating system that it does not know', () => simulate('beos' as 'linux')],
    ['a seed that is not a whole number', () => simulate('linux', { seed: 0.5 })],
    ['a page size that is not a power of two', () => simulate('linux', { pageSize: 5000 })],
    ['a huge page size that is not a power of two', () => simulate('linux', { hugePageSize: 3 })],
    ['a limit that is not a number', () => simulate('linux', { limits: { memory: NaN } })],
    ['an overcommit that Linux does not have', () => simulate('linux', { limits: { overcommit: 3 as 2 } })],
    ['a pressure above 1', () => simulate('linux', { pressure: 2 })],
    ['more pages than the maximum', () => simulate('wasm', { layout: { pages: 4 }, limits: { pages: 2 } })],
    ['an unknown mode of huge pages', () => simulate('linux', { transparentHugePages: 'maybe' as 'never' })],
  ])('refuses %s', (_, run) => {
    expect(errorOf(run)).toMatchObject({ name: 'SimulationError', code: 'ERR_MEMLAYER_SIM_OPTION' })
  })
})

function make(os: SimulatedOS, seed: number): Simulated {
  switch (os) {
    case 'windows':
      return simulate(os, { seed })
    case 'plan9':
      return simulate(os, { seed })
    case 'wasm':
      return simulate(os, { seed })
    default:
      return simulate(os, { seed })
  }
}
