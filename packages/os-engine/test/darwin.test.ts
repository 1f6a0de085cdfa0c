// The engine's memory with macOS' advice, on real pages, with Linux in macOS' place. MADV_FREE_REUSABLE is MADV_FREE
// there, which keeps the bytes until the system needs the memory: what reads zero was zeroed by this package.
import { conformance, runCases, type Case } from '@memlayer/conformance'
import { createMemory, type Memory } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { History } from '@memlayer/history'
import { record, type PosixKernel } from '@memlayer/kernel'
import { adopt, createOS } from '@memlayer/os-engine'
import { standIn, type StandInOptions } from '@memlayer/stand-in'
import { isLong, random, residentBytes, testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const MADV_FREE_REUSABLE = 7
const MADV_FREE_REUSE = 8
const MADV_ZERO = 11
// Linux': asm-generic/mman-common.h
const MADV_DONTNEED = 4
const EINVAL = 22

const MiB = 2 ** 20
const onLinux = process.platform === 'linux'
const hostPage = onLinux ? posixKernel().pageSize : 4096
const system = 'darwin'
const later = new Map([[MADV_ZERO, MADV_DONTNEED]])
const kernels = {
  'before MADV_ZERO': (options: StandInOptions = {}) => standIn(system, options),
  'with MADV_ZERO': (options: StandInOptions = {}) => standIn(system, { ...options, later }),
}
interface Made {
  readonly kernel?: PosixKernel | undefined
}

/** The advice that was given: the word, and on how many bytes. */
function recorded(kernel: PosixKernel): { memory: Memory; take: () => (number | undefined)[][] } {
  const { kernel: port, take } = record(kernel)
  const advice = (): (number | undefined)[][] =>
    take()
      .filter(({ fn }) => fn === 'madvise')
      .map(({ args: [, n, word] }) => [word, n])
  return { memory: createMemory(createOS({ kernel: port, system })), take: advice }
}

describe.skipIf(!onLinux)('os-engine over macOS’ calls (Linux stands in)', () => {
  it.each([
    [4096, 'with MADV_ZERO'],
    [16384, 'before MADV_ZERO'],
    [16384, 'with MADV_ZERO'],
  ] as const)(
    'passes the conformance suite on pages of %i bytes, on a kernel %s',
    (pageSize, which) => {
      if (pageSize % hostPage !== 0) return
      const kernel = (): PosixKernel => kernels[which]({ pageSize }).kernel
      const skip = which === 'with MADV_ZERO' ? { 'refusals/advice': 'MADV_ZERO is no other advice in its place' } : {}
      const subject = { createOS: (made: Made) => createOS({ kernel: made.kernel ?? kernel(), system }), kernel, skip }
      // Ranges of many GiB take minutes where the backend writes the zeroes. A column of the matrix has those.
      const isQuick = isLong && which === 'with MADV_ZERO'
      const isTried = ({ id }: Case): boolean => isQuick || !/beyond-32-bits|\/whole|zero\/sizes|given-up/.test(id)
      const { results, counts } = runCases(conformance(subject, { seed: testSeed() }).filter(isTried))
      expect(results.filter(({ status }) => status === 'fail')).toEqual([])
      expect(counts.pass).toBeGreaterThan(45)
    },
    300_000,
  )

  it('has the kernel’s page size, no huge pages, and frozen traits', () => {
    const { name, traits } = createOS({ kernel: standIn(system).kernel, system })
    expect(name).toBe('engine')
    expect(traits).toMatchObject({ pageSize: 16384, granularity: 16384, hugePageSize: 0, ends: 'zeroed' })
    expect(traits).toMatchObject({ unusedReturnsMemory: true, unusedDropsContents: true, hints: false })
    expect(Object.isFrozen(traits)).toBe(true)
  })

  it('zeroes pages a MiB at a time and advises FREE_REUSABLE of each, and FREE_REUSE to use them again', () => {
    const { memory, take } = recorded(standIn(system).kernel)
    const region = memory.reserve(8 * MiB)
    region.commit()
    take()
    region.unused(0, 2.5 * MiB)
    expect(take()).toEqual([
      [MADV_ZERO, 0],
      [MADV_FREE_REUSABLE, MiB],
      [MADV_FREE_REUSABLE, MiB],
      [MADV_FREE_REUSABLE, MiB / 2],
    ])
    region.used(0, 2.5 * MiB)
    expect(take()).toEqual([[MADV_FREE_REUSE, 2.5 * MiB]])
    // The kernel did not know MADV_ZERO, and is not asked for it again.
    region.unused(0, MiB)
    expect(take()).toEqual([[MADV_FREE_REUSABLE, MiB]])
    region.free()
  })

  it('lets the kernel zero where it has MADV_ZERO, in one call', () => {
    const { memory, take } = recorded(standIn(system, { later }).kernel)
    const region = memory.reserve(8 * MiB)
    region.commit()
    region.view(Uint8Array).fill(7)
    take()
    region.unused(0, 4 * MiB)
    expect(take()).toEqual([
      [MADV_ZERO, 0],
      [MADV_ZERO, 4 * MiB],
      [MADV_FREE_REUSABLE, 4 * MiB],
    ])
    expect(residentBytes(region.address, 4 * MiB, hostPage)).toBe(0)
    region.free()
  })

  describe.each(Object.entries(kernels))('on a kernel %s', (_, kernelOf) => {
    it.each(['unused', 'fault', 'free'] as const)('a view that was kept reads zero after %s, and may write', (way) => {
      const memory = createMemory(createOS({ kernel: kernelOf().kernel, system }))
      const region = memory.reserve(4 * MiB)
      region.commit()
      const view = region.view(Uint8Array).fill(7)
      if (way === 'free') region.free()
      else region[way]()
      expect(view.length).toBe(4 * MiB)
      expect(view.every((byte) => byte === 0)).toBe(true)
      view[5] = 9
      expect(view[5]).toBe(9)
    })

    it('agrees with a shadow through 5000 random operations', () => {
      const seed = testSeed()
      const memory = createMemory(createOS({ kernel: kernelOf().kernel, system }))
      const history = new History({ memory, random: random(seed) })
      for (let i = 1; i <= 5000; i++) {
        history.step()
        if (i % 250 === 0) expect(history.disagreement(), `operation ${i}, MEMLAYER_SEED=${seed}`).toBe(null)
      }
      history.end()
      expect(history.done).toBeGreaterThan(2500)
    })

    it.each([
      ['a SharedArrayBuffer', new SharedArrayBuffer(4 * MiB)],
      ['an ArrayBuffer', new ArrayBuffer(4 * MiB)],
    ])('adopts %s: whole pages go back and read zero, and the others stay', (_name, buffer) => {
      const bytes = new Uint8Array(buffer).fill(7)
      const { kernel } = kernelOf()
      const memory = createMemory(createOS({ kernel, system }))
      const region = memory.adopt(buffer)
      region.unused(0, MiB)
      const end = region.byteOffset + MiB
      expect([bytes[region.byteOffset], bytes[end - 1], bytes[end]]).toEqual([0, 0, 7])
      region.release()
      expect(memory.stats().total.held).toBe(0)
      expect(bytes[end]).toBe(7)

      const adopted = adopt(buffer, { kernel, system })
      const given = adopted.unused(2 * MiB + 1, MiB)
      expect(given).toBeGreaterThan(MiB - 2 * kernel.pageSize - 1)
      expect([bytes[2 * MiB], bytes[2.5 * MiB], bytes[3 * MiB + 1]]).toEqual([7, 0, 7])
      expect(adopted.populate()).toBe(false)
    })
  })

  it('pages that the kernel keeps read zero all the same, and the trait no longer promises memory', () => {
    const { kernel } = standIn(system)
    const refusing: PosixKernel = Object.assign(Object.create(kernel) as PosixKernel, {
      pageSize: kernel.pageSize,
      addressOf: (buffer: ArrayBufferLike) => kernel.addressOf?.(buffer) ?? NaN,
      madvise: (v: number, n: number, advice: number) =>
        advice === MADV_FREE_REUSABLE ? -EINVAL : kernel.madvise(v, n, advice),
      write: (v: number, source: Uint8Array) => kernel.write?.(v, source),
      read: (v: number, target: Uint8Array) => kernel.read?.(v, target),
      view: (v: number, n: number) => kernel.view(v, n),
    })
    const memory = createMemory(createOS({ kernel: refusing, system }))
    const region = memory.reserve(MiB)
    region.commit()
    const view = region.view(Uint8Array).fill(7)
    region.unused()
    expect(memory.os.traits.unusedReturnsMemory).toBe(false)
    expect(view.every((byte) => byte === 0)).toBe(true)
    expect(memory.stats().kept).toBe(MiB)
    region.free()
  })

  it('a kernel of another system, and a system that is not one of the three, are refused with what to pass', () => {
    const { kernel } = standIn(system)
    for (const options of [{ kernel, system: 'windows' }, { system: 'beos' }] as object[]) {
      expect(() => createOS(options)).toThrow(/Pass the option system/)
      expect(() => adopt(new ArrayBuffer(MiB), options)).toThrow(/Pass the option system/)
    }
  })
})
