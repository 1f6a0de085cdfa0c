// Random histories of several threads on a shared heap beside a plain shadow: contents, overlap, and the account.
import { isLong, random } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { SharedModel } from './model.js'
import { Scene, type Player } from './scene.js'

const rows = [
  { threads: 1, pages: 4096, objects: 4000, largest: Infinity },
  { threads: 4, pages: 4096, objects: 4000, largest: Infinity },
  { threads: 4, pages: 4096, objects: 20_000, largest: 200 },
  // The heap is full nearly all the time.
  { threads: 3, pages: 512, objects: 3000, largest: 100_000 },
] as const
const operations = isLong ? 1_000_000 : 25_000

/** All pages but those of spans that are kept for the next object come back. */
function expectEmpty(heap: Player['heap']): void {
  expect(() => heap.alloc(heap.maximum)).toThrow(/has no room/)
  expect(heap.stats()).toMatchObject({ used: 0, live: 0, objects: 0, spans: 0, orphans: 0 })
}

describe('a shared heap beside a plain shadow', () => {
  it.each(rows)('is the same with $threads threads, objects up to $largest bytes in $pages pages', (row) => {
    const scene = new Scene(row.pages, row.threads)
    const players = Array.from({ length: row.threads }, () => scene.join() as Player)
    const numbers = random()
    const model = new SharedModel(numbers, row.objects, row.largest)
    for (let i = 0; i < operations; i++) {
      model.step(numbers.pick(players).heap)
      if (i % Math.ceil(operations / 20) === 0) model.checkAll(numbers.pick(players).heap)
    }
    const [{ heap }] = players as [Player]
    model.checkAll(heap)
    if (row.pages === 512) expect(model.refused).toBeGreaterThan(100)
    while (model.objects.length > 0) model.free(numbers.pick(players).heap, model.objects.length - 1)
    for (const player of players.slice(1)) player.heap.destroy()
    expectEmpty(heap)
    expect(heap.stats().threads).toBe(1)
  })

  it('is the same while threads leave and others come', () => {
    const scene = new Scene(4096, 6)
    const keeper = scene.join() as Player
    let players = Array.from({ length: 4 }, () => scene.join() as Player)
    const numbers = random()
    const model = new SharedModel(numbers, 3000, 100_000)
    for (let turn = 0; turn < (isLong ? 1000 : 60); turn++) {
      for (let i = 0; i < 300; i++) model.step(numbers.pick(players).heap)
      const leaving = numbers.pick(players)
      leaving.heap.destroy()
      expect(() => leaving.heap.alloc(8)).toThrow(/was destroyed/)
      players = [...players.filter((player) => player !== leaving), scene.join() as Player]
      model.checkAll(keeper.heap)
    }
    expect(keeper.heap.stats().threads).toBe(5)
    while (model.objects.length > 0) model.free(keeper.heap, model.objects.length - 1)
    for (const player of players) player.heap.destroy()
    expectEmpty(keeper.heap)
  })
})
