// The memories for the tests, where WebAssembly alone does not provide them.
import { wasmKernel } from '@memlayer/os-js'
import { PAGE } from './shadow.js'

/** `'i64'` on an engine with 64-bit memories. Otherwise skips the test. */
export function wideAddress(ctx: { skip(note?: string): never }): 'i64' {
  try {
    wasmKernel({ address: 'i64', maximum: 1 })
  } catch {
    ctx.skip('needs 64-bit memories: run it with Node 24 or later')
  }
  return 'i64'
}

/** A memory of a module: made by it, exported, with data in its first pages. */
export function moduleMemory(pages: number, maximum: number): WebAssembly.Memory {
  const limits = [...leb128(pages), ...leb128(maximum)]
  const module = Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // \0asm, version 1
    ...[5, limits.length + 2, 1, 1, ...limits], // memory section: one, with a maximum
    ...[7, 5, 1, 1, 0x6d, 2, 0], // export section: "m" is memory 0
  )
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module))
  return exports['m'] as WebAssembly.Memory
}

/**
 * Runs `make` on an engine with discard of the memory-control proposal. It zeroes whole pages and refuses others.
 */
export function withDiscard<T>(
  make: () => T,
  discard: (this: WebAssembly.Memory, v: number, n: number) => void = zeroPages,
): T {
  const prototype = WebAssembly.Memory.prototype as { discard?: unknown }
  prototype.discard = discard
  try {
    return make()
  } finally {
    delete prototype.discard
  }
}

/** The effect of discard in the proposal. */
export function zeroPages(this: WebAssembly.Memory, v: number, n: number): void {
  if (v % PAGE !== 0 || n % PAGE !== 0) throw new WebAssembly.RuntimeError('unaligned discard')
  new Uint8Array(this.buffer, v, n).fill(0)
}

function leb128(n: number): number[] {
  return n < 128 ? [n] : [(n & 127) | 128, ...leb128(n >>> 7)]
}
