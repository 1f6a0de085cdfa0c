// Memory of the engine on kernel32: what is charged and when, what views that were kept read, and where the memory is.
// Runs in Node for Windows.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemory, OutOfMemoryError, type Memory } from '@memlayer/core'
import { windowsKernel } from '@memlayer/ffi'
import { History } from '@memlayer/history'
import { createOS } from '@memlayer/os-engine'
import { bytesInState, random, testSeed } from '@memlayer/witness'

const KiB = 2 ** 10
const MiB = 2 ** 20
const GiB = 2 ** 30

const residentBytes = (memory: Memory, v: number, n: number): number | undefined => memory.residency(v, n)?.resident

describe('what is charged', () => {
  it('a reservation is charged for 64 KiB, and then up to its last Ready page, also once that went back', () => {
    const memory = createMemory(createOS())
    const region = memory.reserve(4 * GiB, { name: 'large' })
    const committed = (): number => bytesInState('COMMIT', region.address, 4 * GiB)
    assert.equal(region.address % (64 * KiB), 0)
    assert.equal(committed(), 64 * KiB)
    region.commit(0, MiB)
    assert.equal(committed(), MiB)
    region.commit(8 * MiB, MiB)
    assert.equal(committed(), 9 * MiB)
    region.unused(8 * MiB, MiB)
    region.fault(0, MiB)
    assert.equal(committed(), 9 * MiB)
    region.free()
    assert.equal(memory.stats().total.held, 0)
  })

  it('a buffer that is not growable is charged whole', () => {
    const memory = createMemory(createOS({ growable: false }))
    const region = memory.reserve(64 * MiB)
    assert.equal(bytesInState('COMMIT', region.address, 64 * MiB), 64 * MiB)
    region.commit(MiB, MiB)
    const view = region.view(Uint8Array, MiB, MiB).fill(7)
    region.unused(MiB, MiB)
    assert.equal(residentBytes(memory, region.address, 64 * MiB), 0)
    assert.equal(view[5], 0)
    region.free()
  })

  it('more than the system commits is an OutOfMemoryError, where V8 would end the process, and less succeeds', () => {
    const ERROR_COMMITMENT_LIMIT = 1455
    // Few hosts refuse a commit of their own accord, so this kernel has a limit of 64 MiB for a call.
    const kernel = windowsKernel()
    const limited = createMemory(
      createOS({
        kernel: {
          ...kernel,
          virtualAlloc: (v, n, type, protect) =>
            n > 64 * MiB ? -ERROR_COMMITMENT_LIMIT : kernel.virtualAlloc(v, n, type, protect),
        },
      }),
    )
    const part = limited.reserve(GiB)
    part.commit(0, MiB)
    const bytes = part.view(Uint8Array, 0, MiB).fill(3)
    assert.throws(
      () => part.commit(MiB, 512 * MiB),
      (error) =>
        error instanceof OutOfMemoryError &&
        error.errno === ERROR_COMMITMENT_LIMIT &&
        error.hint?.startsWith('Enlarge the page file') === true,
    )
    assert.throws(() => limited.sysAlloc(512 * MiB, null), OutOfMemoryError)
    assert.ok(bytes.every((byte) => byte === 3))
    part.commit(MiB, MiB)
    assert.equal(part.view(Uint8Array, MiB, MiB)[MiB - 1], 0)
    assert.equal(limited.stats().total.ready, 2 * MiB)
    limited.check()
    part.free()
  })
})

describe('what goes back', () => {
  for (const way of ['unused', 'fault', 'free'] as const) {
    it(`the memory of pages that leave Ready by ${way}: a view that was kept reads zero, and may write`, () => {
      const memory = createMemory(createOS())
      const region = memory.reserve(64 * MiB)
      region.commit(0, 16 * MiB)
      const view = region.view(Uint8Array, 0, 16 * MiB).fill(7)
      const { address } = region
      assert.equal(residentBytes(memory, address, 16 * MiB), 16 * MiB)
      if (way === 'free') region.free()
      else region[way](0, 16 * MiB)
      assert.equal(residentBytes(memory, address, 16 * MiB), 0)
      assert.deepEqual([view.length, view[0], view[view.length - 1]], [16 * MiB, 0, 0])
      view[12_345] = 9
      assert.equal(view[12_345], 9)
    })
  }

  it('pages that were never touched get the memory of a piece at most while they go back', () => {
    const kernel = windowsKernel()
    const pieces: number[] = []
    const MEM_RESET = 0x80000
    const { discard } = kernel
    const memory = createMemory(
      createOS({
        kernel: {
          ...kernel,
          virtualAlloc(v, n, type, protect) {
            if (type === MEM_RESET) pieces.push(n)
            return kernel.virtualAlloc(v, n, type, protect)
          },
          ...(discard === undefined
            ? {}
            : { discard: (v: number, n: number) => (pieces.push(n), discard.call(kernel, v, n)) }),
        },
      }),
    )
    const region = memory.reserve(64 * MiB)
    region.commit(0, 64 * MiB)
    region.unused(0, 64 * MiB)
    assert.deepEqual([pieces.length, Math.max(...pieces)], [64, MiB])
    assert.equal(residentBytes(memory, region.address, 64 * MiB), 0)
    region.free()
  })

  it('pages that the kernel keeps read zero all the same, and the trait no longer promises memory', () => {
    const kernel = windowsKernel()
    const MEM_RESET = 0x80000
    const { discard: _, ...without } = kernel
    const memory = createMemory(
      createOS({
        kernel: {
          ...without,
          virtualAlloc: (v, n, type, protect) => (type === MEM_RESET ? -487 : kernel.virtualAlloc(v, n, type, protect)),
        },
      }),
    )
    const region = memory.reserve(MiB)
    region.commit(0, MiB)
    const view = region.view(Uint8Array, 0, MiB).fill(7)
    assert.equal(memory.os.traits.unusedReturnsMemory, true)
    region.unused(0, MiB)
    assert.equal(memory.os.traits.unusedReturnsMemory, false)
    assert.ok(view.every((byte) => byte === 0))
    assert.equal(memory.stats().kept, MiB)
    region.free()
  })
})

it('agrees with a shadow through 4000 random operations', () => {
  const seed = testSeed()
  const history = new History({ memory: createMemory(createOS()), random: random(seed) })
  for (let i = 1; i <= 4000; i++) {
    history.step()
    if (i % 200 === 0) assert.equal(history.disagreement(), null, `after ${i} operations, MEMLAYER_SEED=${seed}`)
  }
  history.end()
  assert.ok(history.done > 2000)
})
