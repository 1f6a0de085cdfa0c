// os-linux under strict overcommit. A writable page needs memory behind it from the start. Address space does not.
import { createMemory, OutOfMemoryError } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { createOS } from '@memlayer/os-linux'
import { bytesWith } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const TiB = 2 ** 40
const { commitLimit, overcommit } = posixKernel().limits?.() ?? { commitLimit: 0, overcommit: 0 }
const tooMuch = Math.ceil(commitLimit / 2 ** 30 + 1) * 2 ** 30

function thrown(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('a kernel with strict overcommit', () => {
  it('has vm.overcommit_memory 2 and a limit', () => {
    expect(overcommit).toBe(2)
    expect(commitLimit).toBeGreaterThan(2 ** 30)
  })

  it('reserves 1 TiB without a charge, and maps 1 MiB in its middle', () => {
    const memory = createMemory(createOS())
    using region = memory.reserve(TiB)
    expect(bytesWith('---p', region.address, TiB)).toBe(TiB)
    region.commit(TiB / 2, 2 ** 20)
    region.view(Uint8Array, TiB / 2, 2 ** 20).fill(1)
  })

  it('names the limit when it refuses an allocation above it, and counts nothing', () => {
    const memory = createMemory(createOS())
    const error = thrown(() => memory.sysAlloc(tooMuch, memory.stat('test')))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({
      errnoName: 'ENOMEM',
      hint: expect.stringContaining('vm.overcommit_memory is 2') as string,
    })
    expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
  })

  it('leaves a range Reserved that it does not map, and frees all of it', () => {
    const memory = createMemory(createOS())
    const region = memory.reserve(TiB)
    const error = thrown(() => region.map(0, tooMuch))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(String(error)).toContain('vm.overcommit_memory is 2')
    memory.check()
    expect(memory.ranges().map(({ size, state }) => [size, state])).toEqual([[TiB, 'Reserved']])
    expect(bytesWith('---p', region.address, TiB)).toBe(TiB)
    region.free()
  })

  it('takes back the charge of freed memory: four fifths of the limit, ten times', () => {
    const memory = createMemory(createOS())
    const most = Math.floor((commitLimit * 0.8) / 2 ** 21) * 2 ** 21
    for (let i = 0; i < 10; i++) memory.sysFree(memory.sysAlloc(most, null), most, null)
    expect(memory.stats().total.held).toBe(0)
  })
})
