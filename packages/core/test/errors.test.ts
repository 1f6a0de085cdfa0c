// Tests the three errors: their properties, and the messages that people read.
import {
  FatalError,
  formatAddress,
  formatBytes,
  MemlayerError,
  OutOfMemoryError,
  UsageError,
  type ErrorDetails,
} from '@memlayer/core'
import { afterEach, describe, expect, it } from 'vitest'

const cause = new Error('behind')
const everything: ErrorDetails = {
  op: 'sysMap',
  syscall: 'mmap',
  errno: 12,
  errnoName: 'ENOMEM',
  address: 0x7f0000001000,
  size: 4096,
  hint: 'Buy memory.',
  cause,
}

describe.each([
  ['OutOfMemoryError', 'ERR_MEMLAYER_OUT_OF_MEMORY', (details?: ErrorDetails) => new OutOfMemoryError('no', details)],
  ['UsageError', 'ERR_MEMLAYER_SIZE', (details?: ErrorDetails) => new UsageError('ERR_MEMLAYER_SIZE', 'no', details)],
  ['FatalError', 'ERR_MEMLAYER_FATAL', (details?: ErrorDetails) => new FatalError('no', details)],
] as const)('%s', (name, code, create) => {
  it('has its name, its code and all known details', () => {
    const error = create(everything)
    expect(error).toBeInstanceOf(MemlayerError)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name, code, ...everything })
    expect(error.stack?.startsWith(`${name}: no`)).toBe(true)
    expect(error.cause).toBe(cause)
  })

  it('leaves out unknown details', () => {
    const error = create()
    expect(Object.keys(error).sort()).toEqual(['code', 'name'])
    expect(error.message).toBe('no')
    expect('cause' in error).toBe(false)
    expect(error.hint).toBe(undefined)
  })

  it('ends its message with the hint', () => {
    expect(create({ hint: 'Ask for less.' }).message).toBe('no. Ask for less.')
    expect(create({ hint: '' }).message).toBe('no')
  })

  it('is not an instance of the other two classes', () => {
    const kinds = [OutOfMemoryError, UsageError, FatalError].filter((kind) => create() instanceof kind)
    expect(kinds.map((kind) => kind.name)).toEqual([name])
  })
})

describe('a minified error', () => {
  const { name } = OutOfMemoryError
  afterEach(() => void Object.defineProperty(OutOfMemoryError, 'name', { value: name }))

  it('keeps its name', () => {
    Object.defineProperty(OutOfMemoryError, 'name', { value: 'a' })
    expect(new OutOfMemoryError('no').name).toBe('OutOfMemoryError')
  })
})

describe('a FatalError', () => {
  it.each([
    [{}, 'cannot map pages'],
    [{ address: 4096, size: 8192 }, 'cannot map pages'],
    [
      { syscall: 'mmap', address: 4096, size: 8192, errno: 12, errnoName: 'ENOMEM' },
      'cannot map pages: mmap(0x1000, 8192) answered ENOMEM (12)',
    ],
    [
      { syscall: 'mmap', address: 4096, size: 8192, errno: 4242 },
      'cannot map pages: mmap(0x1000, 8192) answered errno (4242)',
    ],
    [{ syscall: 'mmap', size: 8192 }, 'cannot map pages: mmap(8192)'],
    [
      { syscall: 'brk', errno: 1, errnoName: 'EPERM', hint: 'Move.' },
      'cannot map pages: brk() answered EPERM (1). Move.',
    ],
  ] as [ErrorDetails, string][])('of %o starts with Go’s words: %s', (details, message) => {
    expect(new FatalError('cannot map pages', details).message).toBe(message)
  })

  it('may have another code', () => {
    expect(new FatalError('no', { code: 'ERR_MEMLAYER_ACCOUNT' }).code).toBe('ERR_MEMLAYER_ACCOUNT')
  })
})

describe('formatBytes', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [100, '100 bytes'],
    [1023, '1023 bytes'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [65536, '64 KiB'],
    [2 ** 20 - 1, '1.0 MiB'],
    [2 ** 20, '1 MiB'],
    [2 ** 30 * 1.25, '1.3 GiB'],
    [2 ** 47, '128 TiB'],
    [2 ** 60, '1024 PiB'],
    [-4096, '-4 KiB'],
    [Infinity, 'Infinity bytes'],
    [NaN, 'NaN bytes'],
  ])('%d is %s', (n, text) => {
    expect(formatBytes(n)).toBe(text)
  })
})

describe('formatAddress', () => {
  it.each([
    [0, '0x0'],
    [0x7f0000001000, '0x7f0000001000'],
    [2 ** 64 - 4096, '0xfffffffffffff000'],
  ])('%d is %s', (v, text) => {
    expect(formatAddress(v)).toBe(text)
  })
})
