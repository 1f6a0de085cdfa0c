// Commitment on kernel32: what is used and unused, in one reservation and across two. Runs in Node for Windows.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemory } from '@memlayer/core'
import { windowsKernel } from '@memlayer/ffi'
import { record } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-windows'
import { bytesInState, pageRangesIn } from '@memlayer/witness'
import { bytesOf, KiB, MEM_COMMIT, MEM_DECOMMIT, MiB, neighbours, PAGE_READWRITE, states } from './address-space.ts'

const { pageSize } = windowsKernel()

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

  it('commits and decommits in pieces, at any pages', () => {
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
      // Go asks for the whole twice, and then for pieces. The part of each reservation succeeds.
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
