// Runs long work in slices, so that the browser can draw, scroll and take keys in between. People notice a delay from
// 50 ms on. A slice is a sixth of that.
/** Milliseconds of one slice. */
const SLICE = 8

/** Runs `work` slice by slice. Null: `isWanted` returned false, because newer work replaced this. */
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

/** Lets the browser do its own work. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}
