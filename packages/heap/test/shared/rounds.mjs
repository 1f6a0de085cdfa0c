// Four workers work on one heap, and free the objects of each other. One is killed at a random moment, again and again.
// After each kill the others stop, and the main thread looks at all that is known. threads.test.ts runs this file on a
// backend, and reads what it prints.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { createMemory } from '@memlayer/core'
import { attachHeap, createHeap } from '@memlayer/heap'

const [backend, roundsText, seedText] = isMainThread ? process.argv.slice(2) : workerData
const { createOS } = await import(backend)
const memory = createMemory(createOS())
const workers = 4
/** Places for objects. Any worker fills an empty one, and frees what is in a full one. */
const places = 2000
// A place is 0, or a handle that all threads know, or minus a handle whose object a thread is about to free.
const RUN = 0
const STOPPED = 1

function randomFrom(seed) {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    // The low bits of such a state are hardly random.
    return Math.floor((state / 2 ** 32) * n)
  }
}

/** What an object holds: its bytes in its first word, and then bytes that follow from them. */
const fillOf = (handle, bytes) => 1 + ((handle + bytes) % 255)

function fill(heap, handle, bytes) {
  heap.u8.fill(fillOf(handle, bytes), handle * 8 + 4, handle * 8 + bytes)
  heap.i32[handle * 2] = bytes
}

function isWhole(heap, handle) {
  const bytes = heap.i32[handle * 2]
  if (!(bytes >= 4 && bytes <= heap.size(handle))) return false
  const wanted = fillOf(handle, bytes)
  for (let at = handle * 8 + 4; at < handle * 8 + bytes; at++) if (heap.u8[at] !== wanted) return false
  return true
}

if (isMainThread) console.log(JSON.stringify(await main(randomFrom(Number(seedText)))))
else parentPort.once('message', work)

/** What one worker does until it is killed, or told to end. */
function work({ token, table, control, seed }) {
  const heap = attachHeap(memory, token)
  const below = randomFrom(seed)
  parentPort.postMessage('ready')
  // From here on it makes no view: a thread over koffi that is terminated while it makes one takes the process along.
  for (;;) {
    for (let i = 0; i < 50; i++) step(heap, table, below)
    if (Atomics.load(control, 0) === RUN) continue
    Atomics.add(control, 1, 1)
    Atomics.notify(control, 1)
    if (Atomics.load(control, 2) === 1) break
    Atomics.wait(control, 0, STOPPED)
  }
  heap.destroy()
  parentPort.close()
}

function step(heap, table, below) {
  const at = below(places)
  const handle = Atomics.load(table, at)
  if (handle === 0) {
    const kind = below(100)
    const bytes = 4 + below(kind < 70 ? 200 : kind < 97 ? 5000 : 150_000)
    const made = heap.alloc(bytes)
    fill(heap, made, bytes)
    // Another thread may have filled it meanwhile.
    if (Atomics.compareExchange(table, at, 0, made) !== 0) heap.free(made)
  } else if (handle > 0 && Atomics.compareExchange(table, at, handle, -handle) === handle) {
    if (!isWhole(heap, handle)) throw new Error(`the object ${handle} does not hold what it should`)
    if (below(4) === 0) {
      const bytes = 4 + below(3000)
      const moved = heap.realloc(handle, bytes)
      fill(heap, moved, bytes)
      Atomics.store(table, at, moved)
      return
    }
    heap.free(handle)
    Atomics.store(table, at, 0)
  }
}

async function main(below) {
  const rounds = Number(roundsText)
  const heap = createHeap(memory, { name: 'rounds', maximum: 2 ** 27, threads: workers + 1 })
  const table = new Int32Array(new SharedArrayBuffer(places * 4))
  const control = new Int32Array(new SharedArrayBuffer(16))
  const found = { rounds, lost: 0, orphans: 0, objects: 0, threads: 0 }
  const start = async () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: [backend, roundsText, seedText] })
    worker.on('error', (error) => console.error(error))
    worker.postMessage({ token: heap.share(worker), table, control, seed: below(2 ** 31) })
    await once(worker, 'message')
    return worker
  }
  const all = []
  for (let i = 0; i < workers; i++) all.push(await start())
  for (let round = 0; round < rounds; round++) {
    const victim = below(workers)
    await sleep(below(12))
    await all[victim].terminate()
    await pause(control, workers - 1)
    expectSound(heap, table, found, round + 1)
    found.threads = Math.max(found.threads, heap.stats().threads)
    resume(control)
    all[victim] = await start()
  }
  Atomics.store(control, 2, 1)
  const ends = all.map((worker) => once(worker, 'exit'))
  await pause(control, workers)
  await Promise.all(ends)
  expectSound(heap, table, found, rounds)
  for (const handle of table) if (handle > 0) heap.free(handle)
  const left = heap.stats().objects
  let full
  try {
    heap.alloc(heap.maximum)
  } catch (error) {
    full = error.code
  }
  heap.check()
  const { used, live, spans, large } = heap.stats()
  // Each object that was lost keeps a span, or its pages.
  const isTight = spans + large.objects <= left && (left > 0 || used === 0) && live <= used
  heap.destroy()
  const isWithin = left <= rounds && found.lost === left
  return {
    ...found,
    left,
    isWithin,
    isTight,
    full,
    wasMuch: found.objects > places / 4,
    held: memory.stats().total.held,
  }
}

/** All workers stand still. */
async function pause(control, count) {
  Atomics.store(control, 1, 0)
  Atomics.store(control, 0, STOPPED)
  for (let tries = 0; Atomics.load(control, 1) < count; tries++) {
    if (tries > 20_000) throw new Error('a worker does not stop')
    await sleep(1)
  }
}

function resume(control) {
  Atomics.store(control, 0, RUN)
  Atomics.notify(control, 0)
}

/** Looks at all objects that are known. What a killed thread was about to free is decided: it is in use, or not. */
function expectSound(heap, table, found, killed) {
  heap.check()
  const known = table.filter((handle) => handle > 0)
  for (const [at, entry] of table.entries()) {
    if (entry >= 0) continue
    table[at] = 0
    // Its place may have gone to another object since.
    const isFreed = known.includes(-entry) || !heap.has(-entry)
    if (!isFreed) heap.free(-entry)
  }
  let end = 0
  for (const handle of known.toSorted()) {
    if (!isWhole(heap, handle)) throw new Error(`the object ${handle} does not hold what it should`)
    if (handle * 8 < end) throw new Error(`the object ${handle} lies in another one`)
    end = handle * 8 + heap.size(handle)
  }
  const { objects, orphans } = heap.stats()
  found.lost = objects - known.length
  found.orphans = Math.max(found.orphans, orphans)
  found.objects = Math.max(found.objects, known.length)
  if (found.lost < 0 || found.lost > killed) throw new Error(`${found.lost} objects were lost in ${killed} kills`)
}
