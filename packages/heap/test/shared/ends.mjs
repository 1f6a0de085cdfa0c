// What a worker leaves on the other threads: when it drops a heap, when it has many one after the other, and when it
// writes through the buffer of a view. threads.test.ts runs this file on a backend, and reads what it prints.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { createMemory } from '@memlayer/core'
import { attachHeap, createHeap } from '@memlayer/heap'

const backend = isMainThread ? process.argv[2] : workerData
const { createOS } = await import(backend)
const memory = createMemory(createOS())

function codeOf(run) {
  try {
    run()
    return 'done'
  } catch (error) {
    return error.code ?? String(error)
  }
}

async function ask(worker, message) {
  worker.postMessage(message)
  const [answer] = await once(worker, 'message')
  return answer
}

function start() {
  return new Worker(new URL(import.meta.url), { workerData: backend })
}

/** A worker drops the same heap again and again, and never destroys it. */
async function drops() {
  const heap = createHeap(memory, { maximum: 2 ** 20, threads: 3 })
  const worker = start()
  for (let i = 0; i < 6; i++) await ask(worker, { what: 'drop', token: heap.share(worker) })
  const { threads } = heap.stats()
  heap.check()
  await worker.terminate()
  heap.destroy()
  return threads
}

/** A worker has many heaps, some of them at once. */
async function listens() {
  const worker = start()
  await ask(worker, { what: 'nothing' })
  const before = worker.listenerCount('exit')
  let most = 0
  for (let i = 0; i < 4; i++) {
    const heaps = Array.from({ length: 12 }, () => createHeap(memory, { maximum: 2 ** 17, threads: 2 }))
    for (const heap of heaps) await ask(worker, { what: 'use', token: heap.share(worker) })
    most = Math.max(most, worker.listenerCount('exit') - before)
    for (const heap of heaps) heap.destroy()
  }
  // What is left belongs to the memory: one for all of its shares.
  const left = worker.listenerCount('exit') - before
  await worker.terminate()
  return { most, left }
}

/** A worker fills the buffer of a view, in place of the view, and ends. */
async function overwrites() {
  const heap = createHeap(memory, { maximum: 2 ** 20, threads: true })
  const handle = heap.alloc(64)
  const worker = start()
  await ask(worker, { what: 'overwrite', token: heap.share(worker) })
  const codes = [
    codeOf(() => heap.check()),
    codeOf(() => heap.alloc(16)),
    codeOf(() => heap.alloc(200_000)),
    codeOf(() => heap.stats()),
    codeOf(() => heap.free(handle)),
    codeOf(() => heap.has(handle)),
  ]
  await worker.terminate()
  heap.destroy()
  return codes
}

/** The program finds the region of a heap, and frees it. */
async function freesRegion() {
  const heap = createHeap(memory, { name: 'found', maximum: 2 ** 20, threads: true })
  const handles = [heap.alloc(64), heap.alloc(200_000)]
  const worker = start()
  heap.share(worker)
  memory
    .regions()
    .find(({ name }) => name === 'found')
    .free()
  const calls = [
    () => heap.alloc(200_000),
    () => heap.free(handles[1]),
    () => heap.u8,
    () => heap.check(),
    () => heap.share(worker),
    () => heap.destroy(),
  ]
  const codes = calls.map(codeOf)
  await worker.terminate()
  return codes
}

const works = {
  nothing: () => undefined,
  use({ token }) {
    const heap = attachHeap(memory, token)
    heap.free(heap.alloc(100))
    heap.destroy()
  },
  async drop({ token }) {
    attachHeap(memory, token).alloc(8)
    for (let i = 0; i < 6; i++) {
      globalThis.gc()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  },
  overwrite({ token }) {
    const heap = attachHeap(memory, token)
    Buffer.from(heap.view(heap.alloc(16)).buffer).fill(3)
  },
}

if (isMainThread) {
  const found = { drops: await drops(), listens: await listens(), overwrites: await overwrites() }
  found.freesRegion = await freesRegion()
  console.log(JSON.stringify({ ...found, held: memory.stats().total.held }))
} else {
  parentPort.on('message', (message) => {
    void Promise.resolve(works[message.what](message)).then(() => parentPort.postMessage('done'))
  })
}
