// Zeroes by hand, where the kernel keeps pages or promises none. Backends share it.
import type { Address, HostServices } from './port.js'
import { viewOffset } from './view.js'

/** Zeroes that are written at once. */
const bytesMax = 2 ** 20

/** Writes zeroes over [v, v+n), which can be touched: by `write` where the port has it, else in views of it. */
export function writeZeroes(
  kernel: Pick<HostServices, 'write'> & { view(addr: Address, length: number): ArrayBuffer },
  v: Address,
  n: number,
): void {
  const zeroes = new Uint8Array(Math.min(n, bytesMax))
  for (let at = v; at < v + n; at += zeroes.length) {
    const part = zeroes.subarray(0, Math.min(zeroes.length, v + n - at))
    if (kernel.write !== undefined) kernel.write(at, part)
    else {
      const buffer = kernel.view(at, part.length)
      new Uint8Array(buffer, viewOffset(buffer, at, part.length), part.length).fill(0)
    }
  }
}
