// Residency of a range, limits of the process, and trimHost, on kernel32. Runs in Node for Windows.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-windows'

const MiB = 2 ** 20
const PAGE = 4096

const memory = createMemory(createOS())

describe('residency', () => {
  it('counts touched pages one by one, and no uncommitted page', () => {
    const region = memory.reserve(64 * MiB, { name: 'pages' })
    region.map(0, 64 * MiB)
    region.used(0, MiB)
    const bytes = region.view(Uint8Array, 0, MiB)
    bytes[0] = 1
    bytes[8 * PAGE] = 1
    bytes[9 * PAGE] = 1
    const { resident, huge, swapped, runs } = memory.residency(region.address, region.size) ?? {}
    assert.equal(resident, 3 * PAGE)
    assert.ok(Number.isNaN(huge) && Number.isNaN(swapped))
    assert.deepEqual(
      runs?.map(({ address, size }) => [(address - region.address) / PAGE, size / PAGE]),
      [
        [0, 1],
        [8, 2],
      ],
    )
    region.unused(8 * PAGE, PAGE)
    assert.equal(memory.residency(region.address, region.size)?.resident, 2 * PAGE)
    region.free()
  })

  it('makes no object for each page', () => {
    const region = memory.reserve(256 * MiB)
    region.commit(0, 256 * MiB)
    region.view(Uint8Array, 0, 256 * MiB).fill(1)
    memory.residency(region.address, region.size)
    const before = process.memoryUsage().heapUsed
    assert.equal(memory.residency(region.address, region.size)?.runs.length, 1)
    // 65,536 bigints would be over 1 MiB.
    assert.ok(process.memoryUsage().heapUsed - before < MiB / 2)
    region.free()
  })

  it('asks for more pages than fit into one call', () => {
    const region = memory.reserve(48 * MiB)
    region.commit(0, 48 * MiB)
    region.view(Uint8Array, 0, 48 * MiB).fill(1)
    assert.equal(memory.residency(region.address, region.size)?.resident, 48 * MiB)
    assert.equal(memory.residency(region.address + 20 * MiB + 1, 1)?.resident, PAGE)
    region.free()
  })
})

describe('limits', () => {
  it('are the commit limit and the address space, with the rest of each', () => {
    const limits = memory.os.host?.limits?.()
    assert.ok(limits !== undefined && limits !== null && 'commitAvailable' in limits)
    assert.ok(limits.commitAvailable > 0 && limits.commitAvailable <= limits.commitLimit)
    assert.ok(limits.addressSpaceAvailable > 0 && limits.addressSpaceAvailable < limits.addressSpace)
  })
})

describe('trimHost', () => {
  it('asks the process’s heap, and returns how much resident memory fell', (t) => {
    assert.ok((memory.os.host?.residentMemory?.() ?? 0) > 10 * MiB)
    assert.ok((memory.os.host?.trim?.() ?? -1) >= 0)
    const fell = memory.trimHost()
    t.diagnostic(`fell by ${fell}`)
    assert.ok(fell >= 0 && fell < 64 * MiB, String(fell))
  })
})
