// Measures memory.limit below what a program holds, and the time that the scavenger takes of a busy thread and of one
// that sleeps.
import { setTimeout } from 'node:timers/promises'
import { OutOfMemoryError, type Memory } from '@memlayer/core'
import { rounds, type Benchmark } from '../benchmark.js'
import type { Comparison } from '../comparison.js'
import { KiB, MiB, openMemory } from '../layer.js'
import { looped, ratio, spread, takeTurns, type Contender } from '../measure.js'

const PIECE_BYTES = 64 * KiB
/** Milliseconds that the reclaimer of `spiral` takes, for nothing. */
const RECLAIM_MILLISECONDS = 0.2

/** unused and used of a piece, in a memory that holds 64 MiB. The limit is half of that, and lets all through. */
function underLimit(isBelow: boolean): Contender {
  const memory = openMemory()
  const region = memory.reserve(64 * MiB, { hugePages: 'off' })
  region.commit()
  if (isBelow) {
    memory.limit = { bytes: 32 * MiB, beyond: 'allow' }
    memory.reclaimer({ name: 'empty' }, () => busy(RECLAIM_MILLISECONDS))
  }
  return looped((times) => {
    for (let i = 0; i < times; i++) {
      region.unused(PIECE_BYTES, PIECE_BYTES)
      region.used(PIECE_BYTES, PIECE_BYTES)
    }
  })
}

/** Keeps the thread busy. Returns 0, as a reclaimer that has nothing to give. */
function busy(milliseconds: number): number {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
  return 0
}

/** Nanoseconds of each refusal of a commit beyond the limit. */
function refusals(count: number): number[] {
  const memory = openMemory()
  using region = memory.reserve(64 * MiB, { hugePages: 'off' })
  region.commit(0, 32 * MiB)
  memory.limit = { bytes: 16 * MiB }
  memory.reclaimer({ name: 'empty' }, () => busy(RECLAIM_MILLISECONDS))
  return Array.from({ length: count }, () => {
    const start = performance.now()
    try {
      region.commit(32 * MiB, PIECE_BYTES)
    } catch (error) {
      if (error instanceof OutOfMemoryError) return (performance.now() - start) * 1e6
      throw error
    }
    throw new Error('the limit refused nothing')
  })
}

export const spiral: Benchmark = {
  name: 'spiral',
  says: 'a limit below what is held: operations that it lets through, and the time of a refusal',
  async run(settings) {
    const times = refusals(settings.quick ? 20 : 20_000).toSorted((a, b) => a - b)
    // A round of reclaimers is followed by a rest of 4 ms. A batch is longer, so that it pays for its own rounds.
    const ways = { limited: underLimit(true), free: underLimit(false) }
    const series = await takeTurns(ways, rounds(settings, { rounds: 60, warmUp: 10, times: 20_000 }))
    const slow = times[Math.floor(times.length * 0.999)] ?? NaN
    return [
      {
        work: 'unused + used of 64 KiB beyond a limit that lets it through, with a reclaimer that gives nothing',
        unit: 'ns',
        ours: spread(series.limited),
        beside: 'without a limit',
        theirs: spread(series.free),
        measure: 'times',
        result: ratio(series.limited, series.free),
        goal: { kind: 'most', value: 1.1 },
      },
      {
        work: 'a refusal of the limit; the slowest of a thousand beside it',
        unit: 'ns',
        ours: spread(times),
        beside: 'the slowest of a thousand',
        theirs: spread([slow]),
        measure: 'alone',
        result: spread([slow]),
        goal: { kind: 'most', value: 1e6 },
      },
    ]
  },
}

/** Percent of a thread's time that the scavenger takes while `turn` makes idle pages. */
async function scavengerTime(milliseconds: number, turn: (task: () => void) => Promise<void>): Promise<number> {
  const memory: Memory = openMemory()
  const region = memory.reserve(256 * MiB, { hugePages: 'off' })
  region.commit()
  region.view(Uint8Array).fill(1)
  let at = 0
  // Half of the region is idle: the pages that became so last. A task takes the oldest MiB back.
  const task = (): void => {
    region.used(at, MiB)
    for (let page = at; page < at + MiB; page += 4 * KiB) region.view(Uint8Array, page, 1)[0] = 1
    region.idle((at + region.size / 2) % region.size, MiB)
    at = (at + MiB) % region.size
  }
  region.idle(0, region.size / 2)
  const start = performance.now()
  const before = memory.stats().scavengeMilliseconds ?? 0
  while (performance.now() < start + milliseconds) await turn(task)
  const share = ((memory.stats().scavengeMilliseconds ?? 0) - before) / (performance.now() - start)
  region.free()
  return share * 100
}

export const scavengerShare: Benchmark = {
  name: 'scavenger',
  says: 'the part of a thread that the scavenger takes, beside tasks of 10 ms and beside sleep',
  async run({ quick }) {
    const [milliseconds, count] = quick ? [200, 1] : [5000, 3]
    const shares: Record<'busy' | 'asleep', number[]> = { busy: [], asleep: [] }
    for (let i = 0; i < count; i++) {
      shares.busy.push(
        await scavengerTime(milliseconds, async (task) => {
          task()
          busy(10)
          await new Promise((resolve) => void setImmediate(resolve))
        }),
      )
      shares.asleep.push(
        await scavengerTime(milliseconds, async (task) => {
          task()
          await setTimeout(10)
        }),
      )
    }
    const line = (work: string, ours: readonly number[], beside: string, theirs: readonly number[]): Comparison => ({
      work,
      unit: 'percent',
      ours: spread(ours),
      beside,
      theirs: spread(theirs),
      measure: 'alone',
      result: spread(ours),
    })
    const work = "the scavenger's part of the thread's time, a MiB idle in each turn"
    return [
      {
        ...line(`${work}, tasks of 10 ms`, shares.busy, 'sleep of 10 ms', shares.asleep),
        goal: { kind: 'most', value: 1.5 },
      },
      {
        ...line(`${work}, sleep of 10 ms`, shares.asleep, 'tasks of 10 ms', shares.busy),
        goal: { kind: 'most', value: 5 },
      },
    ]
  },
}
