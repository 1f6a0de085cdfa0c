// One thread's part in a shared heap: its slot, the spans that it allocates in, and the sweep behind threads that have
// ended.
import { Bitmaps } from './bitmaps.js'
import { Hints } from './hints.js'
import type { Layout } from './layout.js'
import { Objects } from './objects.js'
import { SharedPages } from './pages.js'
import { Pins } from './pins.js'
import type { Slots } from './slots.js'
import { SharedSpans } from './spans.js'

/** What the thread of one slot has of a heap. */
export class Thread {
  readonly objects: Objects
  readonly spans: SharedSpans
  readonly #slots: Slots
  readonly #slot: number
  readonly #slotsMax: number

  constructor(words: Int32Array, layout: Layout, slots: Slots, slot: number) {
    const pins = new Pins(words, layout, slot)
    const pages = new SharedPages(words, layout, slot, pins)
    const [maps, hints] = [new Bitmaps(words, layout), new Hints(words, layout)]
    this.objects = new Objects(words, layout)
    this.spans = new SharedSpans({ words, layout, slot, pages, maps, pins, hints })
    this.#slots = slots
    this.#slot = slot
    this.#slotsMax = layout.slots
  }

  /** Takes a slot for a thread that will attach; 0: all are in use. */
  offer(): number {
    const slot = this.#slots.offer()
    if (slot > 0) return slot
    this.sweep()
    return this.#slots.offer()
  }

  /** Looks for threads that have ended. Their spans are free to adopt from then on. */
  sweep(): void {
    for (let slot = 1; slot < this.#slotsMax; slot++) this.#sweepOne(slot)
  }

  #sweepOne(slot: number): void {
    if (!this.#slots.beginSweep(slot, this.#slot)) return
    this.spans.giveUp(slot)
    // It may have ended in the middle of sweeping behind others. Until those are swept, they name this slot.
    for (const other of this.#slots.sweptBy(slot)) this.#sweepOne(other)
    this.#slots.endSweep(slot)
  }

  /** Others take over its spans, and its slot. */
  leave(): void {
    this.spans.giveUp(this.#slot)
    this.#slots.endSweep(this.#slot)
  }
}

const dropped = /* @__PURE__ */ new FinalizationRegistry<Thread>((thread) => {
  try {
    thread.leave()
  } catch {
    // Its pages are not there any more.
  }
})

/** The thread leaves when the collector has found that its heap was dropped. It goes on, so no other thread hears. */
export function leaveWhenDropped(heap: object, thread: Thread): void {
  dropped.register(heap, thread, heap)
}

/** The heap was not dropped. */
export function leaveByItself(heap: object): void {
  dropped.unregister(heap)
}
