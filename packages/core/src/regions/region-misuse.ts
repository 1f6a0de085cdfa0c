// A region's errors about its own arguments.
import { bytesIn } from '@memlayer/kernel'
import type { RegionRecord } from '../claims/region-record.js'
import { UsageError } from '../errors.js'
import { show } from '../text.js'

interface Named {
  readonly name: string
  readonly size: number
}

/** @throws UsageError ERR_MEMLAYER_DISPOSED always. */
export function disposed(op: string, { name, isThere }: Pick<RegionRecord, 'name' | 'isThere'>): never {
  const isAdopted = isThere !== null
  throw new UsageError('ERR_MEMLAYER_DISPOSED', `${op}: the region '${name}' was ${isAdopted ? 'released' : 'freed'}`, {
    op,
    region: name,
    hint: isAdopted ? 'Adopt the buffer again.' : 'Reserve another with memory.reserve().',
  })
}

/** @throws UsageError ERR_MEMLAYER_RANGE always. */
export function outside(op: string, offset: unknown, length: unknown, { name, size }: Named): never {
  const message = `${op}: ${notWithin(op, offset, length, size)} the region '${name}' of ${size} bytes`
  throw new UsageError('ERR_MEMLAYER_RANGE', message, {
    op,
    region: name,
    ...(typeof offset === 'number' ? { offset } : {}),
    hint:
      op === 'view' || op === 'window'
        ? 'Pass an offset in bytes and a length in elements. The view must end within the region.'
        : 'Pass an offset and a length in bytes: whole numbers, 0 or more, that end within the region.',
  })
}

/**
 * What does not lie within, and the verb: `'bytes 8 to 70008 do not lie within'`. For a view both numbers are bytes,
 * although its caller passed a number of elements.
 */
export function notWithin(op: string, offset: unknown, length: unknown, size: number): string {
  const isRange = Number.isSafeInteger(offset) && Number.isSafeInteger(length)
  const [from, bytes] = [offset as number, length as number]
  // Without a length, the rest from an offset beyond the end is negative.
  if (isRange && bytes < 0 && from > size) return `the offset ${from} does not lie within`
  if ((op === 'view' || op === 'window') && isRange && bytes >= 0)
    return `bytes ${from} to ${from + bytes} do not lie within`
  return `the range (${show(offset)}, ${show(length)}) does not lie within`
}

/** @throws UsageError ERR_MEMLAYER_DISPOSED always. */
export function partFreed(op: string, offset: number, length: number, { name }: Named): never {
  const message = `${op}: a part of the range (${offset}, ${length}) of the region '${name}' was freed`
  throw new UsageError('ERR_MEMLAYER_DISPOSED', message, {
    op,
    region: name,
    offset,
    hint: 'Use the parts that are left, or reserve another region.',
  })
}

/** The bytes of a view that is passed to `read` or `write`. @throws UsageError ERR_MEMLAYER_VIEW when it has none. */
export function bytesOf(op: string, data: ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(data)) {
    throw new UsageError('ERR_MEMLAYER_VIEW', `${op}: ${show(data)} is not a view`, {
      op,
      hint: 'Pass a typed array, a Buffer or a DataView. The call copies as many bytes as it has.',
    })
  }
  try {
    return bytesIn(data)
  } catch {
    const message = `${op}: the view has no bytes, because its buffer was detached or has shrunk`
    throw new UsageError('ERR_MEMLAYER_VIEW', message, { op, hint: 'Pass a view whose buffer is not detached.' })
  }
}
