// Stops a call of a shared heap at one of its atomic operations: to end its thread there, or to let another one run.

/** What ends a thread here. */
export class Killed extends Error {}

// A thread that ends at a load is one that ends after the write before it.
const writes = ['store', 'or', 'and', 'exchange', 'compareExchange'] as const
const all = [...writes, 'load'] as const
type Name = (typeof all)[number]
type Operation = (...args: unknown[]) => unknown

const originals = Object.fromEntries(all.map((name) => [name, Atomics[name]])) as unknown as Record<Name, Operation>

/** Runs `run`, whose atomic operations go through `through`. */
function runThrough(names: readonly Name[], through: (original: () => unknown) => unknown, run: () => void): void {
  for (const name of names)
    Object.assign(Atomics, { [name]: (...args: unknown[]) => through(() => originals[name](...args)) })
  try {
    run()
  } finally {
    Object.assign(Atomics, originals)
  }
}

/**
 * Runs `run`, whose k-th write is its last step: `isDone` says whether that is done as well. False: it has fewer, and
 * was not killed.
 */
export function killAt(k: number, isDone: boolean, run: () => void): boolean {
  let steps = 0
  const through = (original: () => unknown): unknown => {
    steps += 1
    if (steps < k) return original()
    if (steps === k && isDone) original()
    throw new Killed()
  }
  try {
    runThrough(writes, through, run)
    return false
  } catch (error) {
    if (error instanceof Killed) return true
    throw error
  }
}

/** Runs `run`, and `other` before its k-th atomic operation. False: it has fewer, and `other` did not run. */
export function switchAt(k: number, other: () => void, run: () => void): boolean {
  let steps = 0
  const through = (original: () => unknown): unknown => {
    steps += 1
    if (steps === k) other()
    return original()
  }
  runThrough(all, through, run)
  return steps >= k
}
