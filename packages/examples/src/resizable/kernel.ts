// The port of the worked example in packages/docs/porting.md: the one call that a resizable ArrayBuffer has
// for memory, and the buffer itself below it.
import type { Address } from '@memlayer/kernel'

/** A kernel whose memory is one resizable ArrayBuffer. */
export interface ResizableKernel {
  /** The calls that can be refused, by name: so that tests can record them and make them fail. */
  readonly kernelCalls: readonly string[]
  /** Bytes in a page. */
  readonly pageSize: number
  /** Moves the end of memory; 0, or minus an error number. What is beyond the end goes back to the system, what is new is zero. */
  resize(bytes: number): number
  /** Zeroes bytes. */
  clear(v: Address, n: number): void
  /** The whole memory, in which address 0 is offset 0. */
  view(v: Address, n: number): ArrayBuffer
  /** Detaches what `view` returned; the bytes stay. */
  detach(): void
}

const ENOMEM = 12

/** A kernel over an ArrayBuffer that grows up to `maximum` bytes: address space, of which only what is written costs memory. */
export function resizableKernel(maximum: number = 2 ** 30): ResizableKernel {
  return new BufferKernel(maximum)
}

class BufferKernel implements ResizableKernel {
  readonly kernelCalls: readonly string[] = ['resize']
  readonly pageSize: number = 4096
  #bytes: ArrayBuffer

  constructor(maximum: number) {
    this.#bytes = new ArrayBuffer(0, { maxByteLength: maximum })
  }

  resize(bytes: number): number {
    if (bytes > this.#bytes.maxByteLength) return -ENOMEM
    try {
      this.#bytes.resize(bytes)
      return 0
    } catch {
      // The engine can't get the pages.
      return -ENOMEM
    }
  }

  clear(v: Address, n: number): void {
    new Uint8Array(this.#bytes, v, n).fill(0)
  }

  view(_v: Address, _n: number): ArrayBuffer {
    return this.#bytes
  }

  detach(): void {
    // It goes on being resizable, with the same maximum.
    this.#bytes = this.#bytes.transfer()
  }
}
