// A user without the types of a browser and of Node.
import { createMemory, OutOfMemoryError } from '@memlayer/core'
import { createOS, wasmKernel, type JsOS, type WasmKernelOptions } from '@memlayer/os-js'

const options: WasmKernelOptions = { address: 'i64', maximum: 1024 }
const os: JsOS = createOS({ kernel: wasmKernel(options) })
const stop: () => void = os.onDetach(() => {})
stop()

export function bytes(n: number): Uint8Array | null {
  const memory = createMemory(os)
  try {
    const v = memory.sysAlloc(n, memory.stat('plain'))
    return new Uint8Array(memory.os.view(v, n), v, n)
  } catch (error) {
    if (error instanceof OutOfMemoryError) return null
    throw error
  }
}
