// Two threads that meet at any step. Before each atomic operation of a history of one thread, the other one does some
// work of its own. Then both have what they should have. So each order of steps that matters comes once.
import { errorOf, random } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { SharedModel } from './model.js'
import { Scene, type Player } from './scene.js'
import { switchAt } from './stops.js'

class Meeting {
  readonly scene: Scene
  readonly #numbers
  readonly #own: SharedModel
  readonly #others: SharedModel
  readonly #one: Player
  readonly #other: Player
  readonly #gone: Player

  /** Two threads whose objects lie in the spans of both, and in those of a third one. */
  constructor(seed: number, pages = 512) {
    this.scene = new Scene(pages, 5)
    this.#one = this.#join()
    this.#other = this.#join()
    this.#gone = this.#join()
    this.#numbers = random(seed)
    this.#own = new SharedModel(this.#numbers, 30, 20_000)
    this.#others = new SharedModel(this.#numbers, 30, 20_000)
    for (let i = 0; i < 120; i++)
      this.#numbers.pick([this.#own, this.#others]).step(this.#numbers.pick([this.#one, this.#other, this.#gone]).heap)
  }

  #join(): Player {
    return this.scene.join() as Player
  }

  /** The third thread has ended. The next one that needs room sweeps. */
  endThird(): void {
    this.scene.kill(this.#gone)
  }

  /** The spans of the third thread are orphans. Both others want them. */
  orphanThird(): void {
    this.endThird()
    this.workWhenFull()
  }

  /** What one thread does. */
  allocate(): void {
    for (const bytes of [8, 8, 24, 3000, 30_000, 65_536, 200_000]) this.#own.alloc(this.#one.heap, bytes)
  }

  freeAll(): void {
    while (this.#own.objects.length > 0) this.#own.free(this.#one.heap, this.#own.objects.length - 1)
  }

  resize(): void {
    for (let i = 0; i < Math.min(12, this.#own.objects.length); i++) this.#own.realloc(this.#one.heap, i, 100 * i + 9)
  }

  fill(): void {
    expect(String(errorOf(() => this.#one.heap.alloc(this.#one.heap.maximum)))).toContain('has no room')
  }

  /** What the other one does meanwhile. */
  work(): void {
    for (let i = 0; i < 12; i++) this.#others.step(this.#other.heap)
  }

  workWhenFull(): void {
    this.work()
    expect(String(errorOf(() => this.#other.heap.alloc(this.#other.heap.maximum)))).toContain('has no room')
    this.work()
  }

  freeOthers(): void {
    const { objects } = this.#others
    while (objects.length > 0) this.#others.free(this.#other.heap, objects.length - 1)
    for (const bytes of [8, 24, 3000, 30_000, 200_000]) this.#others.alloc(this.#other.heap, bytes)
  }

  adopt(): void {
    for (let bytes = 8; bytes < 20_000; bytes = Math.ceil(bytes * 1.3)) this.#own.alloc(this.#one.heap, bytes)
  }

  adoptToo(): void {
    for (let bytes = 8; bytes < 20_000; bytes = Math.ceil(bytes * 1.3)) this.#others.alloc(this.#other.heap, bytes)
  }

  /** Both have what is theirs, and all pages come back. */
  expectSound(): void {
    const [one, other] = [this.#one.heap, this.#other.heap]
    this.endThird()
    this.fill()
    const all = new SharedModel(this.#numbers, 0, 0)
    all.objects.push(...this.#own.objects, ...this.#others.objects)
    all.checkAll(other)
    for (let i = 0; i < 20; i++) this.#own.step(one)
    this.work()
    while (this.#others.objects.length > 0) this.#others.free(one, this.#others.objects.length - 1)
    while (this.#own.objects.length > 0) this.#own.free(other, this.#own.objects.length - 1)
    other.destroy()
    this.fill()
    expect(one.stats()).toMatchObject({ objects: 0, used: 0, threads: 1, orphans: 0 })
    one.check()
  }
}

type Part = 'adopt' | 'allocate' | 'freeAll' | 'resize' | 'fill'
type OtherPart = 'adoptToo' | 'work' | 'workWhenFull' | 'freeOthers'
const parts: readonly Part[] = ['adopt', 'allocate', 'freeAll', 'resize', 'fill']
const otherParts: readonly OtherPart[] = ['adoptToo', 'work', 'workWhenFull', 'freeOthers']
const rows = parts.flatMap((one) =>
  otherParts.flatMap((other) =>
    (['lives', 'has ended', 'was swept'] as const).map((third) => [one, other, third] as const),
  ),
)

describe('two threads that meet at any step', () => {
  it.each(rows)('both keep what is theirs: %s and %s, a third one %s', (one, other, third) => {
    for (let k = 1; ; k += k < 40 ? 1 : Math.ceil(k / 5)) {
      const meeting = new Meeting(1 + (k % 5))
      if (third === 'has ended') meeting.endThird()
      if (third === 'was swept') meeting.orphanThird()
      const hasMet = switchAt(
        k,
        () => meeting[other](),
        () => meeting[one](),
      )
      meeting.expectSound()
      if (!hasMet) break
      expect(k).toBeLessThan(50_000)
    }
  })
  it.each([8, 40, 3000, 65_536, 200_000])('free an object of %i bytes once, and one of them is refused', (bytes) => {
    for (const maker of [0, 1, 2]) {
      for (let k = 1; ; k++) {
        const scene = new Scene(512, 3)
        const players = [scene.join(), scene.join(), scene.join()] as Player[]
        const [one, other] = players as [Player, Player]
        const { heap } = players[maker] as Player
        const handle = heap.alloc(bytes)
        const codes: unknown[] = []
        const free = (player: Player): void => {
          try {
            player.heap.free(handle)
            codes.push('freed')
          } catch (error) {
            codes.push((error as { code?: unknown }).code)
          }
        }
        const hasMet = switchAt(
          k,
          () => free(other),
          () => free(one),
        )
        if (!hasMet) break
        expect(codes).toContain('freed')
        expect(codes.filter((code) => code !== 'freed')).toEqual([expect.stringMatching(/_STATE$|_NOT_OWNED$/)])
        expect(heap.stats().objects).toBe(0)
        heap.check()
      }
    }
  })
})

describe('a span that was full', () => {
  it.each([0, 1])('serves its owner again when an object in it was freed, by thread %i', (freer) => {
    const scene = new Scene(512, 2)
    const players = [scene.join(), scene.join()] as [Player, Player]
    const [{ heap }] = players
    const handles = Array.from({ length: 2000 }, () => heap.alloc(64))
    const { used } = heap.stats()
    const freed = handles.filter((_, i) => i % 10 === 3)
    for (const handle of freed) (players[freer] as Player).heap.free(handle)
    const again = freed.map(() => heap.alloc(64))
    expect(heap.stats().used).toBe(used)
    // The rest of the span that served last comes before the others: 128 objects at most.
    expect(again.filter((handle) => freed.includes(handle)).length).toBeGreaterThanOrEqual(freed.length - 128)
  })
})
