// The failing port refuses the call that it was told to refuse, does not make it, and makes every other call.
import { errnos, failCall, record, refusalOf } from '@memlayer/kernel'
import { describe, expect, it } from 'vitest'
import { otherPorts, PosixPort, type Asked } from './ports.js'

const { ENOMEM = 0, EINVAL = 0 } = errnos.linux

describe('failCall', () => {
  it.each([1, 2, 3, 4])('answers call %i of four with minus the errno, and makes the others', (k) => {
    const below = new PosixPort(1, 1, 1, 1)
    const plan = failCall(below, k, ENOMEM)
    const { kernel } = plan
    const answers = [
      kernel.mmap(0, 1, 0, 0, -1, 0),
      kernel.mprotect(0, 1, 0),
      kernel.madvise(0, 1, 0),
      kernel.munmap(0, 1),
    ]
    expect(answers).toEqual([1, 2, 3, 4].map((call) => (call === k ? -ENOMEM : 1)))
    expect(below.asked).toHaveLength(3)
    expect(plan).toMatchObject({ calls: 4, failed: true })
  })

  it('tells when a run ends clean', () => {
    const plan = failCall(new PosixPort(), 3, ENOMEM)
    plan.kernel.munmap(0, 1)
    plan.kernel.munmap(0, 1)
    expect(plan).toMatchObject({ calls: 2, failed: false })
    plan.kernel.munmap(0, 1)
    expect(plan).toMatchObject({ calls: 3, failed: true })
  })

  it('counts one function alone, when told to', () => {
    const below = new PosixPort(7, 8, 9)
    const plan = failCall(below, 2, EINVAL, 'madvise')
    const { kernel } = plan
    expect([kernel.madvise(0, 1, 4), kernel.munmap(0, 1), kernel.madvise(0, 1, 4), kernel.madvise(0, 1, 4)]).toEqual([
      7,
      8,
      -EINVAL,
      9,
    ])
    expect(plan.calls).toBe(3)
  })

  it.each([
    ['virtualAlloc', -8],
    ['virtualFree', -8],
    ['brk', -1],
    ['growMemory', -1],
  ] as const)('%s answers %i when refused', (fn, answer) => {
    const asked: Asked = []
    expect(failCall(otherPorts(asked), 1, 8).kernel[fn](1, 2, 3, 4)).toBe(answer)
    expect(asked).toEqual([])
  })

  it('refuses and records the calls that a custom port names, and no others', () => {
    const own = { kernelCalls: ['take'], pageSize: 4096, take: (n: number) => n, name: () => 'own' }
    const recording = record(own)
    const plan = failCall(recording.kernel, 2, 12)
    expect([plan.kernel.take(1), plan.kernel.take(2), plan.kernel.take(3), plan.kernel.name()]).toEqual([
      1,
      -12,
      3,
      'own',
    ])
    expect(plan.calls).toBe(3)
    expect(recording.calls.map(({ fn, args }) => [fn, ...args])).toEqual([
      ['take', 1],
      ['take', 3],
    ])
    expect([refusalOf(own, 'take')?.(12), refusalOf(own, 'name'), refusalOf(own, 'brk')?.(12)]).toEqual([-12, null, -1])
  })

  it('neither fails nor counts a call that can’t be refused', () => {
    const asked: Asked = []
    const plan = failCall(otherPorts(asked), 1, 8)
    plan.kernel.clear(0, 1)
    plan.kernel.resetMemoryDataView()
    expect(plan.kernel.currentMemory()).toBe(4)
    expect(plan).toMatchObject({ calls: 0, failed: false })
    expect(asked).toHaveLength(3)
  })
})
