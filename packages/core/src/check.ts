// Checks of arguments, before any effect. Go's uintptr can't be negative, fractional or NaN;
// a JavaScript number can, and a foreign call would make an address of it.
import { isAligned, isPowerOfTwo, type Address } from '@memlayer/kernel'
import { formatAddress, UsageError } from './errors.js'
import type { Operation } from './observer.js'

/** The end of all addresses, in bytes. */
const ADDRESS_END = 2 ** 64

/** @throws UsageError ERR_MEMLAYER_SIZE unless `n` is a whole number of pages, from `least` to 2^53 - 1 bytes. */
export function checkSize(op: Operation, n: number, least: 0 | 1, align: number): void {
  if (!(Number.isSafeInteger(n) && n >= least)) wrongSize(op, n, least)
  if (!isAligned(n, align)) unaligned(op, 'size', n, align)
}

/** @throws UsageError ERR_MEMLAYER_ADDRESS unless `v` is an address, page-aligned, with room for `n` bytes. */
export function checkAddress(op: Operation, v: Address, n: number, align: number): void {
  if (!(Number.isInteger(v) && v >= 0 && v + n <= ADDRESS_END)) wrongAddress(op, v)
  if (!isAligned(v, align)) unaligned(op, 'address', v, align)
}

/** @throws UsageError ERR_MEMLAYER_ALIGNMENT unless `align` is a power of two. */
export function checkAlignment(op: Operation, align: number): void {
  if (typeof align === 'number' && isPowerOfTwo(align)) return
  throw new UsageError('ERR_MEMLAYER_ALIGNMENT', `${op}: the alignment is ${show(align)}`, {
    op,
    hint: 'Pass a power of two, in bytes.',
  })
}

function wrongSize(op: Operation, n: unknown, least: number): never {
  const allowed = least === 0 ? 'a whole number of bytes, 0 or more' : 'a whole number of bytes, 1 or more'
  const hint = `Pass ${allowed} and below 2^53${typeof n === 'number' ? '' : ', as a number'}.`
  throw new UsageError('ERR_MEMLAYER_SIZE', `${op}: the size is ${show(n)}`, {
    op,
    hint,
    ...(typeof n === 'number' ? { size: n } : {}),
  })
}

function wrongAddress(op: Operation, v: unknown): never {
  throw new UsageError('ERR_MEMLAYER_ADDRESS', `${op}: the address is ${show(v)}`, {
    op,
    hint: 'Pass an address that sysReserve or sysAlloc returned, or one inside its range, as a number.',
    ...(typeof v === 'number' ? { address: v } : {}),
  })
}

function unaligned(op: Operation, what: 'size' | 'address', value: number, align: number): never {
  const shown = what === 'address' ? formatAddress(value) : `${value} bytes`
  throw new UsageError('ERR_MEMLAYER_ALIGNMENT', `${op}: the ${what} ${shown} is not a multiple of the page size, ${align}`, {
    op,
    [what]: value,
    hint: what === 'size' ? 'Round it up with alignUp(size, memory.os.traits.pageSize).' : 'Ranges begin at a page.',
  })
}

/** A wrong argument as it may stand in a message: short, and without calling anything of the caller's. */
export function show(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'bigint') return `the bigint ${value}n`
  if (value === null || value === undefined || typeof value === 'boolean') return String(value)
  return typeof value === 'function' ? 'a function' : typeof value === 'symbol' ? 'a symbol' : 'an object'
}
