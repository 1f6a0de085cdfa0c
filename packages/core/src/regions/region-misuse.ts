// A region's errors about its own arguments.
import { UsageError } from '../errors.js'
import { show } from '../text.js'

interface Named {
  readonly name: string
  readonly size: number
}

/** @throws UsageError ERR_MEMLAYER_DISPOSED always. */
export function disposed(op: string, name: string): never {
  throw new UsageError('ERR_MEMLAYER_DISPOSED', `${op}: the region '${name}' was freed`, {
    op,
    region: name,
    hint: 'Reserve another with memory.reserve().',
  })
}

/** @throws UsageError ERR_MEMLAYER_RANGE always. */
export function outside(op: string, offset: unknown, length: unknown, { name, size }: Named): never {
  const range = `(${show(offset)}, ${show(length)})`
  const message = `${op}: the range ${range} does not lie within the region '${name}' of ${size} bytes`
  throw new UsageError('ERR_MEMLAYER_RANGE', message, {
    op,
    region: name,
    hint:
      op === 'view'
        ? "Pass an offset in bytes, and a length in elements of the view's type, which end within the region."
        : 'Pass an offset and a length in bytes: whole numbers, 0 or more, that end within the region.',
  })
}

/** @throws UsageError ERR_MEMLAYER_DISPOSED always. */
export function partFreed(op: string, offset: number, length: number, { name }: Named): never {
  const message = `${op}: a part of (${offset}, ${length}) in the region '${name}' was freed`
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
      hint: 'Pass a typed array, a Buffer or a DataView: as many bytes are copied as it has.',
    })
  }
  try {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  } catch {
    const message = `${op}: the bytes of the view are gone: its buffer is detached, or has shrunk`
    throw new UsageError('ERR_MEMLAYER_VIEW', message, { op, hint: 'Pass one that still has its bytes.' })
  }
}
