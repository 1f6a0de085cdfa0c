// A growable buffer's errors about its own arguments.
import { alignUp } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import type { Memory } from '../memory.js'
import { checkOptions } from '../options.js'
import { show } from '../text.js'
import type { GrowableBufferOptions } from './growable-buffer.js'
import { notWithin } from './region-misuse.js'

/** @throws UsageError ERR_MEMLAYER_SIZE unless `n` is a number of bytes from `least` to `most`. */
export function checkLength(op: string, what: string, n: number, most: number, least: number, region?: string): void {
  if (typeof n === 'number' && Number.isSafeInteger(n) && n >= least && n <= most) return
  throw new UsageError('ERR_MEMLAYER_SIZE', `${what} is ${show(n)}`, {
    op,
    ...(region === undefined ? {} : { region }),
    hint: `Pass a whole number of bytes from ${least} to ${most}.`,
  })
}

/** A step in whole pages; 0: none was given. @throws UsageError ERR_MEMLAYER_SIZE for a step that is not a size. */
export function checkStep(step: number | undefined, page: number): number {
  if (step === undefined) return 0
  checkLength('GrowableBuffer', 'GrowableBuffer: the step', step, Number.MAX_SAFE_INTEGER, 1)
  return alignUp(step, page)
}

const known = ['maximum', 'length', 'name', 'stat', 'hugePages', 'step']

/** @throws UsageError ERR_MEMLAYER_OPTION for options that are not those of a buffer. */
export function bufferOptions(options: GrowableBufferOptions): GrowableBufferOptions {
  return checkOptions('GrowableBuffer', options, known, 'Pass an object: { maximum: 2 ** 30 }.')
}

/** @throws UsageError ERR_MEMLAYER_OPTION for a value that is not a memory. */
export function checkMemory(memory: Memory): void {
  const isObject = typeof memory === 'object' && memory !== null
  if (isObject && typeof memory.reserve === 'function' && typeof memory.os === 'object') return
  throw new UsageError('ERR_MEMLAYER_OPTION', `GrowableBuffer: the memory is ${show(memory)}`, {
    op: 'GrowableBuffer',
    hint: 'Pass a memory that createMemory returned, then the options: new GrowableBuffer(memory, { maximum }).',
  })
}

/** @throws UsageError ERR_MEMLAYER_RANGE unless [offset, offset+length) lies within a buffer of `size` bytes. */
export function checkWithin(op: string, name: string, size: number, offset: number, length: number): void {
  const isRange = Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(length) && length >= 0
  if (isRange && offset + length <= size) return
  const message = `${op}: ${notWithin(op, offset, length, size)} the buffer '${name}' of ${size} bytes`
  throw new UsageError('ERR_MEMLAYER_RANGE', message, {
    op,
    region: name,
    hint: 'Pass a range inside the buffer, or resize the buffer first.',
  })
}

/** A buffer of `length` bytes can't grow by `bytes`. @throws UsageError ERR_MEMLAYER_SIZE always. */
export function tooLong(name: string, length: number, bytes: number, maximum: number): never {
  const would = `it would have ${length + bytes} bytes, and its maximum is ${maximum}`
  throw new UsageError('ERR_MEMLAYER_SIZE', `grow of the buffer '${name}' by ${bytes} bytes: ${would}`, {
    op: 'grow',
    region: name,
    hint: `Pass a whole number of bytes from 0 to ${maximum - length}.`,
  })
}

/** @throws UsageError ERR_MEMLAYER_DISPOSED always. */
export function bufferFreed(op: string, name: string): never {
  throw new UsageError('ERR_MEMLAYER_DISPOSED', `${op}: the buffer '${name}' was freed`, {
    op,
    region: name,
    hint: 'Make another with new GrowableBuffer(memory, { maximum }).',
  })
}
