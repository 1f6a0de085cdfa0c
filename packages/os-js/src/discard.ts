// WebAssembly.Memory.prototype.discard, where an engine has it. Engines implemented two drafts of it: a count of
// pages from the end, or an offset and a length. So it is used only after a trial zeroed the middle page of three.
import type { Address } from '@memlayer/kernel'
import { PAGE_SIZE } from './defs.js'
import type { WasmMemory } from './wasm-memory.js'

type Discard = (addr: Address, length: number) => number

/** Gives the memory of whole pages of a WebAssembly memory back. They read zero then. False: it can't. */
export type DiscardPages = (buffer: ArrayBufferLike, offset: number, length: number) => boolean

/**
 * The function that gives pages of `memory` back. `null` when this engine can't. `scratch` makes three pages of the
 * same kind. `given` does it in the engine's place.
 */
export function discardOf(memory: WasmMemory, scratch: () => WasmMemory, given?: DiscardPages): Discard | null {
  if (given !== undefined) return byFunction(memory, scratch, given)
  const discard = memory.discard
  if (typeof discard !== 'function') return null
  // The drafts also differ in the type that a 64-bit memory takes.
  for (const as of [Number, BigInt]) {
    if (!isSeenToWork(scratch, (three) => three.discard?.(as(PAGE_SIZE), as(PAGE_SIZE)))) continue
    return (addr, length) => {
      try {
        discard.call(memory, as(addr), as(length))
        return 0
      } catch {
        return -1
      }
    }
  }
  return null
}

function byFunction(memory: WasmMemory, scratch: () => WasmMemory, given: DiscardPages): Discard | null {
  const works = isSeenToWork(scratch, (three) => given(three.buffer, PAGE_SIZE, PAGE_SIZE))
  return works ? (addr, length) => (given(memory.buffer, addr, length) ? 0 : -1) : null
}

/** Whether the middle page of three is zeroed, and no other one. */
function isSeenToWork(scratch: () => WasmMemory, discardMiddle: (three: WasmMemory) => unknown): boolean {
  try {
    const three = scratch()
    new Uint8Array(three.buffer).fill(1)
    void discardMiddle(three)
    const bytes = new Uint8Array(three.buffer)
    return (
      bytes.length === 3 * PAGE_SIZE && bytes.every((byte, at) => byte === (Math.floor(at / PAGE_SIZE) === 1 ? 0 : 1))
    )
  } catch {
    return false
  }
}
