// The memories of this thread, so that explain.ts can tell another memory's ranges from memory that nothing claims.
// A memory that is dropped is forgotten, and the ranges that it left belong to no memory.
import type { OwnedRange } from '../ledger/states.js'
import type { OS } from '../os.js'

/** A memory, as far as explain.ts looks at it. */
export interface Explained {
  readonly os: OS
  ranges(): OwnedRange[]
}

const known: Set<WeakRef<Explained>> = /* @__PURE__ */ new Set()

/** A memory was made. */
export function remember(memory: Explained): void {
  known.add(new WeakRef(memory))
}

/** The memories in use that this copy of the package made in this thread, without `memory`. */
export function othersThan(memory: Explained): Explained[] {
  const others: Explained[] = []
  for (const reference of known) {
    const other = reference.deref()
    if (other === undefined) known.delete(reference)
    else if (other !== memory) others.push(other)
  }
  return others
}
