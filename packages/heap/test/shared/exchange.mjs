// Two threads exchange objects over mailboxes that lie in the heap: each allocates, fills, hands over, and frees what
// the other made. Then both free the same objects at once. threads.test.ts runs this file on a backend, and reads what
// it prints.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { createMemory } from '@memlayer/core'
import { attachHeap, createHeap } from '@memlayer/heap'

const [backend, turnsText] = isMainThread ? process.argv.slice(2) : workerData
const { createOS } = await import(backend)
const memory = createMemory(createOS())
const turns = Number(turnsText)
const boxes = 256
/** Behind the boxes: whether the thread that fills them is done, and whether it is about to free what both have. */
const boxWords = boxes + 2
const deadline = Date.now() + turns + 30_000

/** What a thread does with the boxes that the other fills, and with those that it fills itself. */
class Partner {
  counts = { made: 0, freed: 0, wrong: 0 }
  /** @readonly */
  #heap
  /** @readonly */
  #inbox
  /** @readonly */
  #outbox
  #state

  constructor(heap, inbox, outbox, seed) {
    this.#heap = heap
    this.#inbox = inbox * 2
    this.#outbox = outbox * 2
    this.#state = seed
  }

  #below(n) {
    this.#state = (Math.imul(this.#state, 1103515245) + 12345) >>> 0
    // The low bits of such a state are hardly random.
    return Math.floor((this.#state / 2 ** 32) * n)
  }

  #take(at) {
    const heap = this.#heap
    const handle = Atomics.exchange(heap.i32, at, 0)
    if (handle === 0) return
    const bytes = heap.view(handle)
    if (!bytes.every((byte) => byte === bytes[0]) || bytes[0] === 0) this.counts.wrong += 1
    heap.free(handle)
    this.counts.freed += 1
  }

  /** Goes on until both have made all of their objects. */
  exchange() {
    const { i32 } = this.#heap
    const { counts } = this
    while (counts.made < turns || Atomics.load(i32, this.#inbox + boxes) === 0) {
      expectTime()
      this.#take(this.#inbox + this.#below(boxes))
      const at = this.#outbox + this.#below(boxes)
      if (counts.made === turns || Atomics.load(i32, at) !== 0) continue
      const handle = this.#heap.alloc(this.#below(20) === 0 ? this.#below(100_000) : 1 + this.#below(500))
      this.#heap.view(handle).fill(1 + this.#below(255))
      counts.made += 1
      // Only this thread fills the box, so it is still empty.
      Atomics.store(i32, at, handle)
      if (counts.made === turns) Atomics.store(i32, this.#outbox + boxes, 1)
    }
  }

  /** Takes what is left in the boxes. */
  takeAll() {
    for (let i = 0; i < boxes; i++) this.#take(this.#inbox + i)
  }

  /** Frees objects that the other thread frees as well. Returns how many frees were refused. */
  freeAll(handles) {
    const { i32 } = this.#heap
    Atomics.store(i32, this.#outbox + boxes + 1, 1)
    while (Atomics.load(i32, this.#inbox + boxes + 1) === 0) expectTime()
    return handles.filter((handle) => codeOf(() => this.#heap.free(handle)) === 'ERR_MEMLAYER_STATE').length
  }
}

function expectTime() {
  if (Date.now() > deadline) throw new Error('the other thread does not come')
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
  const [mine, its] = [heap.allocZeroed(boxWords * 4), heap.allocZeroed(boxWords * 4)]
  const both = Array.from({ length: 20_000 }, (_, i) => heap.alloc(1 + ((i * 37) % 3000)))
  worker.postMessage({ token: heap.share(worker), mine, its, both })
  await next()
  const { threads } = heap.stats()
  const refusedDestroy = codeOf(() => heap.destroy())
  worker.postMessage('begin')
  const partner = new Partner(heap, mine, its, 7)
  partner.exchange()
  const twice = partner.freeAll(both)
  partner.takeAll()
  const other = await next()
  heap.check()
  heap.free(mine)
  heap.free(its)
  const { objects, orphans, threads: after } = heap.stats()
  const full = codeOf(() => heap.alloc(heap.maximum))
  const { used } = heap.stats()
  heap.destroy()
  await worker.terminate()
  const { counts } = partner
  return {
    ...{ threads, refusedDestroy, objects, orphans, after, full, used, codes: other.codes },
    made: counts.made + other.counts.made,
    freed: counts.freed + other.counts.freed,
    wrong: counts.wrong + other.counts.wrong,
    twice: twice + other.twice,
    held: memory.stats().total.held,
  }
}

function work({ token, mine, its, both }) {
  const heap = attachHeap(memory, token)
  const codes = [codeOf(() => attachHeap(memory, token)), codeOf(() => heap.share(new Worker('0', { eval: true })))]
  parentPort.once('message', () => {
    const partner = new Partner(heap, its, mine, 11)
    partner.exchange()
    const twice = partner.freeAll(both)
    partner.takeAll()
    heap.destroy()
    codes.push(codeOf(() => heap.alloc(8)))
    parentPort.postMessage({ counts: partner.counts, twice, codes })
  })
  parentPort.postMessage('attached')
}
