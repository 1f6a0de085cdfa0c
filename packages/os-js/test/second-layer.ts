// A worker's own layer, in a shared memory where other threads have theirs. It takes ranges, marks them, gives some
// back, and posts the rest in the end.
import { createMemory } from '@memlayer/core'
import { createOS, wasmKernel } from '@memlayer/os-js'
import { parentPort, workerData } from 'node:worker_threads'

const PAGE = 65536
const { wasm, start, tag, rounds } = workerData as {
  wasm: WebAssembly.Memory
  start: Int32Array
  tag: number
  rounds: number
}

const memory = createMemory(createOS({ kernel: wasmKernel({ memory: wasm }) }))
const held: [number, number][] = []
// All threads start together.
Atomics.add(start, 0, 1)
Atomics.notify(start, 0)
while (Atomics.load(start, 0) < Atomics.load(start, 1)) Atomics.wait(start, 0, Atomics.load(start, 0), 10)
for (let i = 0; i < rounds; i++) {
  const n = PAGE * (1 + (i % 3))
  const v = memory.sysAlloc(n, null)
  const bytes = new Uint8Array(memory.os.view(v, n), v, n)
  if (bytes.some((byte) => byte !== 0)) throw new Error(`${v} is not zero`)
  bytes.fill(tag)
  held.push([v, n])
  if (i % 4 === 3) {
    const [at, size] = held.splice(i % held.length, 1)[0] ?? [0, 0]
    memory.sysFree(at, size, null)
  }
}
memory.check()
parentPort?.postMessage(held)
