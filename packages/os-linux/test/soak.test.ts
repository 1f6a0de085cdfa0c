// A long run that ends where it began: what is left after as many operations as a busy server
// does in ten minutes is what was there after the first few. In a process of its own, for it
// looks at all of it.
import { runChild } from '@memlayer/witness'
import { expect, it } from 'vitest'

// Rounds of this many lives, each of some twenty operations: in all as many as 3,000 a second in ten minutes.
const LIVES = 5_000
// The engine compiles, and the C library spreads, for some hundred thousand operations.
const WARM_UP = 6
const ROUNDS = 18
const SECONDS = 600

const soak = `
  import { once } from 'node:events'
  import { getHeapSpaceStatistics } from 'node:v8'
  import { Worker } from 'node:worker_threads'
  import { createMemory, GrowableBuffer } from '@memlayer/core'
  import { createOS } from '@memlayer/os-linux'
  import { mappings, processResident } from '@memlayer/witness'
  const memory = createMemory(createOS())
  const page = memory.os.traits.pageSize
  const long = memory.reserve(256 * 2 ** 20, { name: 'long-lived' })
  long.commit(0, 64 * 2 ** 20)
  const kept = long.view(Uint8Array, 0, 2 ** 20)
  let operations = 0
  memory.observe(() => { operations += 1 })
  function life(i) {
    const n = 1 + (i % 13)
    const region = memory.reserve(64 * page, { name: 'short-lived' })
    region.commit(0, 32 * page)
    const view = region.view(Uint8Array, 0, 32 * page)
    for (let at = 0; at < view.length; at += page) view[at] = i
    region.unusedAll([page, page, 4 * page, n * page])
    region.used(0, 32 * page)
    region.fault(31 * page, page)
    if (i % 2 === 0) region.free(40 * page, page)
    region[Symbol.dispose]()
    const offset = (64 + (i % 1000)) * page + 2 ** 20
    long.unused(offset, n * page)
    long.used(offset, n * page)
    const buffer = new GrowableBuffer(memory, { maximum: 2 ** 20 })
    for (let size = 1000; size < 50_000; size *= 3) buffer.resize(size)
    buffer.bytes()[0] = 1
    buffer.free()
    // Offered to the worker, and taken back before it comes.
    const hold = long.hold(2 ** 20, page)
    long.share(worker, 2 ** 20, page)
    hold.release()
    long.unused(2 ** 20, page)
    long.used(2 ** 20, page)
    if (view.length !== 0) throw new Error('a view outlived its region')
  }
  const worker = new Worker(\`
    const { parentPort } = process.getBuiltinModule('node:worker_threads')
    void Promise.all([import('@memlayer/core'), import('@memlayer/os-linux')]).then(([{ createMemory }, { createOS }]) => {
      const memory = createMemory(createOS())
      parentPort.on('message', (token) => {
        if (token === null) return globalThis.gc(), parentPort.postMessage(null)
        const shared = memory.attach(token)
        const count = Atomics.add(shared.view(Int32Array, 0, 1), 0, 1)
        shared.release()
        parentPort.postMessage(count)
      })
    })
  \`, { eval: true, resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 } })
  worker.setMaxListeners(2)
  /** A worker takes up a share, counts in it, and lets it go. */
  async function visit() {
    const answer = once(worker, 'message')
    worker.postMessage(long.share(worker, 2 ** 21, page))
    await answer
    long.fault(2 ** 21, page)
    long.commit(2 ** 21, page)
  }
  // Where the heap has objects. The engine goes on compiling what is hot, and its code is in spaces of their own.
  const objects = new Set(['new_space', 'old_space', 'new_large_object_space', 'large_object_space'])
  function heapOfObjects() {
    return getHeapSpaceStatistics().reduce((sum, space) => sum + (objects.has(space.space_name) ? space.space_used_size : 0), 0)
  }
  // What the collector finds dropped is forgotten in later turns, and collected in turn.
  async function measure() {
    for (let i = 0; i < 10; i++) {
      globalThis.gc()
      const collected = once(worker, 'message')
      worker.postMessage(null)
      await collected
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    memory.check()
    return { resident: processResident(page), mappings: mappings().length, heap: heapOfObjects(), ranges: memory.ranges().length, regions: memory.regions().length }
  }
  const rounds = []
  for (let round = 0; round < ${WARM_UP + ROUNDS}; round++) {
    // What was dropped is collected between turns of the event loop.
    for (let i = 0; i < ${LIVES}; i++) { life(i); if (i % 100 === 0) await visit() }
    const measured = await measure()
    if (round >= ${WARM_UP}) rounds.push(measured)
  }
  if (kept.length !== 2 ** 20) throw new Error('a view was lost')
  await worker.terminate()
  long.free()
  console.log(JSON.stringify({ operations, rounds }))
`

const middle = (three: number[]): number => three.toSorted((a, b) => a - b)[1] ?? NaN

it.skipIf(process.platform !== 'linux')(
  'ends with the resident memory, the mappings and the heap that it began with, within 1 % (needs Linux)',
  () => {
    const child = runChild(soak, {
      from: import.meta.dirname,
      nodeArgs: ['--expose-gc', '--max-semi-space-size=1'],
      // The C library keeps a heap for each of the engine's threads, and which of them frees what is chance.
      env: { ...process.env, MALLOC_ARENA_MAX: '1' },
      timeout: 300_000,
    })
    expect(child.stderr).toBe('')
    const { operations, rounds } = JSON.parse(child.stdout) as { operations: number; rounds: Record<string, number>[] }
    console.log(
      `${operations} operations: as many as ${Math.floor(operations / SECONDS)} a second in ten minutes`,
      rounds.at(0),
      rounds.at(-1),
    )
    expect(operations).toBeGreaterThan(3000 * SECONDS)
    for (const what of ['resident', 'mappings', 'heap']) {
      // The middle of three: a single measurement may meet the engine in the midst of something.
      const first = middle(rounds.slice(0, 3).map((round) => round[what] ?? NaN))
      const last = middle(rounds.slice(-3).map((round) => round[what] ?? NaN))
      expect(last, `${what}: ${rounds.map((round) => round[what]).join(' ')}`).toBeLessThanOrEqual(first * 1.01)
    }
    expect([rounds.at(-1)?.['ranges'], rounds.at(-1)?.['regions']]).toEqual([
      rounds[0]?.['ranges'],
      rounds[0]?.['regions'],
    ])
  },
  310_000,
)
