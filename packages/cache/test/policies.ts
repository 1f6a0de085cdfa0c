// Policies of eviction over keys that are whole numbers and entries of one size: what the cache's own is held against.
// A policy is a function: whether a key was there, with its room for `capacity` keys.

/** Asks for a key, and puts it there. Returns whether it was there. */
export type Ask = (key: number) => boolean

/** The key that was used longest ago goes first. */
export function lru(capacity: number): Ask {
  const keys = new Set<number>()
  return (key) => {
    const isHit = keys.delete(key)
    keys.add(key)
    if (keys.size > capacity) keys.delete(first(keys))
    return isHit
  }
}

/** SIEVE (Zhang et al., NSDI 2024): one queue, one bit, and a hand that moves from the oldest key to newer ones. */
export function sieve(capacity: number): Ask {
  const visited = new Map<number, boolean>()
  let hand: Iterator<[number, boolean]> = visited.entries()
  const evict = (): void => {
    for (;;) {
      const step = hand.next()
      if (step.done === true) {
        hand = visited.entries()
        continue
      }
      const [key] = step.value
      if (visited.get(key) === true) visited.set(key, false)
      else {
        visited.delete(key)
        return
      }
    }
  }
  return (key) => {
    if (visited.has(key)) {
      visited.set(key, true)
      return true
    }
    if (visited.size >= capacity) evict()
    visited.set(key, false)
    return false
  }
}

/** S3-FIFO (Yang et al., SOSP 2023): a small queue, a main one, and a ghost of the keys that left the small one. */
export function s3fifo(capacity: number, smallPart = 0.1, needed = 1): Ask {
  const [small, main, ghost] = [new Map<number, number>(), new Map<number, number>(), new Set<number>()]
  const smallMax = Math.max(1, Math.floor(capacity * smallPart))
  const evictMain = (): void => {
    for (;;) {
      const key = first(main)
      const uses = main.get(key) as number
      main.delete(key)
      if (uses === 0) return
      main.set(key, uses - 1)
    }
  }
  const evictSmall = (): boolean => {
    const key = first(small)
    const uses = small.get(key) as number
    small.delete(key)
    if (uses >= needed) {
      main.set(key, 0)
      return false
    }
    ghost.add(key)
    if (ghost.size > capacity - smallMax) ghost.delete(first(ghost))
    return true
  }
  const evict = (): void => {
    while (small.size > 0 && (small.size >= smallMax || main.size === 0)) if (evictSmall()) return
    evictMain()
  }
  return (key) => {
    const queue = small.has(key) ? small : main
    const uses = queue.get(key)
    if (uses !== undefined) {
      queue.set(key, Math.min(3, uses + 1))
      return true
    }
    const wasGhost = ghost.delete(key)
    while (small.size + main.size >= capacity) evict()
    ;(wasGhost ? main : small).set(key, 0)
    return false
  }
}

/** W-TinyLFU (Einziger et al., 2017), as Caffeine has it: a window, a segmented LRU, and a sketch of frequencies. */
export function tinyLfu(capacity: number, windowPart = 0.01): Ask {
  const [window, probation, guarded] = [new Set<number>(), new Set<number>(), new Set<number>()]
  const windowMax = Math.max(1, Math.floor(capacity * windowPart))
  const mainMax = capacity - windowMax
  const guardedMax = Math.floor(mainMax * 0.8)
  const sketch = new Sketch(capacity)
  const admit = (candidate: number): void => {
    if (probation.size + guarded.size < mainMax) return void probation.add(candidate)
    const victim = first(probation.size > 0 ? probation : guarded)
    if (sketch.of(candidate) <= sketch.of(victim)) return
    if (!probation.delete(victim)) guarded.delete(victim)
    probation.add(candidate)
  }
  const protect = (key: number): void => {
    guarded.add(key)
    if (guarded.size <= guardedMax) return
    const demoted = first(guarded)
    guarded.delete(demoted)
    probation.add(demoted)
  }
  return (key) => {
    sketch.add(key)
    if (window.delete(key)) return Boolean(window.add(key))
    if (guarded.delete(key)) return Boolean(guarded.add(key))
    if (probation.delete(key)) {
      protect(key)
      return true
    }
    window.add(key)
    if (window.size > windowMax) {
      const candidate = first(window)
      window.delete(candidate)
      admit(candidate)
    }
    return false
  }
}

/** Counts of up to 15, four for each key, of which the least counts. All are halved after 10 * capacity additions. */
class Sketch {
  readonly #counts: Uint8Array
  readonly #mask: number
  readonly #period: number
  #added = 0

  constructor(capacity: number) {
    this.#counts = new Uint8Array(4 * 2 ** Math.ceil(Math.log2(capacity)))
    this.#mask = this.#counts.length - 1
    this.#period = 10 * capacity
  }

  add(key: number): void {
    const counts = this.#counts
    for (let row = 0; row < 4; row++) {
      const at = this.#at(key, row)
      if ((counts[at] as number) < 15) counts[at] = (counts[at] as number) + 1
    }
    this.#added += 1
    if (this.#added < this.#period) return
    this.#added /= 2
    for (let at = 0; at < counts.length; at++) counts[at] = (counts[at] as number) >> 1
  }

  of(key: number): number {
    let least = 15
    for (let row = 0; row < 4; row++) least = Math.min(least, this.#counts[this.#at(key, row)] as number)
    return least
  }

  #at(key: number, row: number): number {
    let word = Math.imul(key ^ (row * 0x9e3779b9), 0x85ebca6b)
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
    return (word ^ (word >>> 16)) & this.#mask
  }
}

function first<T>(keys: (Iterable<T> & { keys(): IterableIterator<T> }) | Map<T, unknown>): T {
  return keys.keys().next().value as T
}
