// malloc_zone_pressure_relief(3) of <malloc/malloc.h>: every zone gives back its free memory. posix-kernel.ts calls
// it on Darwin. It has not run on a real Darwin yet, because we had no such machine.
import type { Engine, ForeignFunction } from './engine.js'

/**
 * Asks all zones for as much as they can give. The function answers 1 when they gave some, 0 when they gave
 * nothing.
 */
export function darwinTrim(engine: Engine): () => number {
  let relieve: ForeignFunction | undefined
  return () => {
    // Declared at first use, because it came with macOS 10.7 and nothing else needs it.
    relieve ??= engine.func(null, 'malloc_zone_pressure_relief', 'size', ['address', 'size'])
    return relieve(0, 0) > 0 ? 1 : 0
  }
}
