// A long run that ends where it began. After as many operations as a busy server does in ten minutes, the
// process has the memory that it had after the first few. The run has a process of its own, because it
// measures all of it.
import { isLong, runChild } from '@memlayer/witness'
import { expect, it } from 'vitest'

// A life is some twenty operations. All rounds together are 3,000 operations a second for ten minutes.
const livesPerRound = 5_000
// The engine compiles, and the C library's heap spreads, for the first million operations. Over 30 rounds resident
// memory rose by 1.2 MB in the first 13, and by nothing in the 17 after them.
const warmUpRounds = 14
const rounds = 18
// A busy machine's engine does some of its work late, and one run rose by more than it may. So a run goes on until 18
// rounds in a row are quiet. With a leak none are.
const roundsMax = 54
const seconds = 600

// How far a figure may rise from the first third of the rounds to the last. Between them are 12 rounds: 60,000
// lives and 600 visits of a worker. On a busy machine resident memory rose by 0.17 MB, the heap by 0.02 MB, and
// the mappings by 1. Most of that is code that the engine compiles late.
const riseMax: Readonly<Record<string, number>> = {
  // 17 bytes a life, or half a page a visit.
  resident: 2 ** 20,
  mappings: 8,
  // 2 bytes a life: less than any object has.
  heap: 2 ** 17,
}

/** The first of the figures that rises by more than it may, in the last rounds; undefined: none does. */
function rising(measured: readonly Record<string, number>[]): string | undefined {
  for (const [what, most] of Object.entries(riseMax)) {
    const figures = measured.slice(-rounds).map((round) => round[what] ?? NaN)
    // The least of six rounds: what the engine happens to do during a measurement only adds to it. A leak
    // raises every round after it.
    const first = Math.min(...figures.slice(0, rounds / 3))
    const last = Math.min(...figures.slice(-rounds / 3))
    if (!(last - first <= most)) return `${what}, by rounds: ${figures.join(' ')}`
  }
  return undefined
}

const soak = `
  import { once } from 'node:events'
  import { getHeapSpaceStatistics } from 'node:v8'
  import { Worker } from 'node:worker_threads'
  import { createMemory, GrowableBuffer } from '@memlayer/core'
  import { createOS } from '@memlayer/os-linux'
  import { mappings, processResident } from '@memlayer/witness'
  // Such a collection also gives back the pages that the engine keeps for later. An ordinary one leaves up to
  // 4 MB of them, and a background task decides how many: on a busy machine it does so late.
  const everything = { type: 'major', execution: 'sync', flavor: 'last-resort' }
  const memory = createMemory(createOS())
  const page = memory.os.traits.pageSize
  const long = memory.reserve(256 * 2 ** 20, { name: 'long-lived' })
  long.commit(0, 64 * 2 ** 20)
  const kept = long.view(Uint8Array, 0, 2 ** 20)
  let [operations, lives] = [0, 0]
  memory.observe(() => { operations += 1 })
  function life(i) {
    const n = 1 + (i % 13)
    // A name of its own, as a job or a tenant has.
    const region = memory.reserve(64 * page, { name: 'short-lived ' + (lives += 1) })
    region.commit(0, 32 * page)
    const view = region.view(Uint8Array, 0, 32 * page)
    const small = region.window(Uint8Array, 8, 8).length + region.view(Uint8Array, page - 4, 8).length
    for (let at = 0; at < view.length; at += page) view[at] = i
    region.zero(16 * page, small)
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
    // Offered to the worker, and taken back before the worker attaches.
    const hold = long.hold(2 ** 20, page)
    long.share(worker, 2 ** 20, page)
    hold.release()
    long.unused(2 ** 20, page)
    long.used(2 ** 20, page)
    if (view.length !== 0) throw new Error('a view outlived its region')
  }
  const worker = new Worker(\`
    const { parentPort } = process.getBuiltinModule('node:worker_threads')
    const everything = \${JSON.stringify(everything)}
    const packages = Promise.all([import('@memlayer/core'), import('@memlayer/os-linux')])
    void packages.then(([{ createMemory }, { createOS }]) => {
      const memory = createMemory(createOS())
      parentPort.on('message', (token) => {
        if (token === null) return globalThis.gc(everything), parentPort.postMessage(null)
        const shared = memory.attach(token)
        const count = Atomics.add(shared.view(Int32Array, 0, 1), 0, 1)
        shared.release()
        parentPort.postMessage(count)
      })
    })
  \`, { eval: true, resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 } })
  // One is the layer's own, which gives back what the worker leaves.
  worker.setMaxListeners(3)
  /** A worker takes up a share, counts in it, and lets it go. */
  async function visit() {
    const answer = once(worker, 'message')
    worker.postMessage(long.share(worker, 2 ** 21, page))
    await answer
    long.fault(2 ** 21, page)
    long.commit(2 ** 21, page)
  }
  // The spaces with objects. The engine's code is in other spaces, and grows for as long as it compiles.
  const objects = new Set(['new_space', 'old_space', 'new_large_object_space', 'large_object_space'])
  function heapOfObjects() {
    return getHeapSpaceStatistics()
      .reduce((sum, { space_name, space_used_size }) => sum + (objects.has(space_name) ? space_used_size : 0), 0)
  }
  // A finalizer runs in a turn after the collection. What it lets go is garbage for the next one.
  async function measure() {
    for (let i = 0; i < 10; i++) {
      globalThis.gc(everything)
      const collected = once(worker, 'message')
      worker.postMessage(null)
      await collected
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    memory.check()
    return {
      resident: processResident(page), mappings: mappings().length, heap: heapOfObjects(),
      ranges: memory.ranges().length, regions: memory.regions().length,
    }
  }
  const measured = []
  const rounds = ${rounds}
  const riseMax = ${JSON.stringify(riseMax)}
  ${rising}
  for (
    let round = 0;
    measured.length < rounds || (measured.length < ${roundsMax} && rising(measured) !== undefined);
    round++
  ) {
    // The event loop turns between lives, so that finalizers run.
    for (let i = 0; i < ${livesPerRound}; i++) { life(i); if (i % 100 === 0) await visit() }
    const figures = await measure()
    if (round >= ${warmUpRounds}) measured.push(figures)
  }
  if (kept.length !== 2 ** 20) throw new Error('a view was lost')
  await worker.terminate()
  long.free()
  console.log(JSON.stringify({ operations, rounds: measured }))
`

it.skipIf(process.platform !== 'linux' || !isLong)(
  'ends with the resident memory, the mappings and the heap that it began with (needs Linux)',
  () => {
    const child = runChild(soak, {
      from: import.meta.dirname,
      nodeArgs: ['--expose-gc', '--max-semi-space-size=1'],
      // The C library keeps a heap for each of the engine's threads, and chance decides which of them frees.
      env: { ...process.env, MALLOC_ARENA_MAX: '1' },
      // A minute on an idle machine, eight with six other programs on two cores.
      timeout: 900_000,
    })
    expect(child.stderr).toBe('')
    const run = JSON.parse(child.stdout) as { operations: number; rounds: Record<string, number>[] }
    console.log(
      `${run.operations} operations: as many as ${Math.floor(run.operations / seconds)} a second in ten minutes`,
      run.rounds.at(0),
      run.rounds.at(-1),
    )
    expect(run.operations).toBeGreaterThan(3000 * seconds)
    expect(rising(run.rounds), 'what rises').toBeUndefined()
    expect([run.rounds.at(-1)?.['ranges'], run.rounds.at(-1)?.['regions']]).toEqual([
      run.rounds[0]?.['ranges'],
      run.rounds[0]?.['regions'],
    ])
  },
  910_000,
)
