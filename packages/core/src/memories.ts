// The memories of this thread, so that explain.ts can tell another memory's ranges from memory that nobody
// claims. A memory that is dropped is forgotten; its ranges, if it left any, are then nobody's.
import type { Memory } from './memory.js'

const known: Set<WeakRef<Memory>> = new Set()

/** A memory was made. */
export function remember(memory: Memory): void {
  known.add(new WeakRef(memory))
}

/** The memories that were made in this thread by this copy of the package and are in use, without `memory`. */
export function othersThan(memory: Memory): Memory[] {
  const others: Memory[] = []
  for (const reference of known) {
    const other = reference.deref()
    if (other === undefined) known.delete(reference)
    else if (other !== memory) others.push(other)
  }
  return others
}
