// Whether Windows calls its memory low: a notification that the system sets and takes back, the same for all processes.
import type { Address, HostPressure } from '@memlayer/kernel'
import type { Engine } from './engine.js'

/** LowMemoryResourceNotification, <memoryapi.h>. */
const lowMemory = 0

/** Returns a look at it. `scratch` has room for the answer, which is read by `answer`. */
export function windowsPressure(
  engine: Engine,
  kernel32: string,
  scratch: Address,
  answer: DataView,
): () => HostPressure | null {
  let isLow: (() => boolean | null) | undefined
  return () => {
    isLow ??= openNotification(engine, kernel32, scratch, answer)
    const low = isLow()
    if (low === null) return null
    return { source: "Windows' low-memory notification", some: NaN, full: NaN, reached: NaN, isLow: low }
  }
}

/** Opens the notification once. Its handle stays open for as long as the process lives. */
function openNotification(engine: Engine, kernel32: string, scratch: Address, answer: DataView): () => boolean | null {
  try {
    const handle = engine.func(kernel32, 'CreateMemoryResourceNotification', 'size', ['int'])(lowMemory)
    const query = engine.func(kernel32, 'QueryMemoryResourceNotification', 'int', ['size', 'size'])
    if (handle === 0) return () => null
    return () => (query(handle, scratch) === 0 ? null : answer.getUint32(0, true) !== 0)
  } catch {
    // This kernel32 has none.
    return () => null
  }
}
