// Loops over elements. Each kind of buffer imports its own copy of this module. The engine then compiles the
// loops for that kind alone, as in a program that uses only that kind.

/** Adds up `count` elements, starting at `from`. */
export function readAll(elements: Float64Array, from: number, count: number): number {
  let sum = 0
  for (let i = from; i < from + count; i++) sum += elements[i] as number
  return sum
}

/** Writes `count` elements, starting at `from`. */
export function writeAll(elements: Float64Array, from: number, count: number): number {
  for (let i = from; i < from + count; i++) elements[i] = i
  return count
}

/** Adds up `count` elements in random order. The length must be a power of two. */
export function readAnywhere(elements: Float64Array, seed: number, count: number): number {
  const mask = elements.length - 1
  let sum = 0
  let state = seed | 1
  for (let i = 0; i < count; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    sum += elements[state & mask] as number
  }
  return sum
}

/** Writes `count` elements in random order. The length must be a power of two. */
export function writeAnywhere(elements: Float64Array, seed: number, count: number): number {
  const mask = elements.length - 1
  let state = seed | 1
  for (let i = 0; i < count; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    elements[state & mask] = i
  }
  return count
}
