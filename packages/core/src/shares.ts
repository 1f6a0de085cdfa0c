// What stands between pages and those who would take them. A share hands a Ready range to one
// worker, which then has views of its own over the same bytes; a hold is its owner's own, for as long
// as a call is at work on them. Until either is released the pages stay Ready: the owner's sysUnused,
// sysFault and sysFree of them are refused. One word of shared memory decides between the two sides of a share,
// so that neither can be too late.
import type { Address } from '@memlayer/kernel'
import { show } from './check.js'
import { formatAddress, UsageError } from './errors.js'
import { RangeIndex, type IndexEntry } from './range-index.js'
import { threadId, UNKNOWN_THREAD } from './thread.js'

// The word's values. OFFERED becomes HELD or REVOKED, HELD becomes RELEASED; nothing else happens, but that an offer
// which was revoked in vain is made again.
const OFFERED = 0
const HELD = 1
const RELEASED = 2
const REVOKED = 3

// What is posted: two words of 32 bits, the state and the thread that it is for, then three doubles: MAGIC, address and size.
const BYTES = 32
const STATE = 0
const THREAD = 1
/** Marks a buffer as a share's: no number that a program has there by chance. */
const MAGIC = 0x6d6c_6179_6572

/** What is posted to the worker: `worker.postMessage(region.share(worker))`. */
export interface ShareToken {
  /** What it is. */
  readonly memlayer: 'share'
  /** The backend whose memory it is. */
  readonly os: string
  /** What the owner calls the region. */
  readonly name: string
  /** Where the pages begin. For people: `attach` reads it from `hold`, where no message can change it. */
  readonly address: Address
  /** Their bytes. For people as well. */
  readonly size: number
  /** What both sides agree through. */
  readonly hold: SharedArrayBuffer
}

/** A worker, as far as its end can be heard of: the `Worker` of `node:worker_threads`, and Bun's. */
export interface WorkerLike {
  /** Node's: told once when the thread has ended. */
  once?(event: 'exit', listener: () => void): unknown
  /** Bun's, likewise. */
  addEventListener?(event: 'close', listener: () => void): unknown
  /** Which thread it is; -1: it has ended. */
  readonly threadId?: number
}

interface Share extends IndexEntry<Share> {
  /** STATE and THREAD; of a hold, which no other thread knows of, the state alone. */
  readonly words: Int32Array
  /** What its worker was given; null: it is a hold. */
  readonly given: Given | null
}

/** What a worker may still have, and is to be taken from it when it ends. */
interface Given {
  readonly offers: Set<Share>
  /** What it has released is forgotten when there are as many as this. */
  crowd: number
}

/** As few are not worth a walk. */
const CROWD = 16

/** The owner's side: what has been handed out, and what it holds itself. */
export class Shares {
  readonly #index = new RangeIndex<Share>()
  // One listener a worker, however much it is given.
  readonly #workers = new WeakMap<WorkerLike, Given>()

  /** The number of offers and holds that may still be in force. */
  get count(): number {
    return this.#index.size
  }

  /** Offers [v, v+n) to `worker`. */
  offer(worker: WorkerLike, os: string, name: string, v: Address, n: number): ShareToken {
    const given = this.#givenTo(worker)
    const hold = new SharedArrayBuffer(BYTES)
    const words = new Int32Array(hold, 0, 2)
    words[THREAD] = worker.threadId ?? UNKNOWN_THREAD
    new Float64Array(hold, 8).set([MAGIC, v, n])
    given.offers.add(this.#add(v, n, words, given))
    return { memlayer: 'share', os, name, address: v, size: n, hold }
  }

  /** Keeps [v, v+n) as it is; the function returned ends it. */
  hold(v: Address, n: number): () => void {
    const share = this.#add(v, n, Int32Array.of(HELD), null)
    return () => {
      share.words[STATE] = RELEASED
      this.#forget(share)
    }
  }

  /**
   * Returns when nobody holds a part of [v, v+n). Nothing has changed.
   *
   * @throws UsageError ERR_MEMLAYER_SHARED
   */
  expectNone(op: string, v: Address, n: number): void {
    for (const share of this.#index.touching(v, n)) if (Atomics.load(share.words, STATE) === HELD) held(op, v, n, share)
  }

  /**
   * Revokes the offers of parts of the ranges, pairs of address and size: all, or none where a worker was faster.
   *
   * @throws UsageError ERR_MEMLAYER_SHARED
   */
  revoke(op: string, pairs: ArrayLike<number>): void {
    const revoked: Share[] = []
    for (let i = 0; i < pairs.length; i += 2) {
      const v = pairs[i] as Address
      const n = pairs[i + 1] as number
      if (n === 0) continue
      for (const share of this.#index.touching(v, n)) {
        const found = Atomics.compareExchange(share.words, STATE, OFFERED, REVOKED)
        if (found === OFFERED) revoked.push(share)
        else if (found === RELEASED) this.#forget(share)
        if (found !== HELD) continue
        for (const { words } of revoked) Atomics.compareExchange(words, STATE, REVOKED, OFFERED)
        held(op, v, n, share)
      }
    }
    // Not before all are: until then they may be offered again.
    for (const share of revoked) this.#forget(share)
  }

  #add(v: Address, n: number, words: Int32Array, given: Given | null): Share {
    const share: Share = { start: v, end: v + n, next: null, previous: null, words, given }
    // What has no bytes keeps none from going.
    if (share.start !== share.end) this.#index.add(share)
    return share
  }

  #forget(share: Share): void {
    this.#index.delete(share)
    share.given?.offers.delete(share)
  }

  /** What was given to `worker`, with room for more. */
  #givenTo(worker: WorkerLike): Given {
    const hear = hearingOf(worker)
    const known = this.#workers.get(worker)
    if (known !== undefined) {
      if (known.offers.size >= known.crowd) this.#forgetReleased(known)
      return known
    }
    const given: Given = { offers: new Set(), crowd: CROWD }
    // A worker that is terminated runs no code of its own: its owner hears of the end.
    hear(() => {
      for (const share of given.offers) {
        Atomics.compareExchange(share.words, STATE, OFFERED, REVOKED)
        Atomics.compareExchange(share.words, STATE, HELD, RELEASED)
        this.#forget(share)
      }
    })
    this.#workers.set(worker, given)
    return given
  }

  /** The next walk comes when there are twice as many as are left, so that one costs no more than the offers since. */
  #forgetReleased(given: Given): void {
    for (const share of given.offers) if (Atomics.load(share.words, STATE) > HELD) this.#forget(share)
    given.crowd = Math.max(CROWD, 2 * given.offers.size)
  }
}

/** @throws UsageError ERR_MEMLAYER_SHARED when nobody hears of the worker's end, or it has ended. */
export function checkWorker(worker: WorkerLike): void {
  hearingOf(worker)
}

/** How to hear of a worker's end. */
function hearingOf(worker: WorkerLike): (listener: () => void) => void {
  const isObject = typeof worker === 'object' && worker !== null
  if (isObject && worker.threadId === -1) {
    throw new UsageError('ERR_MEMLAYER_SHARED', 'share: the worker has ended', {
      hint: 'Start another, and share the region with that.',
    })
  }
  // A port has a `once` as well, and its thread's end is not told there.
  const { MessagePort } = globalThis as { MessagePort?: new () => object }
  const isPort = MessagePort !== undefined && worker instanceof MessagePort
  const { once, addEventListener }: WorkerLike = isObject && !isPort ? worker : {}
  if (typeof once === 'function') return (listener) => void once.call(worker, 'exit', listener)
  // Of the hosts that have it, Bun alone tells of a worker that was terminated.
  if (typeof addEventListener === 'function' && 'Bun' in globalThis)
    return (listener) => void addEventListener.call(worker, 'close', listener)
  throw new UsageError('ERR_MEMLAYER_SHARED', `share: the worker is ${show(worker)}, whose end nobody is told of`, {
    hint: 'Pass the Worker of node:worker_threads that the token is posted to: when it ends, its hold on the memory ends.',
  })
}

function held(op: string, v: Address, n: number, { start, end, given }: Share): never {
  const who = given === null ? 'a hold is on' : 'a worker holds'
  throw new UsageError(
    'ERR_MEMLAYER_SHARED',
    `${op}(${formatAddress(v)}, ${n}): ${who} the ${end - start} bytes at ${formatAddress(start)}`,
    {
      op,
      address: v,
      size: n,
      hint:
        given === null
          ? 'Release what region.hold() returned when the call that works on the bytes has ended, and try again.'
          : 'Release the region in the worker, or end the worker, and try again.',
    },
  )
}

/** What a worker has taken up. */
export interface Taken {
  readonly name: string
  readonly address: Address
  readonly size: number
  /** Gives it up again. */
  readonly giveUp: () => void
}

/**
 * The worker's side: takes up an offer. What is taken is what its buffer says, and not the token's other fields, which
 * any message can change. Whoever forges the buffer as well forges an address: JavaScript can't tell.
 *
 * @throws UsageError ERR_MEMLAYER_SHARED when it is no offer, is another thread's, or is taken up or revoked already.
 */
export function takeUp(token: ShareToken, os: string): Taken {
  const hold: unknown = token?.memlayer === 'share' ? token.hold : undefined
  const [magic, address = NaN, size = NaN] =
    hold instanceof SharedArrayBuffer && hold.byteLength === BYTES ? new Float64Array(hold, 8) : []
  if (magic !== MAGIC || !(Number.isInteger(address) && address > 0 && Number.isSafeInteger(size) && size >= 0)) {
    throw new UsageError('ERR_MEMLAYER_SHARED', `attach: ${show(token)} is no share`, {
      hint: 'Pass what region.share(worker) returned, as it arrived by postMessage.',
    })
  }
  if (token.os !== os) {
    throw new UsageError(
      'ERR_MEMLAYER_SHARED',
      `attach: the region is ${typeof token.os === 'string' ? token.os : show(token.os)} memory, and this one is ${os}`,
      {
        hint: 'Make both memories with the same backend.',
      },
    )
  }
  const words = new Int32Array(hold as SharedArrayBuffer, 0, 2)
  const name = typeof token.name === 'string' ? token.name : 'region'
  expectThread(name, words[THREAD] as number)
  const found = Atomics.compareExchange(words, STATE, OFFERED, HELD)
  if (found !== OFFERED) {
    const why =
      found === HELD
        ? 'is attached already'
        : found === REVOKED
          ? 'has been revoked: its owner needed the memory'
          : 'has been released'
    throw new UsageError('ERR_MEMLAYER_SHARED', `attach: the share of '${name}' ${why}`, {
      hint: 'Ask the owner for another: region.share(worker).',
    })
  }
  return { name, address, size, giveUp: () => void Atomics.compareExchange(words, STATE, HELD, RELEASED) }
}

/** When the worker that it was offered to ends, its hold ends: so no other thread may have it. */
function expectThread(name: string, offered: number): void {
  const own = threadId()
  if (offered === UNKNOWN_THREAD || offered === own) return
  throw new UsageError(
    'ERR_MEMLAYER_SHARED',
    `attach: the share of '${name}' is for thread ${offered}, and this is thread ${own}`,
    {
      hint: 'Share the region with the worker that attaches it.',
    },
  )
}
