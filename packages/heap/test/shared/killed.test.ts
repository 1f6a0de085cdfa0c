// A thread that ends at any step of any call. Each atomic operation of a history is the last one of its thread once.
// Then the others look whether all that they know is there, and whether the pages come back.
import { errorOf, random, type Random } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { SharedModel } from './model.js'
import { Scene, type Player } from './scene.js'
import { Killed, killAt } from './stops.js'

interface Setting {
  readonly scene: Scene
  readonly keeper: Player
  readonly friend: Player
  readonly victim: Player
  readonly model: SharedModel
  readonly numbers: Random
}

/** Three threads with objects, after a fourth was killed whose spans no thread has taken over yet. */
function setUp(pages: number, seed: number): Setting {
  const scene = new Scene(pages, 5)
  const join = (): Player => scene.join() as Player
  const [keeper, friend, victim, gone] = [join(), join(), join(), join()]
  const numbers = random(seed)
  const model = new SharedModel(numbers, 40, 30_000)
  for (let i = 0; i < 120; i++) model.step(numbers.pick([keeper, friend, victim, gone]).heap)
  scene.kill(gone)
  return { scene, keeper, friend, victim, model, numbers }
}

/** The threads that live have all that they know, go on, and get all pages back but those of `lost` objects. */
function expectSound({ scene, keeper, friend, victim, model, numbers }: Setting, lost: number): void {
  scene.kill(victim)
  // Others go on before any of them learns of the end.
  model.forgetFreed(keeper.heap)
  for (let i = 0; i < 40; i++) model.step(numbers.pick([keeper, friend]).heap)
  // A heap that seems to be full looks for threads that have ended.
  expect(() => keeper.heap.alloc(keeper.heap.maximum)).toThrow(/has no room/)
  model.checkAll(keeper.heap, lost)
  const late = [scene.join(), scene.join()] as Player[]
  expect(late).not.toContain(null)
  expect(keeper.heap.stats().threads).toBe(4)
  for (let i = 0; i < 60; i++) model.step(numbers.pick([keeper, friend, ...late]).heap)
  model.checkAll(friend.heap, lost)
  while (model.objects.length > 0) model.free(numbers.pick([keeper, ...late]).heap, model.objects.length - 1)
  for (const { heap } of [friend, ...late]) heap.destroy()
  expect(() => keeper.heap.alloc(keeper.heap.maximum)).toThrow(/has no room/)
  const { objects, used, live, spans, large } = keeper.heap.stats()
  expect(objects).toBeLessThanOrEqual(lost)
  expect(spans + large.objects).toBe(objects)
  if (objects === 0) expect([used, live]).toEqual([0, 0])
  keeper.heap.check()
}

interface History {
  readonly what: string
  /** The most objects that are lost. */
  readonly lost: number
  run(setting: Setting): void
}

const histories: readonly History[] = [
  {
    what: 'allocates small and large objects, of classes with and without a span',
    lost: 1,
    run: ({ victim, model }) => {
      for (const bytes of [8, 8, 40, 3000, 30_000, 65_536, 200_000, 8]) model.alloc(victim.heap, bytes)
    },
  },
  {
    what: 'frees objects of all threads',
    lost: 0,
    run: ({ victim, model }) => {
      while (model.objects.length > 0) model.free(victim.heap, model.objects.length - 1)
    },
  },
  {
    what: 'gives objects other sizes',
    lost: 1,
    run: ({ victim, model }) => {
      for (let i = 0; i < 12; i++) model.realloc(victim.heap, i, 100 * i + 9)
    },
  },
  {
    what: 'sweeps behind another thread, and finds the heap full',
    lost: 0,
    run: ({ victim }) => {
      const error = errorOf(() => victim.heap.alloc(victim.heap.maximum))
      if (error instanceof Killed) throw error
    },
  },
  {
    what: 'lets go of the heap',
    lost: 0,
    run: ({ victim }) => {
      victim.heap.destroy()
    },
  },
]

describe('a thread that is killed', () => {
  it.each(histories)('at any step while it $what leaves no lock, and loses at most $lost objects', (history) => {
    for (const isDone of [false, true]) {
      let k = 1
      for (; ; k++) {
        const setting = setUp(512, 1 + (k % 7))
        const isKilled = killAt(k, isDone, () => history.run(setting))
        expectSound(setting, isKilled ? history.lost : 0)
        if (!isKilled) break
      }
      expect(k).toBeGreaterThan(5)
    }
  })
})
