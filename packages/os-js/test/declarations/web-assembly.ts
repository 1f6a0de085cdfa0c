// A user whose compiler knows WebAssembly. Its memories fit.
import { createOS, wasmKernel } from '@memlayer/os-js'

export const own = createOS({ kernel: wasmKernel({ memory: new WebAssembly.Memory({ initial: 1 }) }) })

export function over(instance: WebAssembly.Instance): ReturnType<typeof createOS> {
  const { memory, __heap_base: heapBase } = instance.exports
  if (!(memory instanceof WebAssembly.Memory) || !(heapBase instanceof WebAssembly.Global))
    throw new TypeError('no memory')
  return createOS({ kernel: wasmKernel({ memory, end: Number(heapBase.value) }) })
}

// @ts-expect-error A buffer is not a memory.
wasmKernel({ memory: new ArrayBuffer(65536) })
// @ts-expect-error There are two widths.
wasmKernel({ address: 'i128' })
