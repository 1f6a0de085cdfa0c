// A heap that is full, though an idle thread has spans: another one takes them. Its owner may be in the middle of any
// step then, or be killed there.
import { OutOfMemoryError } from '@memlayer/core'
import { errorOf, isLong, random } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { SharedModel } from './model.js'
import { Scene, type Player } from './scene.js'
import { killAt, switchAt } from './stops.js'

const sizes = [8, 40, 64, 200, 1000, 3000] as const
/** Few of them fill a heap. */
const largeSizes = [400, 1000, 3000] as const

/** Runs `run`. The heap may be full. */
function unlessFull(run: () => void): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error
  }
}

/** A small heap whose first thread has empty spans and some with one object. A second thread has nothing. */
class Taking {
  readonly scene = new Scene(64, 4)
  readonly owner = this.scene.join() as Player
  readonly taker = this.scene.join() as Player
  readonly model: SharedModel
  readonly others: SharedModel

  constructor(seed: number) {
    const numbers = random(seed)
    this.model = new SharedModel(numbers, 60, 4000)
    this.others = new SharedModel(numbers, 60, 4000)
    for (const bytes of sizes) for (let i = 0; i < 12; i++) this.model.alloc(this.owner.heap, bytes)
    while (this.model.objects.length > seed % 4)
      this.model.free(this.owner.heap, numbers.below(this.model.objects.length))
  }

  /** Allocates objects of a size until the heap is full. */
  fill(model: SharedModel, { heap }: Player, bytes: number): void {
    unlessFull(() => {
      for (;;) model.alloc(heap, bytes)
    })
  }

  empty(model: SharedModel, { heap }: Player): void {
    while (model.objects.length > 0) model.free(heap, model.objects.length - 1)
  }

  /** The owner goes on. It has not heard that its spans were taken. */
  work(): void {
    for (const bytes of sizes) unlessFull(() => this.model.alloc(this.owner.heap, bytes))
    for (let i = 0; i < 6 && this.model.objects.length > 0; i++) this.model.free(this.owner.heap, 0)
  }

  /** Both have what is theirs, and all pages come back. */
  expectSound(lost = 0): void {
    const all = new SharedModel(random(1), 0, 0)
    all.objects.push(...this.model.objects, ...this.others.objects)
    all.checkAll(this.taker.heap, lost)
    this.empty(this.others, this.taker)
    this.empty(this.model, this.taker)
    expect(String(errorOf(() => this.taker.heap.alloc(this.taker.heap.maximum)))).toContain('has no room')
    expect(this.taker.heap.stats().objects).toBeLessThanOrEqual(lost)
    this.taker.heap.check()
  }
}

describe('a full heap whose spans an idle thread has', () => {
  it.each(sizes)('serves another thread: objects of %i bytes', (bytes) => {
    const scene = new Scene(512, 2)
    const [owner, taker] = [scene.join(), scene.join()] as [Player, Player]
    const handles: number[] = []
    expect(
      errorOf(() => {
        for (;;) handles.push(owner.heap.alloc(bytes))
      }),
    ).toBeInstanceOf(OutOfMemoryError)
    for (const handle of handles) taker.heap.free(handle)
    // One page is pinned: the owner's last span began there.
    for (const wanted of [100_000, 1000, 64, bytes]) {
      const taken: number[] = []
      unlessFull(() => {
        for (;;) taken.push(taker.heap.alloc(wanted))
      })
      expect(taken.length * wanted).toBeGreaterThan(0.9 * taker.heap.maximum)
      for (const handle of taken) taker.heap.free(handle)
    }
    // The owner finds out, and goes on elsewhere.
    expect(taker.heap.has(owner.heap.alloc(bytes))).toBe(true)
    expect(owner.heap.stats().objects).toBe(1)
    owner.heap.check()
  })

  it('serves another thread from spans that the owner does not allocate in', () => {
    const scene = new Scene(64, 2)
    const [owner, taker] = [scene.join(), scene.join()] as [Player, Player]
    const handles: number[] = []
    unlessFull(() => {
      for (;;) handles.push(owner.heap.alloc(64))
    })
    // Of each span one object stays, so none of them is empty.
    handles.filter((_, i) => i % 64 !== 0).forEach((handle) => owner.heap.free(handle))
    const { objects, used } = owner.heap.stats()
    const taken: number[] = []
    unlessFull(() => {
      for (;;) taken.push(taker.heap.alloc(64))
    })
    expect(taken.length).toBeGreaterThan(0.9 * (handles.length - objects))
    expect(owner.heap.stats().used).toBe(used)
    expect(new Set([...taken, ...handles.filter((_, i) => i % 64 === 0)]).size).toBe(taken.length + objects)
    owner.heap.check()
  })

  it.each(largeSizes)(
    'loses nothing when the owner is at any step meanwhile: filled by objects of %i bytes',
    (bytes) => {
      let met = 0
      for (let k = 1; ; k++) {
        const taking = new Taking(k)
        const hasMet = switchAt(
          k,
          () => taking.fill(taking.others, taking.taker, bytes),
          () => taking.work(),
        )
        taking.work()
        taking.expectSound()
        if (!hasMet) break
        met += 1
      }
      expect(met).toBeGreaterThan(10)
    },
  )

  it.each(largeSizes)('loses nothing when the taker is at any step meanwhile: it asks for %i bytes', (bytes) => {
    for (let k = 1; ; k += k < 200 ? 1 : Math.ceil(k / (isLong ? 200 : 20))) {
      const taking = new Taking(k)
      const hasMet = switchAt(
        k,
        () => taking.work(),
        () => taking.fill(taking.others, taking.taker, bytes),
      )
      taking.work()
      taking.expectSound()
      if (!hasMet) break
    }
  })

  it.each([false, true])('loses one object at most when the taker is killed at any step, done: %s', (isDone) => {
    for (let k = 1; ; k += k < 200 ? 1 : Math.ceil(k / (isLong ? 200 : 20))) {
      const taking = new Taking(k)
      const { scene, taker } = taking
      const wasKilled = killAt(k, isDone, () => {
        for (const bytes of [3000, 1000]) taking.fill(taking.others, taker, bytes)
      })
      scene.kill(taker)
      if (!wasKilled) break
      taking.work()
      taking.others.forgetFreed(taking.owner.heap)
      const late = scene.join() as Player
      for (let i = 0; i < 3; i++) taking.fill(taking.others, late, 400)
      Object.assign(taking, { taker: late })
      taking.expectSound(1)
    }
  })

  it.each([false, true])('loses one object at most when the owner is killed at any step, done: %s', (isDone) => {
    for (let k = 1; ; k++) {
      const taking = new Taking(k)
      const { scene, owner, taker } = taking
      // Its spans are taken before, or not.
      if (k % 2 === 0) taking.fill(taking.others, taker, 400)
      const wasKilled = killAt(k, isDone, () => taking.work())
      scene.kill(owner)
      if (!wasKilled) break
      taking.model.forgetFreed(taker.heap)
      taking.fill(taking.others, taker, 1000)
      taking.expectSound(1)
      const late = scene.join() as Player
      taking.fill(taking.others, late, 400)
      taking.expectSound(1)
    }
  })

  it('has all pages again after threads were killed whose spans it took', () => {
    const scene = new Scene(64, 3)
    const keeper = scene.join() as Player
    for (let i = 0; i < 100; i++) {
      const gone = scene.join() as Player
      for (const bytes of sizes) gone.heap.free(gone.heap.alloc(bytes))
      // The spans are taken while their owner lives. So the sweep behind it finds none.
      unlessFull(() => void keeper.heap.alloc(keeper.heap.maximum))
      scene.kill(gone)
    }
    let count = 0
    unlessFull(() => {
      for (;;) count += Math.sign(keeper.heap.alloc(1024))
    })
    expect(count).toBe(63 * 8)
  })
})
