// A hold: pages stay Ready while a call works on them. Detaching a view takes it from JavaScript; a thread of the
// host that was given its address before goes on.
import type { Address } from '@memlayer/kernel'
import type { Maker } from '../holding.js'
import { named } from '../text.js'
import { warn } from '../warning.js'
import { STATE, TAKEN } from './share-token.js'
import type { Keep } from './shares.js'

interface Dropped {
  readonly maker: Maker
  readonly size: number
  readonly giveUp: () => void
  readonly words: Int32Array
}

// One warning each, as for a region that is collected without being freed.
const dropped = /* @__PURE__ */ new FinalizationRegistry<Dropped>(warnOfHold)

/** Streams copy by themselves, so nothing works on the pages when nothing can read the stream. */
const copying: ReadonlySet<string> = new Set(['stream', 'toReadable'])

function warnOfHold({ maker: { kind, region, made }, size, giveUp, words }: Dropped): void {
  // Its pages were of a buffer that was adopted, and are gone.
  if (words[STATE] !== TAKEN) return
  const isStream = copying.has(kind)
  if (isStream) giveUp()
  const what = isStream ? `a stream of ${size} bytes` : `region.${kind}() of ${size} bytes`
  const end = isStream ? 'before it ended' : 'without being released. Its pages stay Ready'
  const advice = isStream
    ? 'Read a stream to its end, or cancel it.'
    : "Declare holds with 'using', or call hold.release(). region.lend() releases by itself."
  const place = made.split('\n').slice(1).join('\n')
  warn('MEMLAYER_LEAK', `${what} of the region '${region}' was collected ${end}`, `${place}\n${advice}`)
}

/**
 * Keeps pages Ready until it is released: `unused`, `fault` and `free` of them throw. `region.hold()` makes one.
 * Use it around an asynchronous call that is given a view: `using hold = region.hold(0, n)`, then `await`. A hold that
 * is dropped without a release lasts as long as the process.
 */
export class Hold {
  /** What the region is called. */
  readonly name: string
  /** Where it begins. */
  readonly address: Address
  /** Its bytes. */
  readonly size: number
  readonly #giveUp: () => void
  #released = false

  /** @internal */
  constructor(name: string, address: Address, size: number, { words, giveUp, maker }: Keep) {
    this.name = name
    this.address = address
    this.size = size
    this.#giveUp = giveUp
    dropped.register(this, { maker, size, giveUp, words }, this)
    // This comes last: a script that ends before it has no hold, and one that ends after it has this object.
    words[STATE] = TAKEN
  }

  /** Whether it was released. */
  get released(): boolean {
    return this.#released
  }

  /** Lets the pages go. A second time does nothing. */
  release(): void {
    if (this.#released) return
    this.#giveUp()
    this.#released = true
    dropped.unregister(this)
  }

  /** `release()`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release()
  }

  /** What console.log prints. */
  toString(): string {
    return `${named('Hold of', this)}${this.#released ? ', released' : ''}`
  }
}
