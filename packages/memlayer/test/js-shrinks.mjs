// A WebAssembly memory of os-js whose pages go back by foreign calls. js-shrinks.test.ts runs this file on each engine
// and reads the facts that it prints.
import { createMemory } from '@memlayer/core'
import { adopt, discardPages } from '@memlayer/os-engine'
import { createOS, wasmKernel } from '@memlayer/os-js'

const MiB = 2 ** 20
const facts = []
for (const options of [{}, { shared: true, maximum: 4096 }]) {
  const kernel = wasmKernel({ ...options, discard: discardPages })
  const memory = createMemory(createOS({ kernel }))
  const region = memory.reserve(64 * MiB)
  region.commit()
  region.view(Uint8Array).fill(7)
  const resident = () => adopt(kernel.view(region.address, region.size)).resident(region.address, region.size)
  const full = resident()
  const kept = region.view(Uint8Array, 48 * MiB, MiB)
  region.unused(0, 32 * MiB)
  const half = resident()
  region.commit(0, MiB)
  const again = region.view(Uint8Array, 0, MiB).every((byte) => byte === 0)
  const others = region.view(Uint8Array, 32 * MiB, 32 * MiB).every((byte) => byte === 7)
  region.free()
  memory.check()
  const { unusedReturnsMemory } = memory.os.traits
  const keptLength = kept.length
  facts.push({ full, half, again, others, freed: resident(), unusedReturnsMemory, keptLength })
}
console.log(JSON.stringify(facts))
