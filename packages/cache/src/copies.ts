// Copies of values, for `get`. Small ones share a buffer, as those of Node's Buffer.from do, because a buffer for each
// costs the engine four times what the copy does. A shared buffer can't be transferred: that would take the others too.

/** Copies up to `sharedMax` bytes lie together in slabs of `slabBytes`. One that is kept keeps its slab. */
const slabBytes = 16_384
const sharedMax = 2048

interface Host {
  readonly process?: { getBuiltinModule?(id: string): Threads | undefined }
}

interface Threads {
  readonly markAsUntransferable?: (buffer: ArrayBuffer) => void
}

/** Makes copies. */
export class Copies {
  readonly #mark: ((buffer: ArrayBuffer) => void) | undefined
  #slab: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #used = slabBytes

  constructor() {
    const host = globalThis as Host
    this.#mark = host.process?.getBuiltinModule?.('node:worker_threads')?.markAsUntransferable
  }

  /** A copy of the bytes from `start` to `end`. */
  of(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
    const length = end - start
    if (length > sharedMax || this.#mark === undefined) return copyAlone(bytes, start, end)
    if (this.#used + length > slabBytes) this.#renew(this.#mark)
    const at = this.#used
    this.#used = (at + length + 7) & ~7
    this.#slab.set(bytes.subarray(start, end), at)
    return new Uint8Array(this.#slab.buffer, at, length)
  }

  #renew(mark: (buffer: ArrayBuffer) => void): void {
    this.#slab = new Uint8Array(slabBytes)
    mark(this.#slab.buffer)
    this.#used = 0
  }
}

function copyAlone(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(end - start)
  copy.set(bytes.subarray(start, end))
  return copy
}
