// Does a random history on one region beside a shadow of its chunks, and compares states and bytes. The message of a
// failure contains the seed.
import { freshMemory, CHUNK_BYTES, equal, type Case } from './case.js'

const CHUNK_COUNT = 64
const OPERATIONS = 4000

type State = 'Reserved' | 'Prepared' | 'Ready'

/** Makes a case of random operations. The seed decides all of them. */
export function historyCase(seed: number): Case {
  return {
    title: `after ${OPERATIONS} random operations the region is as the shadow says`,
    run() {
      try {
        live(seed)
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
      }
    },
  }
}

function live(seed: number): void {
  const memory = freshMemory()
  const region = memory.reserve(CHUNK_COUNT * CHUNK_BYTES, { name: 'history' })
  const states = Array.from({ length: CHUNK_COUNT }, (): State => 'Reserved')
  const values = Array.from({ length: CHUNK_COUNT }, () => 0)
  const below = source(seed)
  for (let i = 0; i < OPERATIONS; i++) {
    const from = below(CHUNK_COUNT)
    const to = Math.min(CHUNK_COUNT, from + 1 + below(8))
    const [offset, length] = [from * CHUNK_BYTES, (to - from) * CHUNK_BYTES]
    const all = (...allowed: State[]): boolean => states.slice(from, to).every((state) => allowed.includes(state))
    const operation = below(4)
    if (operation === 0) {
      region.commit(offset, length)
      for (let at = from; at < to; at++) {
        // On some hosts, a page still has its old bytes when it returns after unused.
        if (states[at] !== 'Ready') values[at] = region.view(Uint8Array, at * CHUNK_BYTES, 1)[0] ?? -1
        if (states[at] !== 'Ready' && memory.os.traits.unusedDropsContents)
          equal(values[at], 0, `chunk ${at} after commit`)
        states[at] = 'Ready'
      }
    } else if (operation === 1 && all('Ready')) {
      const value = 1 + below(250)
      region.view(Uint8Array, offset, length).fill(value)
      values.fill(value, from, to)
    } else if (operation === 2 && all('Ready')) {
      region.unused(offset, length)
      states.fill('Prepared', from, to)
    } else if (operation === 3 && all('Ready', 'Prepared') && below(4) === 0) {
      region.fault(offset, length)
      states.fill('Reserved', from, to)
    }
    const at = below(CHUNK_COUNT)
    if (states[at] === 'Ready')
      equal([...region.view(Uint8Array, at * CHUNK_BYTES + CHUNK_BYTES - 1, 1)], [values[at]], `chunk ${at}`)
  }
  const count = (state: State): number => states.filter((one) => one === state).length * CHUNK_BYTES
  const { reserved, prepared, ready } = memory.stats().total
  equal([reserved, prepared, ready], [count('Reserved'), count('Prepared'), count('Ready')], 'the account')
  memory.check()
  region.free()
}

/** Returns a random number generator, mulberry32. */
function source(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (state + 0x6d2b79f5) | 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 0) % n
  }
}
