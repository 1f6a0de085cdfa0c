// The port: one method for each of the few memory calls of my-os. A call returns its value or a negative error number,
// and never throws. Below it is one ArrayBuffer, which is enough memory to begin with. Replace it with your system.
import type { Address } from '@memlayer/kernel'
import { EINVAL, ENOMEM, PAGE } from './defs.js'

/** The calls of my-os. */
export interface CustomKernel {
  /** The names of the calls that can be refused. Tests use them to record calls and to make them fail. */
  readonly kernelCalls: readonly string[]
  /** Bytes in a page: a power of two. */
  readonly pageSize: number
  /** Takes zeroed pages of `n` bytes. Returns their address, or a negative error number. */
  take(n: number): number
  /** Gives pages back. Returns 0, or a negative error number. */
  give(v: Address, n: number): number
  /** The whole memory. Address 0 is offset 0. */
  view(v: Address, n: number): ArrayBuffer
  /** Detaches the buffer that `view` returned. The bytes stay. */
  detach(): void
}

/** Makes a kernel over an ArrayBuffer of `size` bytes. */
export function arrayKernel(size: number = 64 * 2 ** 20): CustomKernel {
  return new ArrayKernel(size)
}

class ArrayKernel implements CustomKernel {
  readonly kernelCalls: readonly string[] = ['take', 'give']
  readonly pageSize: number = PAGE
  #bytes: ArrayBuffer
  // One byte per page: 1 is taken. Page 0 is never handed out, because address 0 means that there is no address.
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
