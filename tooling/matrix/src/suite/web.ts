// Tests the memories of os-js that only an option gives: shared ones, and those with 64-bit addresses. They run in
// browsers, in a page that is cross-origin isolated.
import { createMemory, UsageError, viewOffset } from 'memlayer'
import { createOS, wasmKernel, type WasmKernelOptions } from '@memlayer/os-js'
import { CHUNK_BYTES, equal, type Case } from './case.js'

/** Takes a range of such a memory through its life. */
function life(options: WasmKernelOptions): void {
  const own = createMemory(createOS({ kernel: wasmKernel(options) }))
  const stat = own.stat('web')
  const v = own.sysAlloc(4 * CHUNK_BYTES, stat)
  const buffer = own.os.view(v, CHUNK_BYTES)
  const bytes = new Uint8Array(buffer, viewOffset(buffer, v, CHUNK_BYTES), CHUNK_BYTES)
  bytes.fill(7)
  own.sysUnused(v, CHUNK_BYTES)
  own.sysUsed(v, CHUNK_BYTES)
  const again = own.os.view(v, CHUNK_BYTES)
  equal(new Uint8Array(again, viewOffset(again, v, CHUNK_BYTES), CHUNK_BYTES)[9], 7, 'bytes that were kept')
  equal(stat.load(), 4 * CHUNK_BYTES, 'the category')
  own.sysFree(v, 4 * CHUNK_BYTES, stat)
  own.check()
  equal(own.stats().total.held, 0, 'what is held at the end')
}

/** Cases for a browser. */
export const webCases: readonly Case[] = [
  {
    title: 'a range of a shared memory has a whole life, and its buffer is shared',
    run() {
      const kernel = wasmKernel({ shared: true, maximum: 64 })
      const own = createMemory(createOS({ kernel }))
      const v = own.sysAlloc(CHUNK_BYTES, null)
      equal(Object.prototype.toString.call(own.os.view(v, CHUNK_BYTES)), '[object SharedArrayBuffer]', 'the buffer')
      life({ shared: true, maximum: 64 })
    },
  },
  {
    title: 'a range of a 64-bit memory has a whole life, or the error says that the engine has none',
    run() {
      try {
        life({ address: 'i64', maximum: 64 })
      } catch (error) {
        if (!(error instanceof UsageError)) throw error
        equal(error.code, 'ERR_MEMLAYER_OPTION', 'the code')
      }
    },
  },
]
