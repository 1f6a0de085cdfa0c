// Bytes are real. Views, copies and the simulator's own accessors show the same memory, as far as JavaScript lets
// them.
import { beforeDetach, detachView } from '@memlayer/kernel'
import { PageFault, simulate, SimulationError, type SimulatedPosixKernel } from '@memlayer/simkernel'
import { random, testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const page = 4096
const ANON_PRIVATE = 0x22

/** A simulated Linux with `pages` readable and writable pages. */
function mapped(pages: number): { kernel: SimulatedPosixKernel; v: number } {
  const kernel = simulate('linux', { pressure: 0 })
  return { kernel, v: kernel.mmap(0, pages * page, 3, ANON_PRIVATE, -1, 0) }
}

function read(kernel: SimulatedPosixKernel, v: number, n: number): number[] {
  const target = new Uint8Array(n)
  kernel.read(v, target)
  return [...target]
}

function codeOf(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return (error as { code?: unknown }).code
  }
  return null
}

describe('a view of simulated memory', () => {
  it('is an ArrayBuffer of the range, zero at first, and the same buffer as long as it lives', () => {
    const { kernel, v } = mapped(4)
    const buffer = kernel.view(v + 8, 100)
    expect(buffer).toBeInstanceOf(ArrayBuffer)
    expect(buffer.byteLength).toBe(100)
    expect(new Uint8Array(buffer).every((byte) => byte === 0)).toBe(true)
    expect(kernel.view(v + 8, 100)).toBe(buffer)
  })

  it('shows what the accessors write, and the accessors show what it holds', () => {
    const { kernel, v } = mapped(2)
    kernel.write(v + page - 2, new Uint8Array([1, 2, 3, 4]))
    const bytes = new Uint8Array(kernel.view(v, 2 * page))
    expect([...bytes.subarray(page - 2, page + 2)]).toEqual([1, 2, 3, 4])
    bytes.fill(9, 0, 3)
    expect(read(kernel, v, 4)).toEqual([9, 9, 9, 0])
    kernel.write(v, new Uint8Array([5]))
    expect(bytes[0]).toBe(5)
  })

  it('agrees with the views that overlap it, at each call', () => {
    const { kernel, v } = mapped(4)
    const whole = new Uint8Array(kernel.view(v, 4 * page))
    const middle = new Uint8Array(kernel.view(v + page, 2 * page))
    const word = new Uint32Array(kernel.view(v + 2 * page, 4))
    whole[page] = 1
    middle[page + 1] = 2
    kernel.touch(v, 1, 'read')
    expect([middle[0], whole[2 * page + 1], word[0]]).toEqual([1, 2, 0x200])
    word[0] = 7
    kernel.touch(v, 1, 'read')
    expect([middle[page], whole[2 * page]]).toEqual([7, 7])
  })

  it('throws when two views wrote different values to one byte, because the order is unknown', () => {
    const { kernel, v } = mapped(2)
    const one = new Uint8Array(kernel.view(v, 2 * page))
    const other = new Uint8Array(kernel.view(v, page))
    one[5] = 1
    other[5] = 2
    expect(codeOf(() => kernel.touch(v, 1, 'read'))).toBe('ERR_MEMLAYER_SIM_VIEW')
  })

  it.each([
    ['its own transfer()', (buffer: ArrayBuffer) => buffer.transfer(0)],
    ['its own transfer() with the bytes', (buffer: ArrayBuffer) => buffer.transfer()],
    ['its own transferToFixedLength()', (buffer: ArrayBuffer) => buffer.transferToFixedLength(4)],
    ['detachView', (buffer: ArrayBuffer) => detachView(buffer)],
  ])('leaves its bytes in memory when it is detached by %s', (_, detach) => {
    const { kernel, v } = mapped(2)
    const buffer = kernel.view(v, page)
    const bytes = new Uint8Array(buffer).fill(7)
    detach(buffer)
    expect([buffer.detached, bytes.length, bytes[0]]).toEqual([true, 0, undefined])
    expect(read(kernel, v, page).every((byte) => byte === 7)).toBe(true)
    const again = kernel.view(v, page)
    expect(again).not.toBe(buffer)
    expect(new Uint8Array(again)[page - 1]).toBe(7)
  })

  it('never reads wrong after a detachment without notice, because its bytes are lost until written', () => {
    const { kernel, v } = mapped(3)
    const buffer = kernel.view(v + page, page)
    new Uint8Array(buffer).fill(7)
    ArrayBuffer.prototype.transfer.call(buffer, 0)
    expect(read(kernel, v, page).every((byte) => byte === 0)).toBe(true)
    expect(codeOf(() => read(kernel, v + page, 1))).toBe('ERR_MEMLAYER_SIM_VIEW')
    expect(codeOf(() => kernel.view(v, 2 * page))).toBe('ERR_MEMLAYER_SIM_VIEW')
    kernel.write(v + page, new Uint8Array(16).fill(1))
    expect(read(kernel, v + page, 16)).toEqual(Array.from({ length: 16 }, () => 1))
    expect(kernel.madvise(v + page, page, 4)).toBe(0)
    expect(read(kernel, v + page, page).every((byte) => byte === 0)).toBe(true)
  })

  it('ends when one of its pages can’t be touched any more, and the bytes of the others stay', () => {
    const { kernel, v } = mapped(4)
    const wide = new Uint8Array(kernel.view(v, 4 * page)).fill(7)
    kernel.mprotect(v + page, page, 0)
    expect(wide.length).toBe(0)
    expect(read(kernel, v, 1)).toEqual([7])
    expect(() => kernel.view(v, 2 * page)).toThrow(PageFault)
    kernel.mprotect(v + page, page, 3)
    expect(read(kernel, v + page, 1)).toEqual([7])
    expect(new Uint8Array(kernel.view(v, 4 * page)).every((byte) => byte === 7)).toBe(true)
  })

  it('is refused on a read-only page, because a write to the buffer can’t be stopped', () => {
    const { kernel, v } = mapped(1)
    kernel.mprotect(v, page, 1)
    expect(codeOf(() => kernel.view(v, page))).toBe('ERR_MEMLAYER_SIM_FAULT')
    expect(read(kernel, v, 1)).toEqual([0])
    expect(codeOf(() => kernel.write(v, new Uint8Array(1)))).toBe('ERR_MEMLAYER_SIM_FAULT')
  })

  it('shows zeroes after its pages were mapped again', () => {
    const { kernel, v } = mapped(3)
    const bytes = new Uint8Array(kernel.view(v, 3 * page)).fill(7)
    expect(kernel.mmap(v + page, page, 3, ANON_PRIVATE | 0x10, -1, 0)).toBe(v + page)
    expect([bytes[page - 1], bytes[page], bytes[2 * page - 1], bytes[2 * page]]).toEqual([7, 0, 0, 7])
  })

  it('beyond the engine’s longest ArrayBuffer throws an error of its own', () => {
    const kernel = simulate('linux', { limits: { memory: Infinity } })
    const v = kernel.mmap(0, 2 ** 46, 3, ANON_PRIVATE, -1, 0)
    expect(codeOf(() => kernel.view(v, 2 ** 46))).toBe('ERR_MEMLAYER_SIM_LIMIT')
  })

  it('of 0 bytes is empty at any address', () => {
    expect(simulate('linux').view(0x1234, 0).byteLength).toBe(0)
  })
})

describe('the hook under detachView', () => {
  it('is the kernel’s, and not a visible method', () => {
    const { kernel, v } = mapped(1)
    const buffer = kernel.view(v, page)
    expect(Object.keys(buffer)).toEqual([])
    expect(buffer.slice(0, 8).byteLength).toBe(8)
    // Another kernel may do the same.
    expect(() => beforeDetach(new ArrayBuffer(1), () => {})).not.toThrow()
  })
})

describe('simulated memory', () => {
  it('costs nothing until it is written, even a terabyte', () => {
    const kernel = simulate('linux', { limits: { memory: Infinity } })
    const v = kernel.mmap(0, 2 ** 46, 3, ANON_PRIVATE | 0x4000, -1, 0)
    kernel.write(v + 2 ** 45, new Uint8Array([1]))
    expect(read(kernel, v + 2 ** 45, 2)).toEqual([1, 0])
    expect(kernel.residence(v, 2 ** 46).resident).toBe(page)
    expect(kernel.madvise(v, 2 ** 46, 4)).toBe(0)
    expect(kernel.residence(v, 2 ** 46).resident).toBe(0)
  })

  it('agrees with a plain array through ten thousand random reads, writes, views and discards', () => {
    const seed = testSeed()
    const { below } = random(seed)
    const pages = 24
    const { kernel, v } = mapped(pages)
    const model = new Uint8Array(pages * page)
    const views: { from: number; bytes: Uint8Array }[] = []
    for (let i = 0; i < 10_000; i++) {
      const from = below(pages * page)
      const n = 1 + below(Math.min(below(4) === 0 ? 3 * page : 64, pages * page - from))
      const first = Math.floor(from / page)
      const count = 1 + below(Math.min(3, pages - first))
      switch (below(8)) {
        case 0: {
          const bytes = new Uint8Array(n).fill(1 + below(255))
          kernel.write(v + from, bytes)
          model.set(bytes, from)
          break
        }
        case 1:
        case 2: {
          const target = new Uint8Array(n)
          kernel.read(v + from, target)
          expect(target, `seed ${seed}, step ${i}`).toEqual(model.slice(from, from + n))
          break
        }
        case 3:
          if (views.length < 40) views.push({ from, bytes: new Uint8Array(kernel.view(v + from, n)) })
          break
        case 4:
        case 5: {
          const view = views[below(views.length)]
          if (view === undefined || view.bytes.length === 0) break
          // The view shows what others did since the last call. At the next call, others see what the view did.
          expect(view.bytes, `seed ${seed}, step ${i}`).toEqual(model.slice(view.from, view.from + view.bytes.length))
          const at = below(view.bytes.length)
          view.bytes[at] = model[view.from + at] = below(256)
          kernel.touch(v, 1, 'read')
          break
        }
        case 6: {
          const [view] = views.splice(below(views.length), 1)
          if (view !== undefined && view.bytes.length > 0) detachView(view.bytes.buffer as ArrayBuffer)
          break
        }
        default:
          if (below(4) > 0) {
            kernel.madvise(v + first * page, count * page, 4)
            model.fill(0, first * page, (first + count) * page)
          } else {
            // Protect and unprotect: every view over the range ends, and its bytes stay.
            kernel.mprotect(v + first * page, count * page, below(2))
            kernel.mprotect(v + first * page, count * page, 3)
          }
      }
    }
    const all = new Uint8Array(pages * page)
    kernel.read(v, all)
    expect(all).toEqual(model)
  })

  it('throws errors of a class of their own', () => {
    const { kernel } = mapped(1)
    let thrown: unknown
    try {
      kernel.touch(0x1000, 1)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(PageFault)
    expect(thrown).toBeInstanceOf(SimulationError)
    expect(thrown).toMatchObject({
      address: 0x1000,
      access: 'write',
      page: 'not mapped',
      code: 'ERR_MEMLAYER_SIM_FAULT',
    })
  })
})
