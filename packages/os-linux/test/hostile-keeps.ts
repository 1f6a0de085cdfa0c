// The holds and the share tokens of the hostile test, and tokens that are wrong in one field. hostile-scene.ts uses
// them.
import { Worker } from 'node:worker_threads'
import type { Hold, Memory, Region, SharedRegion, ShareToken } from '@memlayer/core'
import type { Argument } from './hostile-call.js'
import type { HostileShadow, Keep } from './hostile-shadow.js'

const fields = ['memlayer', 'os', 'hold', 'hold', 'hold'] as const

/** All shares are offered to this worker, which does nothing. */
const worker = new Worker('setInterval(() => {}, 2 ** 30)', { eval: true })
worker.unref()
// An offer ends with its worker, so each listens.
worker.setMaxListeners(Infinity)

/** Makes an offer one for any thread, so that this thread can take it up in the worker's place. */
function forAnyThread(token: ShareToken): ShareToken {
  new Int32Array(token.hold, 0, 2)[1] = -1
  return token
}

/** What keeps pages Ready, and what the shadow knows of it. */
export class HostileKeeps {
  readonly #memory: Memory
  readonly #shadow: HostileShadow
  readonly #held: { readonly hold: Hold | SharedRegion; readonly keep: Keep }[] = []
  readonly #tokens: { readonly token: ShareToken; readonly keep: Keep }[] = []

  constructor(memory: Memory, shadow: HostileShadow) {
    this.#memory = memory
    this.#shadow = shadow
  }

  /** Holds a part of a region. */
  hold(region: Region, offset: undefined, n: undefined): void {
    const hold = region.hold(offset, n)
    this.#held.push({ hold, keep: this.#keep(hold.address, hold.size, 'held') })
  }

  /** Shares a part of a region. */
  share(region: Region, offset: undefined, n: undefined): void {
    const token = forAnyThread(region.share(worker, offset, n))
    this.#tokens.push({ token, keep: this.#keep(token.address, token.size, 'offered') })
  }

  /** Releases what was held last. */
  release(): void {
    const last = this.#held.pop()
    last?.hold.release()
    if (last !== undefined) last.keep.state = 'over'
  }

  /** Releases all that is held. */
  end(): void {
    for (const { hold } of this.#held) hold.release()
  }

  /** Attaches a token. That is right once, while its pages have stayed Ready. */
  attach(which: Argument): { readonly legal: boolean; readonly run: () => unknown } {
    const index = 'number' in which && this.#tokens.length > 0 ? which.number % this.#tokens.length : 0
    const one = this.#tokens[Number.isInteger(index) ? Math.abs(index) : 0]
    if (one === undefined) return { legal: false, run: () => this.#memory.attach(undefined as never) }
    const { token, keep } = one
    return {
      legal: keep.state === 'offered',
      run: () => {
        this.#held.push({ hold: this.#memory.attach(token), keep })
        keep.state = 'held'
      },
    }
  }

  /** A token with one wrong field. */
  mutant(which: Argument, value: unknown): ShareToken {
    const { page } = this.#shadow
    const number = 'other' in which ? which.other : 0
    const field = fields[number % fields.length] as 'os'
    const bytes = new SharedArrayBuffer(32)
    const token = this.#tokens[0]?.token ?? {
      memlayer: 'share',
      os: 'linux',
      name: 'x',
      address: page,
      size: page,
      hold: bytes,
    }
    const holds = [bytes, new SharedArrayBuffer(3), new SharedArrayBuffer(0), new ArrayBuffer(32), value]
    return { ...token, [field]: field === 'os' ? value : holds[number % holds.length] } as ShareToken
  }

  #keep(v: number, n: number, state: Keep['state']): Keep {
    const keep: Keep = { start: v, end: v + n, state }
    this.#shadow.keeps.push(keep)
    return keep
  }
}
