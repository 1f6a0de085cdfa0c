// jemalloc's own calls: what it says of its memory, and its purge. All go through mallctl(3), by name.
// linux-allocator.ts asks.
import type { Engine } from './engine.js'
import type { AllocatorCalls, DeclareOwn } from './linux-allocator.js'
import { cString } from './linux-symbols.js'

const ENOSYS = 38
/** MALLCTL_ARENAS_ALL, <jemalloc/jemalloc.h>, since jemalloc 5. */
const ARENAS_ALL = 4096

/** The calls of the jemalloc that serves. Figures are NaN where it was built without statistics. */
export function jemallocCalls(engine: Engine, own: DeclareOwn): AllocatorCalls | null {
  const mallctl = own('mallctl', 'int', ['address', 'address', 'address', 'address', 'size'])
  if (mallctl === null) return null
  const memory = engine.func(null, 'calloc', 'address', ['size', 'size'])(2, 8)
  if (memory === 0) return null
  const [value, length] = [memory, memory + 8]
  const words = new BigUint64Array(engine.view(memory, 16))
  const wordBytes = BigInt(['arm', 'ia32'].includes(process.arch) ? 4 : 8)
  const [epoch, flush, purge] = ['epoch', 'thread.tcache.flush', `arena.${ARENAS_ALL}.purge`].map((name) =>
    cString(engine, name),
  ) as [number, number, number]
  const [resident, allocated, metadata] = ['resident', 'allocated', 'metadata'].map((name) =>
    cString(engine, `stats.${name}`),
  ) as [number, number, number]

  const statistic = (name: number): number => {
    words[0] = 0n
    words[1] = wordBytes
    return mallctl(name, value, length, 0, 0) === 0 ? Number(words[0]) : NaN
  }
  return {
    figures() {
      // The statistics are those of the last time that this number was written.
      words[0] = 1n
      void mallctl(epoch, 0, 0, value, 8)
      const all = statistic(resident)
      return { resident: all, free: all - statistic(allocated) - statistic(metadata) }
    },
    trim() {
      // This thread's cache. Those of other threads keep their few free pieces.
      void mallctl(flush, 0, 0, 0, 0)
      // jemalloc 4 has no such arena, and refuses.
      return mallctl(purge, 0, 0, 0, 0) === 0 ? 1 : -ENOSYS
    },
  }
}
