// The port: the few calls that my-os has for memory, one method each, which return their value or minus an
// error number and never throw. Below it stands one ArrayBuffer, which is memory enough to begin with: put
// your system in its place.
import type { Address } from '@memlayer/kernel'
import { EINVAL, ENOMEM, PAGE } from './defs.js'

/** The calls of my-os. */
export interface CustomKernel {
  /** The calls that can be refused, by name: so that tests can record them and make them fail. */
  readonly kernelCalls: readonly string[]
  /** Bytes in a page. A power of two. */
  readonly pageSize: number
  /** Zeroed pages, `n` bytes of them; their address, or minus an error number. */
  take(n: number): number
  /** Takes pages back; 0, or minus an error number. */
  give(v: Address, n: number): number
  /** The whole memory, in which address 0 is offset 0. */
  view(v: Address, n: number): ArrayBuffer
  /** Detaches what `view` returned; the bytes stay. */
  detach(): void
}

/** A kernel over an ArrayBuffer of `size` bytes. */
export function arrayKernel(size: number = 64 * 2 ** 20): CustomKernel {
  return new ArrayKernel(size)
}

class ArrayKernel implements CustomKernel {
  readonly kernelCalls: readonly string[] = ['take', 'give']
  readonly pageSize: number = PAGE
  #bytes: ArrayBuffer
  // A byte a page: 1 is taken. Page 0 is never handed out: address 0 is no address.
  readonly #taken: Uint8Array

  constructor(size: number) {
    this.#bytes = new ArrayBuffer(size)
    this.#taken = new Uint8Array(size / PAGE)
    this.#taken[0] = 1
  }

  take(n: number): number {
    const count = Math.ceil(n / PAGE)
    for (let page = 1, run = 0; page < this.#taken.length; page++) {
      run = this.#taken[page] === 0 ? run + 1 : 0
      if (run < count) continue
      const first = page - count + 1
      this.#taken.fill(1, first, page + 1)
      return first * PAGE
    }
    return -ENOMEM
  }

  give(v: Address, n: number): number {
    const [first, end] = [v / PAGE, Math.ceil((v + n) / PAGE)]
    if (!Number.isInteger(first) || this.#taken.subarray(first, end).includes(0)) return -EINVAL
    new Uint8Array(this.#bytes, v, n).fill(0)
    this.#taken.fill(0, first, end)
    return 0
  }

  view(_v: Address, _n: number): ArrayBuffer {
    return this.#bytes
  }

  detach(): void {
    this.#bytes = this.#bytes.transfer()
  }
}
