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

/** `checkSize` and `checkAddress` in one, because nearly every operation asks for both. */
export function checkRange(op: Operation, v: Address, n: number, least: 0 | 1, align: number): void {
  if (Number.isSafeInteger(n) && n >= least && Number.isInteger(v) && v >= 0 && v + n <= ADDRESS_END) {
    if (isAligned(n, align) && isAligned(v, align)) return
  }
  checkSize(op, n, least, align)
  checkAddress(op, v, n, align)
}

/** @throws UsageError ERR_MEMLAYER_ADDRESS unless `v` is an address, wherever in a page. */
export function checkPlace(op: string, v: Address): void {
  if (Number.isInteger(v) && v >= 0 && v <= ADDRESS_END) return
  throw new UsageError('ERR_MEMLAYER_ADDRESS', `${op}: the address is ${show(v)}`, {
    op,
    hint: 'Pass an address inside a range that is Ready.',
  })
}

/** @throws UsageError ERR_MEMLAYER_ALIGNMENT unless `align` is a power of two below 2^53. */
export function checkAlignment(op: Operation, align: number): void {
  if (Number.isSafeInteger(align) && isPowerOfTwo(align)) return
  throw new UsageError('ERR_MEMLAYER_ALIGNMENT', `${op}: the alignment is ${show(align)}`, {
    op,
    hint: 'Pass a power of two below 2^53, in bytes.',
  })
}

/** @throws UsageError ERR_MEMLAYER_SIZE unless `size` and `align` together are below 2^53 bytes. */
export function checkTogether(op: Operation, size: number, align: number): void {
  if (Number.isSafeInteger(size + align)) return
  const message = `${op}: the size ${size} and the alignment ${align} are too much together`
  throw new UsageError('ERR_MEMLAYER_SIZE', message, {
    op,
    size,
    hint: 'Both are reserved at once, to find an aligned place within: keep their sum below 2^53.',
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

// Rounded outwards, a range that is given back takes neighbours' bytes with it.
const takesAway: ReadonlySet<Operation> = new Set<Operation>(['sysUnused', 'sysFault', 'sysFree'])
const INWARDS =
  'Only whole pages can be given back: round the start up with alignUp(v, memory.os.traits.pageSize), and the end down with alignDown.'

function unaligned(op: Operation, what: 'size' | 'address', value: number, align: number): never {
  const shown = what === 'address' ? formatAddress(value) : `${value} bytes`
  throw new UsageError(
    'ERR_MEMLAYER_ALIGNMENT',
    `${op}: the ${what} ${shown} is not a multiple of the page size, ${align}`,
    {
      op,
      [what]: value,
      hint: takesAway.has(op)
        ? INWARDS
        : what === 'size'
          ? 'Round it up with alignUp(size, memory.os.traits.pageSize).'
          : 'Ranges begin at a page.',
    },
  )
}

/** @throws UsageError ERR_MEMLAYER_OPTION unless `options` is an object. */
export function checkOptions(op: string, options: unknown): void {
  if (typeof options === 'object' && options !== null) return
  throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: the options are ${show(options)}`, {
    hint: 'Pass an object, or leave them out.',
  })
}

/** A wrong argument as it may stand in a message: short, and without calling anything of the caller's. */
export function show(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  // A bigint may have a million digits; none that could be an address has more than 20.
  if (typeof value === 'bigint') return BigInt.asIntN(65, value) === value ? `the bigint ${value}n` : 'a bigint'
  if (value === null || value === undefined || typeof value === 'boolean') return String(value)
  return typeof value === 'function' ? 'a function' : typeof value === 'symbol' ? 'a symbol' : 'an object'
}
