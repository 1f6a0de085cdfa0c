// Workers that make, share and drop regions, and end in every way. churn.test.ts runs this file and reads what is left.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-engine'

const MiB = 2 ** 20
const size = 32 * MiB
// How many workers there are, when this is the main thread.
const workers = Number(process.argv[2] ?? 0)
const resident = () => Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[1]) * 4096

/** What a worker does, by its number. */
function live({ number, theirs }) {
  const memory = createMemory(createOS())
  const region = memory.reserve(size)
  region.commit(0, size)
  const own = region.view(Uint8Array, 0, size).fill(number + 1)
  theirs[number] = 7
  parentPort.postMessage(own.subarray(0, MiB))
  if (number % 4 === 0) region.free()
  if (number % 4 === 1) throw new Error('a worker ends by an error')
  if (number % 4 === 2) process.exit(0)
  // The fourth kind is idle until it is terminated. Deno keeps all memory of one that is terminated in Atomics.wait,
  // of whatever kind.
  if (number % 4 === 3) setInterval(() => undefined, 1000)
}

async function round(first, count) {
  const memory = createMemory(createOS())
  const region = memory.reserve(MiB)
  region.commit()
  const theirs = region.view(Uint8Array, 0, MiB)
  let right = 0
  for (let number = first; number < first + count; number++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: { number: number % 200, theirs } })
    const ended = new Promise((resolve) => {
      worker.on('error', () => undefined)
      worker.on('exit', resolve)
    })
    const view = await new Promise((resolve) => worker.once('message', resolve))
    if (number % 4 === 3) await worker.terminate()
    await ended
    // The pages of a worker that ended are there as long as the view is: its bytes, or zeroes where it freed them.
    const expected = number % 4 === 0 ? 0 : (number % 200) + 1
    if (theirs[number % 200] === 7 && view[0] === expected && view[MiB - 1] === expected) right += 1
  }
  region.free()
  return right
}

if (isMainThread) {
  // V8 takes an argument of true for a collection of young objects alone.
  const collect = globalThis.gc ?? (() => globalThis.Bun.gc(true))
  const settle = async () => {
    for (let i = 0; i < 5; i++) {
      collect()
      await sleep(50)
    }
  }
  const warm = await round(0, 16)
  await settle()
  const before = resident()
  const right = await round(0, workers)
  await settle()
  console.log(JSON.stringify({ warm, right, grownMiB: (resident() - before) / MiB }))
} else live(workerData)
