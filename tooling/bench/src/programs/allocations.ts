// Loops that allocate and free. Each allocator imports its own copy of this module. The engine then compiles the loops
// for that allocator alone, as in a program that uses only that one.

/** A way to allocate objects. */
export interface Allocator<T> {
  alloc(bytes: number): T
  free(object: T): void
}

/** The sizes and the order of a run. Their lengths are powers of two. */
export interface Plan {
  readonly sizes: Int32Array
  readonly order: Int32Array
}

/** Allocates 64 objects and frees the last one first, until there were `times` pairs. */
export function lifo<T>({ alloc, free }: Allocator<T>, { sizes }: Plan, objects: T[], times: number): void {
  const mask = sizes.length - 1
  for (let i = 0; i < times; i += 64) {
    for (let j = 0; j < 64; j++) objects[j] = alloc(sizes[(i + j) & mask] as number)
    for (let j = 63; j >= 0; j--) free(objects[j] as T)
  }
}

/** Frees the oldest object and allocates one in its place, `times` times. */
export function fifo<T>({ alloc, free }: Allocator<T>, { sizes }: Plan, objects: T[], times: number): void {
  const mask = sizes.length - 1
  const count = objects.length
  for (let i = 0, at = 0; i < times; i++) {
    free(objects[at] as T)
    objects[at] = alloc(sizes[i & mask] as number)
    at += 1
    if (at === count) at = 0
  }
}

/** Frees an object anywhere and allocates one in its place, `times` times. */
export function random<T>({ alloc, free }: Allocator<T>, { sizes, order }: Plan, objects: T[], times: number): void {
  const [mask, turn] = [sizes.length - 1, order.length - 1]
  for (let i = 0; i < times; i++) {
    const at = order[i & turn] as number
    free(objects[at] as T)
    objects[at] = alloc(sizes[i & mask] as number)
  }
}
