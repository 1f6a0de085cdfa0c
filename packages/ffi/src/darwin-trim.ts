// malloc_zone_pressure_relief(3) of <malloc/malloc.h>: every zone gives back what it holds free. Called by
// posix-kernel.ts on Darwin, where none was to be had to run it.
import type { Engine, ForeignFunction } from './engine.js'

/** All zones, and as much as they can: 1 where that was some, 0 where it was nothing. */
export function darwinTrim(engine: Engine): () => number {
  let relieve: ForeignFunction | undefined
  return () => {
    // Declared at first use: it came with macOS 10.7, and nothing else needs it.
    relieve ??= engine.func(null, 'malloc_zone_pressure_relief', 'size', ['address', 'size'])
    return relieve(0, 0) > 0 ? 1 : 0
  }
}
