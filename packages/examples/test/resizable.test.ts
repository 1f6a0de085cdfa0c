// The worked example of the porting guide: it conforms, grows, and gives back memory that is freed at its end.
import { defineTests } from '@memlayer/conformance'
import { createMemory } from '@memlayer/core'
import { record } from '@memlayer/kernel'
import { testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { resizableKernel } from '../dist/resizable/kernel.js'
import { createOS } from '../dist/resizable/mem.js'
import { subject } from '../dist/resizable/subject.js'

defineTests(subject, { describe, it }, { seed: testSeed() })

describe('a backend over a resizable ArrayBuffer', () => {
  it('hands freed memory out again before it grows, and shrinks when its end is freed', () => {
    const { kernel, take } = record(resizableKernel(2 ** 20))
    const memory = createMemory(createOS({ kernel }))
    const [a, b, c] = [1, 2, 3].map((pages) => memory.sysAlloc(pages * 4096, null)) as [number, number, number]
    expect(take().map(({ args }) => args[0])).toEqual([8192, 16384, 28672])
    memory.sysFree(b, 2 * 4096, null)
    expect(memory.sysAlloc(2 * 4096, null)).toBe(b)
    memory.sysFree(b, 2 * 4096, null)
    expect(take()).toMatchObject([{ fn: 'clear', args: [b, 8192] }])
    memory.sysFree(c, 3 * 4096, null)
    expect(take().map(({ args }) => args[0])).toEqual([b])
    memory.sysFree(a, 4096, null)
    expect(memory.ranges()).toEqual([])
  })

  it('says that its maximum is reached, and works again after a free', () => {
    const memory = createMemory(createOS({ kernel: resizableKernel(2 ** 20) }))
    const v = memory.sysAlloc(2 ** 19, null)
    expect(() => memory.sysAlloc(2 ** 19, null)).toThrow(
      /resizable refused 512 KiB: .* ENOMEM \(12\)\. Free memory, or make the buffer with a larger maximum/,
    )
    memory.sysFree(v, 2 ** 19, null)
    expect(memory.sysAlloc(2 ** 19, null)).toBe(v)
  })

  it('keeps earlier views alive when it grows', () => {
    const memory = createMemory(createOS({ kernel: resizableKernel(2 ** 24) }))
    const region = memory.reserve(4096, { name: 'first' })
    region.commit(0, 4096)
    const bytes = region.view(Uint8Array, 0, 4096)
    bytes.fill(7)
    memory.sysAlloc(2 ** 20, null)
    expect([bytes.length, bytes[4095]]).toEqual([4096, 7])
    region.free()
    expect([bytes.length, bytes[0]]).toEqual([0, undefined])
  })
})
