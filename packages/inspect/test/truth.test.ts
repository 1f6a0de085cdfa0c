// What is resident, over a memory that changes all the time, beside what the kernel says at that moment. A figure is of
// one moment and right, or it says how old it is and how much it lacks.
import { setTimeout as after } from 'node:timers/promises'
import { createMemory, type Memory, type Region } from '@memlayer/core'
import { inspect, momentOf, takeSnapshot, type Snapshot } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-linux'
import { describe, expect, it } from 'vitest'
import { MiB } from './living.js'

type Answer = Pick<Snapshot, 'at' | 'resident' | 'limits' | 'regions' | 'stats' | 'process' | 'explanation'>

/** Asks an inspector over `memory` as its page does, while `act` runs. */
async function asking(memory: Memory, act: (ask: (query?: string) => Promise<Answer>) => Promise<void>): Promise<void> {
  await using inspector = await inspect(memory)
  const opened = await fetch(inspector.url, { redirect: 'manual' })
  const folder = opened.headers.get('location') ?? ''
  await act(
    async (query = '') => (await fetch(`${inspector.origin}${folder}snapshot?${query}`)).json() as Promise<Answer>,
  )
}

function touched(memory: Memory, size: number, name: string): Region {
  const region = memory.reserve(size, { name, hugePages: 'off' })
  region.commit(0, size)
  region.view(Uint8Array, 0, size).fill(1)
  return region
}

/** What the kernel says now, range by range. */
function witnessed(memory: Memory): number {
  return memory.ranges().reduce((sum, { address, size }) => sum + (memory.residency(address, size)?.resident ?? NaN), 0)
}

/** Regions that come and go: `share` of them in each step. */
class Churn {
  readonly regions: Region[]
  readonly size: number
  readonly #memory: Memory
  #step = 0

  constructor(memory: Memory, count: number, size: number) {
    ;[this.#memory, this.size] = [memory, size]
    this.regions = Array.from({ length: count }, (_, i) => touched(memory, size, `region ${i}`))
  }

  step(count: number): void {
    for (let i = 0; i < count; i++) {
      const place = (this.#step * 37) % this.regions.length
      this.#step += 1
      this.regions[place]?.free()
      this.regions[place] = touched(this.#memory, this.size, `region ${place}`)
    }
  }

  end(): void {
    for (const region of this.regions) region.free()
  }
}

describe.skipIf(process.platform !== 'linux')('resident memory', () => {
  it(
    'of 400 MiB that come and go in a hundred regions is 400 MiB each second, as the explanation says',
    { timeout: 120_000 },
    async () => {
      const memory = createMemory(createOS())
      const churn = new Churn(memory, 100, 4 * MiB)
      await asking(memory, async (ask) => {
        const complete: (number | undefined)[] = []
        // A busy machine may take the time that one look has, so there are as many looks as it needs.
        for (let second = 0; complete.length < 3 && second < 60; second++) {
          churn.step(60)
          const { at, resident, explanation } = await ask('explain')
          if (resident?.missing === 0 && at - resident.at < 1000) complete.push(resident.resident)
          expect(explanation?.layer).toBe(400 * MiB)
          await after(1000)
        }
        expect(complete.length).toBe(3)
        expect(complete).toEqual(complete.map(() => 400 * MiB))
      })
      churn.end()
    },
  )

  it('is never more than there is, and says what it lacks, when there is no time to look at all of it', async () => {
    const memory = createMemory(createOS())
    const churn = new Churn(memory, 100, 4 * MiB)
    const found: { readonly missing: number; readonly age: number }[] = []
    await asking(memory, async (ask) => {
      for (let i = 0; i < 40; i++) {
        churn.step(30)
        const { at, resident, ...rest } = await ask()
        if (resident === null) throw new Error('this host tells nothing')
        const right = witnessed(memory)
        expect(resident.resident).toBeLessThanOrEqual(1.02 * right)
        expect(resident.resident + resident.missing).toBeGreaterThanOrEqual(0.98 * right)
        // A part is not drawn as if it were all of it.
        expect(momentOf({ at, resident, ...rest }).own).toBe(resident.missing === 0 ? resident.resident : null)
        found.push({ missing: resident.missing, age: at - resident.at })
      }
    })
    // The time was too short, as this test wants it.
    expect(found.some(({ missing, age }) => missing > 0 || age > 0)).toBe(true)
    churn.end()
  })

  it('follows growth within a second', async () => {
    const memory = createMemory(createOS())
    const regions: Region[] = []
    const complete: number[] = []
    await asking(memory, async (ask) => {
      // A machine that does much else leaves some looks incomplete.
      for (let second = 0; complete.length < 2 && second < 40; second++) {
        for (let i = 0; i < 12; i++) regions.push(touched(memory, 4 * MiB, `region ${regions.length}`))
        const { at, resident } = await ask()
        const right = witnessed(memory)
        expect((resident?.resident ?? 0) + (resident?.missing ?? 0)).toBe(right)
        if (resident?.missing === 0 && at - resident.at < 1000) complete.push(resident.resident / right)
        await after(1000)
      }
    })
    expect(complete).toEqual([1, 1])
    for (const region of regions) region.free()
  })

  it('is counted once where a region has a hole that another region has now', () => {
    const memory = createMemory(createOS())
    const outer = memory.reserve(16 * MiB, { name: 'outer', hugePages: 'off' })
    outer.free(4 * MiB, 4 * MiB)
    for (const at of [0, 8 * MiB]) {
      outer.commit(at, 4 * MiB)
      outer.view(Uint8Array, at, 4 * MiB).fill(1)
    }
    const inner = memory.reserve(2 * MiB, { name: 'inner', address: outer.address + 5 * MiB, hugePages: 'off' })
    expect(inner.address).toBe(outer.address + 5 * MiB)
    inner.commit(0, 2 * MiB)
    inner.view(Uint8Array, 0, 2 * MiB).fill(1)
    const { resident, regions } = takeSnapshot(memory)
    expect(resident?.resident).toBe(10 * MiB)
    expect(Object.fromEntries(regions.map(({ name, resident: own }) => [name, own]))).toEqual({
      outer: 8 * MiB,
      inner: 2 * MiB,
    })
    for (const region of [inner, outer]) region.free()
  })

  it('counts what is mapped outside of regions', () => {
    const memory = createMemory(createOS())
    const v = memory.sysAlloc(4 * MiB, memory.stat('raw'))
    memory.view(Uint8Array, v, MiB).fill(1)
    expect(takeSnapshot(memory).resident).toMatchObject({ resident: witnessed(memory), missing: 0 })
    expect(witnessed(memory)).toBeGreaterThanOrEqual(MiB)
    memory.sysFree(v, 4 * MiB, null)
    expect(takeSnapshot(memory).resident).toMatchObject({ resident: 0, missing: 0 })
  })
})
