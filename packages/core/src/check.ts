// Checks of addresses and sizes, before any effect. Go's uintptr can't be negative, fractional or NaN;
// a JavaScript number can, and a foreign call would make an address of it.
import { isAligned, isPowerOfTwo, type Address } from '@memlayer/kernel'
import { UsageError } from './errors.js'
import { formatAddress, show } from './text.js'

/** The end of all addresses, in bytes. */
const addressEnd = 2 ** 64

/** @throws UsageError ERR_MEMLAYER_SIZE unless `n` is a whole number of pages, from `least` to 2^53 - 1 bytes. */
export function checkSize(op: string, n: number, least: 0 | 1, align: number): void {
  if (!(Number.isSafeInteger(n) && n >= least)) wrongSize(op, n, least)
  if (!isAligned(n, align)) unaligned(op, 'size', n, align)
}

/** @throws UsageError ERR_MEMLAYER_ADDRESS unless `v` is an address, page-aligned, with room for `n` bytes. */
export function checkAddress(op: string, v: Address, n: number, align: number): void {
  if (!(Number.isInteger(v) && v >= 0 && v + n <= addressEnd)) wrongAddress(op, v, n)
  if (!isAligned(v, align)) unaligned(op, 'address', v, align)
}

/** `checkSize` and `checkAddress` in one, because nearly every operation needs both. */
export function checkRange(op: string, v: Address, n: number, least: 0 | 1, align: number): void {
  if (Number.isSafeInteger(n) && n >= least && Number.isInteger(v) && v >= 0 && v + n <= addressEnd) {
    if (isAligned(n, align) && isAligned(v, align)) return
  }
  checkSize(op, n, least, align)
  checkAddress(op, v, n, align)
}

/** @throws UsageError ERR_MEMLAYER_ADDRESS unless `v` is an address, wherever in a page. */
export function checkPlace(op: string, v: Address): void {
  if (Number.isInteger(v) && v >= 0 && v <= addressEnd) return
  const hint = 'Pass an address inside a range that is Ready.'
  throw new UsageError('ERR_MEMLAYER_ADDRESS', `${op}: the address is ${show(v)}`, { op, hint })
}

/** @throws UsageError ERR_MEMLAYER_ALIGNMENT unless `align` is a power of two below 2^53. */
export function checkAlignment(op: string, align: number): void {
  if (Number.isSafeInteger(align) && isPowerOfTwo(align)) return
  const hint = 'Pass a power of two below 2^53, in bytes.'
  throw new UsageError('ERR_MEMLAYER_ALIGNMENT', `${op}: the alignment is ${show(align)}`, { op, hint })
}

/** @throws UsageError ERR_MEMLAYER_SIZE unless the sum of `size` and `align` is below 2^53 bytes. */
export function checkTogether(op: string, size: number, align: number): void {
  if (Number.isSafeInteger(size + align)) return
  const message = `${op}: the size ${size} and the alignment ${align} are too large together`
  throw new UsageError('ERR_MEMLAYER_SIZE', message, {
    op,
    size,
    hint: 'Pass a size and an alignment whose sum is below 2^53. The layer reserves both to find an aligned place.',
  })
}

function wrongSize(op: string, n: unknown, least: number): never {
  const allowed = least === 0 ? 'a whole number of bytes, 0 or more' : 'a whole number of bytes, 1 or more'
  const hint = `Pass ${allowed} and below 2^53${typeof n === 'number' ? '' : ', as a number'}.`
  throw new UsageError('ERR_MEMLAYER_SIZE', `${op}: the size is ${show(n)}`, {
    op,
    hint,
    ...(typeof n === 'number' ? { size: n } : {}),
  })
}

function wrongAddress(op: string, v: unknown, n: number): never {
  const isStart = typeof v === 'number' && Number.isInteger(v) && v >= 0 && v < addressEnd
  const what = isStart ? `the range of ${n} bytes at ${formatAddress(v)} ends beyond 2^64` : `the address is ${show(v)}`
  throw new UsageError('ERR_MEMLAYER_ADDRESS', `${op}: ${what}`, {
    op,
    hint: 'Pass an address that sysReserve or sysAlloc returned, or one inside its range, as a number.',
    ...(typeof v === 'number' ? { address: v } : {}),
  })
}

// If their range is rounded outwards, these operations take bytes of the neighbours with it.
const givesBack: ReadonlySet<string> = new Set(['sysUnused', 'sysUnusedAll', 'sysFault', 'sysFree'])
const roundInwards =
  'Round the start up with alignUp(v, memory.os.traits.pageSize), and the end down with alignDown, ' +
  'because only whole pages can be given back.'

function unaligned(op: string, what: 'size' | 'address', value: number, align: number): never {
  const shown = what === 'address' ? formatAddress(value) : `${value} bytes`
  const message = `${op}: the ${what} ${shown} is not a multiple of the page size, ${align}`
  const roundUp =
    what === 'size'
      ? 'Round it up with alignUp(size, memory.os.traits.pageSize).'
      : 'Pass the address of the first byte of a page.'
  throw new UsageError('ERR_MEMLAYER_ALIGNMENT', message, {
    op,
    [what]: value,
    hint: givesBack.has(op) ? roundInwards : roundUp,
  })
}
