// Several threads of a shared heap, played by one: each has an object over the same words, and a slot of its own. So a
// history of them replays from its seed, and a thread can be ended at any step.
import type { Memory, SharedRegion } from '@memlayer/core'
import type { ProcessTable } from '@memlayer/kernel'
import { layoutOf, writeHeader, type Layout } from '../../src/shared/layout.js'
import { SharedHeap } from '../../src/shared/shared-heap.js'
import { Slots } from '../../src/shared/slots.js'

const osPage = 4096

/** A thread of the scene. */
export interface Player {
  readonly thread: number
  readonly slot: number
  readonly heap: SharedHeap
}

/** A heap, and what a kernel would know of its threads. */
export class Scene {
  readonly layout: Layout
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly #alive = new Set<number>()
  readonly #knowsThreads: boolean
  #threads = 0

  /** `knowsThreads`: whether the host tells which threads there are. */
  constructor(pages: number, threads: number, knowsThreads = true) {
    this.layout = layoutOf(pages, threads, osPage)
    this.bytes = new Uint8Array(new SharedArrayBuffer(this.layout.size) as unknown as ArrayBuffer)
    this.#knowsThreads = knowsThreads
    writeHeader(this.words, this.layout)
  }

  /** All words in front of the objects. */
  get words(): Int32Array {
    return new Int32Array(this.bytes.buffer, 0, this.layout.head / 4)
  }

  /** The slots, as a thread that has none sees them. */
  slotsOf(thread: number): Slots {
    return new Slots(this.words, this.layout, this.#memoryOf(thread))
  }

  /** A new thread attaches. Null: all slots are in use. */
  join(): Player | null {
    const thread = (this.#threads += 1)
    this.#alive.add(thread)
    const memory = this.#memoryOf(thread)
    const slots = new Slots(this.words, this.layout, memory)
    const slot = slots.offer()
    if (slot === 0 || !slots.enter(slot)) return null
    const share = { name: 'scene', released: false, release: () => undefined } as unknown as SharedRegion
    const { words, layout } = this
    const bytes = this.bytes.subarray(layout.head)
    return { thread, slot, heap: new SharedHeap({ memory, region: null, share, words, bytes, layout, slots, slot }) }
  }

  /** The thread has ended, wherever it was. */
  kill({ thread }: Pick<Player, 'thread'>): void {
    this.#alive.delete(thread)
  }

  #memoryOf(thread: number): Memory {
    const table = { thread, engineThread: thread, isThread: (other: number) => this.#alive.has(other) }
    const host = { processTable: () => (this.#knowsThreads ? (table as ProcessTable) : null) }
    return { os: { host, traits: { pageSize: osPage } } } as unknown as Memory
  }
}
