// The port of the worked example in packages/docs/porting.md. A resizable ArrayBuffer has one call for memory, and the
// buffer itself is below it.
import type { Address } from '@memlayer/kernel'

/** A kernel whose memory is one resizable ArrayBuffer. */
export interface ResizableKernel {
  /** The names of the calls that can be refused. Tests use them to record calls and to make them fail. */
  readonly kernelCalls: readonly string[]
  /** Bytes in a page. */
  readonly pageSize: number
  /**
   * Moves the end of memory. Returns 0, or a negative error number. Bytes beyond the new end go back to the system, and
   * new bytes are zero.
   */
  resize(bytes: number): number
  /** Zeroes bytes. */
  clear(v: Address, n: number): void
  /** The whole memory. Address 0 is offset 0. */
  view(v: Address, n: number): ArrayBuffer
  /** Detaches the buffer that `view` returned. The bytes stay. */
  detach(): void
}

const ENOMEM = 12

/** Makes a kernel over an ArrayBuffer that grows up to `maximum` bytes. Only written pages cost memory. */
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
    // The new buffer is resizable too, with the same maximum.
    this.#bytes = this.#bytes.transfer()
  }
}
