// Two threads exchange objects over mailboxes that lie in the heap: each allocates, fills, hands over, and frees what
// the other made. threads.test.ts runs this file on a backend, and reads what it prints.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { createMemory } from '@memlayer/core'
import { attachHeap, createHeap } from '@memlayer/heap'

const [backend, turnsText] = isMainThread ? process.argv.slice(2) : workerData
const { createOS } = await import(backend)
const memory = createMemory(createOS())
const turns = Number(turnsText)
const boxes = 256

/** Takes what the other has put in a box and frees it, and puts an object of its own in another one. */
function exchange(heap, inbox, outbox, seed) {
  let state = seed
  const below = (n) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % n
  const counts = { made: 0, freed: 0, refused: 0, wrong: 0 }
  const take = (at) => {
    const handle = Atomics.exchange(heap.i32, at, 0)
    if (handle === 0) return
    const bytes = heap.view(handle)
    if (!bytes.every((byte) => byte === bytes[0]) || bytes[0] === 0) counts.wrong += 1
    heap.free(handle)
    counts.freed += 1
    // A second free is refused, unless the place went to another object already.
    if (!heap.has(handle) && codeOf(() => heap.free(handle)) !== undefined) counts.refused += 1
  }
  // Behind the boxes stands whether the thread that fills them is done. Both go on until the other one is.
  while (counts.made < turns || Atomics.load(heap.i32, inbox * 2 + boxes) === 0) {
    take(inbox * 2 + below(boxes))
    const at = outbox * 2 + below(boxes)
    if (counts.made === turns || Atomics.load(heap.i32, at) !== 0) continue
    const handle = heap.alloc(below(20) === 0 ? below(100_000) : 1 + below(500))
    heap.view(handle).fill(1 + below(255))
    counts.made += 1
    // Only this thread fills the box, so it is still empty.
    Atomics.store(heap.i32, at, handle)
    if (counts.made === turns) Atomics.store(heap.i32, outbox * 2 + boxes, 1)
  }
  return {
    counts,
    takeAll: () => {
      for (let i = 0; i < boxes; i++) take(inbox * 2 + i)
    },
  }
}

function codeOf(run) {
  try {
    run()
    return undefined
  } catch (error) {
    return error.code
  }
}

if (isMainThread) console.log(JSON.stringify(await main()))
else parentPort.once('message', work)

async function main() {
  const heap = createHeap(memory, { name: 'exchanged', maximum: 2 ** 26, threads: 4 })
  const worker = new Worker(new URL(import.meta.url), { workerData: [backend, turnsText] })
  worker.on('error', (error) => console.error(error))
  const next = () => new Promise((resolve) => worker.once('message', resolve))
  const [mine, its] = [heap.allocZeroed((boxes + 1) * 4), heap.allocZeroed((boxes + 1) * 4)]
  worker.postMessage({ token: heap.share(worker), mine, its })
  await next()
  const threads = heap.stats().threads
  const refusedDestroy = codeOf(() => heap.destroy())
  worker.postMessage('begin')
  const { counts, takeAll } = exchange(heap, mine, its, 7)
  const other = await next()
  heap.check()
  takeAll()
  worker.postMessage('end')
  const left = await next()
  heap.free(mine)
  heap.free(its)
  const { objects, orphans, threads: after } = heap.stats()
  heap.check()
  const full = codeOf(() => heap.alloc(heap.maximum))
  const { used } = heap.stats()
  heap.destroy()
  await worker.terminate()
  const sum = { made: counts.made + other.made, freed: counts.freed + left.counts.freed }
  const wrong = counts.wrong + left.counts.wrong
  const refused = counts.refused > 0 && left.counts.refused > 0
  return {
    threads,
    refusedDestroy,
    balance: sum.made - sum.freed,
    made: counts.made + other.made,
    wrong,
    refused,
    objects,
    orphans: orphans > 0,
    after,
    full,
    used,
    left: left.codes,
    held: memory.stats().total.held,
  }
}

function work({ token, mine, its }) {
  const heap = attachHeap(memory, token)
  const again = codeOf(() => attachHeap(memory, token))
  const share = codeOf(() => heap.share(new Worker('0', { eval: true })))
  parentPort.once('message', () => {
    const { counts, takeAll } = exchange(heap, its, mine, 11)
    parentPort.postMessage({ ...counts })
    parentPort.once('message', () => {
      takeAll()
      // Another thread has this one until it is released, also when it was empty.
      const kept = heap.alloc(16)
      heap.free(kept)
      heap.destroy()
      parentPort.postMessage({ counts, codes: [again, share, codeOf(() => heap.alloc(8))] })
    })
  })
  parentPort.postMessage('attached')
}
