// trim with allocators that are wrong: it ends, names the callback, gives nothing back and frees what it was given.
import { adopt } from '@memlayer/os-engine'
import { errorOf } from '@memlayer/witness'
import { beforeEach, describe, expect, it } from 'vitest'
import { Memory, size, wasmPages, type Wasm } from './made-buffers.js'

const MiB = 2 ** 20

describe.skipIf(process.platform !== 'linux')('trim (needs Linux)', () => {
  let wasm: Wasm
  let taken: unknown[]
  let freed: unknown[]

  beforeEach(() => {
    wasm = new Memory({ initial: wasmPages })
    new Uint8Array(wasm.buffer).fill(7)
    taken = []
    freed = []
  })

  /** Trims by what `malloc` returns for the k-th call. */
  const trim = (malloc: (bytes: number, k: number) => unknown, free?: () => void): unknown => {
    let k = 0
    return errorOf(() =>
      adopt(wasm).trim({
        malloc: (bytes) => {
          if (k === 10_000) expect.fail('it asks without end')
          const p = malloc(bytes, k++)
          if (p !== 0) taken.push(p)
          return p as number
        },
        free: (p) => {
          freed.push(p)
          free?.()
        },
      }),
    )
  }
  const isUntouched = (): boolean => new Uint8Array(wasm.buffer).every((byte) => byte === 7)

  it.each<[string, (bytes: number, k: number) => unknown, string]>([
    [
      'hands out one block again',
      () => 65536,
      'malloc returned 65536 for 1048576 bytes, a part of the 1048576 bytes at 65536',
    ],
    ['hands out one block again as a bigint', () => 8n, 'malloc returned 8 for 1048576 bytes, a part of'],
    [
      'hands out blocks that overlap',
      (_, k) => MiB + k * 65536,
      'malloc returned 1114112 for 1048576 bytes, a part of',
    ],
    ['hands out a block below one that it lies on', (_, k) => [MiB, MiB - 65536][k] ?? 0, 'malloc returned 983040 for'],
    [
      'hands out a small block of a large one',
      (bytes, k) => (bytes === MiB ? (k === 0 ? MiB : 0) : MiB + 65536),
      'malloc returned 1114112 for 262144 bytes, a part of the 1048576 bytes at 1048576',
    ],
    [
      'hands out a block that ends beyond the memory',
      () => size - 16,
      `malloc returned ${size - 16} for 1048576 bytes, beyond the ${size} bytes`,
    ],
    [
      'hands out a block beyond the memory',
      () => 2 ** 40,
      `malloc returned ${2 ** 40} for 1048576 bytes, beyond the ${size} bytes`,
    ],
    ['hands out a small negative number', () => -8, 'malloc returned 4294967288 for 1048576 bytes, beyond'],
    ['finds the end of the memory late', (bytes, k) => 1 + k * bytes, `beyond the ${size} bytes of the memory`],
  ])('ends with an allocator that %s, frees each of its blocks once, and gives nothing back', (_, malloc, words) => {
    const error = trim(malloc)
    expect(error).toMatchObject({ name: 'UsageError', code: 'ERR_MEMLAYER_OPTION', op: 'trim' })
    expect((error as Error).message).toContain(words)
    const unsigned = taken.map((p) => (Number(p) < 0 ? Number(p) + 2 ** 32 : Number(p)))
    expect(freed).toEqual([...new Set(unsigned)].toReversed())
    expect(isUntouched()).toBe(true)
  })

  it.each([
    ['NaN', NaN, 'malloc returned NaN, which is not an address'],
    ['half a byte', 0.5, 'malloc returned 0.5, which is not an address'],
    ['less than 32 bits hold', -(2 ** 32), 'malloc returned -4294967296, which is not an address'],
    ['a string', '65536', 'malloc returned a value of type string, which is not an address'],
    ['undefined', undefined, 'malloc returned a value of type undefined, which is not an address'],
    ['a promise', Promise.resolve(8), 'malloc returned a value of type object, which is not an address'],
  ])('names malloc where it returns %s', (_, p, words) => {
    const error = trim((_bytes, k) => (k === 0 ? MiB : p))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_OPTION', message: expect.stringContaining(words) as string })
    expect([freed, isUntouched()]).toEqual([[MiB], true])
  })

  it('takes blocks in any order that do not touch another, up to the memory’s end', () => {
    const blocks = [3 * MiB, 64, MiB + 64]
    let k = 0
    const malloc = (bytes: number): number => (bytes === MiB ? (blocks[k++] ?? 0) : 0)
    const given = adopt(wasm).trim({ malloc, free: (p) => void freed.push(p) })
    expect([given > 3 * MiB - 4 * 65536, freed]).toEqual([true, blocks.toReversed()])
    const bytes = new Uint8Array(wasm.buffer)
    expect(bytes.subarray(3 * MiB).every((byte) => byte === 0)).toBe(true)
    expect(bytes.subarray(2 * MiB + 65536, 3 * MiB).every((byte) => byte === 7)).toBe(true)
  })

  it('passes every block to free, also where free throws, and names free', () => {
    const cause = new Error('trap')
    const error = trim(
      (bytes, k) => (bytes === MiB && k < 3 ? MiB * (k + 1) : 0),
      () => {
        throw cause
      },
    )
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_OPTION', op: 'trim', cause })
    expect((error as Error).message).toMatch(/^trim: free threw: trap\. /)
    expect(freed).toEqual([3 * MiB, 2 * MiB, MiB])
  })

  it('says what malloc did where free throws as well', () => {
    const error = trim(
      () => MiB,
      () => {
        throw new Error('trap')
      },
    )
    expect((error as Error).message).toMatch(/^trim: malloc returned/)
    expect(freed).toEqual([MiB])
  })

  it('names its own method where malloc takes the buffer away', () => {
    const buffer = new ArrayBuffer(size)
    const adopted = adopt(buffer)
    const malloc = (): number => (buffer.byteLength > 0 ? (void buffer.transfer(), MiB) : 0)
    expect(errorOf(() => adopted.trim({ malloc, free: () => undefined }))).toMatchObject({
      code: 'ERR_MEMLAYER_OPTION',
      message: expect.stringContaining('beyond the 0 bytes of the memory') as string,
    })
    expect(errorOf(() => adopted.zero())).toMatchObject({
      code: 'ERR_MEMLAYER_DISPOSED',
      message: expect.stringMatching(/^zero: 'adopted' has no bytes/) as string,
    })
  })
})
