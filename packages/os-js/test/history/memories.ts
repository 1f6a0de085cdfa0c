// The memories that the tests work in, where WebAssembly alone does not give them.
import { wasmKernel } from '@memlayer/os-js'
import { PAGE } from './shadow.js'

/** `'i64'`, where this engine has 64-bit memories; else the test is skipped. */
export function wideAddress(ctx: { skip(note?: string): never }): 'i64' {
  try {
    wasmKernel({ address: 'i64', maximum: 1 })
  } catch {
    ctx.skip('this engine has no 64-bit memories: run it with Node 24 or later')
  }
  return 'i64'
}

/** A memory as a module has it: made by it, exported, with data in its first pages. */
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

/** Runs `make` on an engine that has the memory-control proposal's discard: whole pages are zeroed, others refused. */
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

/** What the proposal says that discard does. */
export function zeroPages(this: WebAssembly.Memory, v: number, n: number): void {
  if (v % PAGE !== 0 || n % PAGE !== 0) throw new WebAssembly.RuntimeError('unaligned discard')
  new Uint8Array(this.buffer, v, n).fill(0)
}

function leb128(n: number): number[] {
  return n < 128 ? [n] : [(n & 127) | 128, ...leb128(n >>> 7)]
}
