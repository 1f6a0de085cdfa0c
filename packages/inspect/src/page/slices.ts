// Long work in slices: between them the browser draws, scrolls and takes keys. A slice is a sixth of the 50 ms
// from which on people notice.
const SLICE = 8

/** Runs `work` slice by slice; null: it was overtaken, `isWanted` having said no. */
export async function inSlices<T>(work: Generator<void, T>, isWanted: () => boolean = () => true): Promise<T | null> {
  for (;;) {
    const until = performance.now() + SLICE
    do {
      const { done, value } = work.next()
      if (done === true) return value
    } while (performance.now() < until)
    await pause()
    if (!isWanted()) return null
  }
}

/** Lets the browser do what it has to. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}
