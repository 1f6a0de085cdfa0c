// A long run that ends where it began: what is left after as many operations as a busy server
// does in ten minutes is what was there after the first few. In a process of its own, for it
// looks at all of it.
import { runChild } from '@memlayer/witness'
import { expect, it } from 'vitest'

// Rounds of this many lives, each of some fifteen operations. The engine compiles and settles for a while.
const LIVES = 5_000
const WARM_UP = 8
const ROUNDS = 16

const soak = `
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
    if (view.length !== 0) throw new Error('a view outlived its region')
  }
  // What the collector finds dropped is forgotten in later turns, and collected in turn.
  async function measure() {
    for (let i = 0; i < 10; i++) {
      globalThis.gc()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    memory.check()
    return { resident: processResident(page), mappings: mappings().length, heap: process.memoryUsage().heapUsed, ranges: memory.ranges().length, regions: memory.regions().length }
  }
  const rounds = []
  for (let round = 0; round < ${WARM_UP + ROUNDS}; round++) {
    // What was dropped is collected between turns of the event loop.
    for (let i = 0; i < ${LIVES}; i++) { life(i); if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve)) }
    const measured = await measure()
    if (round >= ${WARM_UP}) rounds.push(measured)
  }
  if (kept.length !== 2 ** 20) throw new Error('a view was lost')
  long.free()
  console.log(JSON.stringify({ operations, rounds }))
`

const middle = (three: number[]): number => three.toSorted((a, b) => a - b)[1] ?? NaN

it.skipIf(process.platform !== 'linux')('ends with the resident memory, the mappings and the heap that it began with, within 1 % (needs Linux)', () => {
  const child = runChild(soak, {
    from: import.meta.dirname,
    nodeArgs: ['--expose-gc', '--max-semi-space-size=1'],
    // The C library keeps a heap for each of the engine's threads, and which of them frees what is chance.
    env: { ...process.env, MALLOC_ARENA_MAX: '1' },
    timeout: 300_000,
  })
  expect(child.stderr).toBe('')
  const { operations, rounds } = JSON.parse(child.stdout) as { operations: number; rounds: Record<string, number>[] }
  console.log(`${operations} operations`, rounds.at(0), rounds.at(-1))
  expect(operations).toBeGreaterThan((WARM_UP + ROUNDS) * LIVES * 12)
  for (const what of ['resident', 'mappings', 'heap']) {
    // The middle of three: a single measurement may meet the engine in the midst of something.
    const first = middle(rounds.slice(0, 3).map((round) => round[what] ?? NaN))
    const last = middle(rounds.slice(-3).map((round) => round[what] ?? NaN))
    expect(last, `${what}: ${rounds.map((round) => round[what]).join(' ')}`).toBeLessThanOrEqual(first * 1.01)
  }
  expect([rounds.at(-1)?.['ranges'], rounds.at(-1)?.['regions']]).toEqual([rounds[0]?.['ranges'], rounds[0]?.['regions']])
}, 310_000)
