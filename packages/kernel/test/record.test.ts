// The recording port behaves like the port that it records, and forgets no call.
import { describeCall, record, type ErrnoFamily, type KernelCall } from '@memlayer/kernel'
import { describe, expect, it } from 'vitest'
import { otherPorts, PosixPort } from './ports.js'

describe('record', () => {
  it('makes every call on the port below, passes its answer on, and records both', () => {
    const below = new PosixPort(0x7f0000000000, -12, 0)
    const { kernel, calls } = record(below)
    expect(kernel.mmap(0, 8192, 0, 0x22, -1, 0)).toBe(0x7f0000000000)
    expect(kernel.madvise(0x7f0000000000, 4096, 4)).toBe(-12)
    expect(kernel.munmap(0x7f0000000000, 8192)).toBe(0)
    expect(below.asked).toEqual([
      'mmap(0, 8192, 0, 34, -1, 0)',
      'madvise(139637976727552, 4096, 4)',
      'munmap(139637976727552, 8192)',
    ])
    expect(calls).toEqual([
      { fn: 'mmap', args: [0, 8192, 0, 0x22, -1, 0], ret: 0x7f0000000000 },
      { fn: 'madvise', args: [0x7f0000000000, 4096, 4], ret: -12 },
      { fn: 'munmap', args: [0x7f0000000000, 8192], ret: 0 },
    ])
  })

  it('writes 0 for a call that returns nothing', () => {
    const { kernel, calls } = record(otherPorts([]))
    expect(kernel.clear(0x10000, 65536)).toBe(undefined)
    expect(kernel.resetMemoryDataView()).toBe(undefined)
    expect(calls).toEqual([
      { fn: 'clear', args: [0x10000, 65536], ret: 0 },
      { fn: 'resetMemoryDataView', args: [], ret: 0 },
    ])
  })

  it('calls onCall for each call as it ends', () => {
    const heard: string[] = []
    const { kernel } = record(new PosixPort(), ({ fn }) => heard.push(fn))
    kernel.mprotect(0, 4096, 3)
    expect(heard).toEqual(['mprotect'])
    kernel.munmap(0, 4096)
    expect(heard).toEqual(['mprotect', 'munmap'])
  })

  it('take() returns the calls so far and forgets them', () => {
    const { kernel, calls, take } = record(new PosixPort())
    kernel.munmap(0, 4096)
    expect(take()).toEqual([{ fn: 'munmap', args: [0, 4096], ret: 0 }])
    expect(calls).toEqual([])
    kernel.munmap(4096, 4096)
    expect(calls).toHaveLength(1)
  })

  it('records over a recording port', () => {
    const inner = record(new PosixPort(-22))
    const outer = record(inner.kernel)
    outer.kernel.munmap(0, 4096)
    expect(outer.calls).toEqual(inner.calls)
  })
})

describe('describeCall', () => {
  const call = (fn: string, args: number[], ret: number): KernelCall => ({ fn, args, ret })

  it.each([
    [
      'linux',
      call('mmap', [0, 1048576, 0, 0x22, -1, 0], 0x7f0000000000),
      'mmap(0, 1048576, PROT_NONE, MAP_PRIVATE|MAP_ANON, -1, 0) = 0x7f0000000000',
    ],
    [
      'linux',
      call('mmap', [4096, 8192, 3, 0x32, -1, 0], -12),
      'mmap(0x1000, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED|MAP_ANON, -1, 0) = -12 ENOMEM',
    ],
    ['aix', call('mprotect', [4096, 8192, 3], -12), 'mprotect(0x1000, 8192, PROT_READ|PROT_WRITE) = -12 ENOMEM'],
    ['freebsd', call('madvise', [4096, 8192, 5], -35), 'madvise(0x1000, 8192, MADV_FREE) = -35 EAGAIN'],
    ['linux', call('munmap', [4096, 8192], 0), 'munmap(0x1000, 8192) = 0'],
    [
      'windows',
      call('virtualAlloc', [0, 65536, 0x3000, 4], 0x20000),
      'virtualAlloc(0, 65536, MEM_COMMIT|MEM_RESERVE, PAGE_READWRITE) = 0x20000',
    ],
    [
      'windows',
      call('virtualAlloc', [0x20000, 65536, 0x1000, 4], -1455),
      'virtualAlloc(0x20000, 65536, MEM_COMMIT, PAGE_READWRITE) = -1455 ERROR_COMMITMENT_LIMIT',
    ],
    ['windows', call('virtualFree', [0x20000, 0, 0x8000], 0), 'virtualFree(0x20000, 0, MEM_RELEASE) = 0'],
    [
      'linux',
      call('madviseAll', [4096, 8192, 65536, 4096, 4], -12),
      'madviseAll(0x1000, 8192, 65536, 4096, 4) = -12 ENOMEM',
    ],
    ['linux', call('take', [4096, 16], -22), 'take(0x1000, 16) = -22 EINVAL'],
    ['linux', call('brk', [0x20000], -1), 'brk(0x20000) = -1'],
    ['linux', call('clear', [0x20000, 4096], 0), 'clear(0x20000, 4096) = 0'],
    ['linux', call('discard', [0x20000, 65536], 0), 'discard(0x20000, 65536) = 0'],
    ['linux', call('growMemory', [16], -1), 'growMemory(16) = -1'],
    ['linux', call('currentMemory', [], 4), 'currentMemory() = 4'],
    ['linux', call('resetMemoryDataView', [], 0), 'resetMemoryDataView() = 0'],
  ] as [ErrnoFamily, KernelCall, string][])('%s: %o is %s', (family, made, text) => {
    expect(describeCall(family, made)).toBe(text)
  })
})
