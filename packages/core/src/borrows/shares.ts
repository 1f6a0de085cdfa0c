// The owner's side of shares and holds. A share hands a Ready range to one worker, which then has views of its own
// over the same bytes. A hold is the owner's own, for as long as a call works on the bytes. Until either is
// released the pages stay Ready.
import type { Address } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import type { ProcessRecord } from '../process/record.js'
import { now, tell, type Holding, type Maker } from '../holding.js'
import { formatAddress } from '../text.js'
import { RangeIndex, type Found, type IndexEntry } from './range-index.js'
import {
  makeToken,
  OFFERED,
  RELEASED,
  REVOKED,
  STATE,
  TAKEN,
  TAKER,
  type EngineBytes,
  type ShareToken,
} from './share-token.js'
import { endOfWorker, type WorkerEnd, type WorkerLike } from './worker.js'

/** A share or a hold. A worker can't release a hold, and the owner can't revoke one. */
export interface Share extends IndexEntry<Share> {
  /** Its state is the first word. */
  readonly words: Int32Array
  /** What its worker was given; null: it is a hold. */
  readonly given: Given | null
  /** Who made it. */
  readonly maker: Maker
}

/** What one worker may still have. Its end takes all of it. */
export interface Given {
  readonly end: WorkerEnd
  readonly offers: Set<Share>
  /** The number of offers at which those that were released are forgotten. */
  offersMax: number
  /** Whether the worker's event has said that it ended. */
  isOver: boolean
}

/** What a hold has of a range. */
export interface Keep {
  /** Its state is the first word. */
  readonly words: Int32Array
  readonly maker: Maker
  /** Ends it. A second time does nothing. */
  readonly giveUp: () => void
}

/** Looks at a thread that is about to end, a millisecond apart. */
const endingTriesMax = 200

/** A message names at most this many holdings. */
const toldMax = 3

/** A walk over fewer offers than this is not worth its time. */
const offersMin = 16

/** What has been handed out, and what is held. */
export class Shares {
  readonly #index = new RangeIndex<Share>()
  // One listener a worker, however much it is given.
  readonly #workers = new WeakMap<WorkerLike, Given>()
  readonly #endOf: (worker: WorkerLike) => WorkerEnd
  /** A number that changes with every new offer and hold. */
  version = 0

  readonly #record: ProcessRecord | null

  /** `record`: the memory's. `endOf` says how to learn of a worker's end, or throws. */
  constructor(record: ProcessRecord | null = null, endOf: (worker: WorkerLike) => WorkerEnd = endOfWorker) {
    this.#record = record
    this.#endOf = endOf
  }

  /** The number of offers and holds that may still be in force. */
  get count(): number {
    return this.#index.size
  }

  /** Offers [v, v+n), which was proved since `given` was found. `bytes`: where the memory is the engine's. */
  offer(
    given: Given,
    os: string,
    name: string,
    v: Address,
    n: number,
    maker: Maker = unknown('share'),
    bytes: EngineBytes | null = null,
  ): ShareToken {
    const { token, words } = makeToken(os, name, v, n, given.end.thread, this.#record, bytes)
    given.offers.add(this.#add(v, n, words, given, maker))
    return token
  }

  /** Is ready to keep [v, v+n) as it is, from when the state is TAKEN on. */
  hold(v: Address, n: number, maker: Maker = unknown('hold')): Keep {
    const share = this.#add(v, n, Int32Array.of(RELEASED), null, maker)
    const giveUp = (): void => {
      share.words[STATE] = RELEASED
      this.#forget(share)
    }
    return { words: share.words, maker, giveUp }
  }

  /**
   * The shares of parts of [v, v+n), before those of `offers`. No worker has one, and there is no hold.
   *
   * @throws UsageError ERR_MEMLAYER_SHARED when a worker has one, or there is a hold.
   */
  expectOffers(op: string, v: Address, n: number, offers: Found<Share> | null = null): Found<Share> | null {
    const found = this.#index.touching(v, n, offers)
    for (let at = found; at !== offers && at !== null; at = at.next)
      if (this.#isTaken(at.entry)) this.#refuse(op, v, n, at.entry)
    return found
  }

  /**
   * Revokes what `expectOffers` returned: all of it, or nothing where a worker was faster.
   *
   * @throws UsageError ERR_MEMLAYER_SHARED
   */
  revoke(op: string, v: Address, n: number, offers: Found<Share>): void {
    let revoked: Found<Share> | null = null
    for (let at: Found<Share> | null = offers; at !== null; at = at.next) {
      const share = at.entry
      const found = Atomics.compareExchange(share.words, STATE, OFFERED, REVOKED)
      if (found === OFFERED) revoked = { entry: share, next: revoked }
      // Released, or revoked by a call that a script left.
      else if (found !== TAKEN) this.#forget(share)
      if (found !== TAKEN) continue
      for (; revoked !== null; revoked = revoked.next)
        Atomics.compareExchange(revoked.entry.words, STATE, REVOKED, OFFERED)
      this.#refuse(op, v, n, share)
    }
    // They are forgotten when all are revoked. Until then they may be offered again.
    for (; revoked !== null; revoked = revoked.next) this.#forget(revoked.entry)
  }

  /** Ends all shares and holds of [v, v+n), whose pages are not there any more. */
  drop(v: Address, n: number): void {
    for (let at = this.#index.touching(v, n); at !== null; at = at.next) {
      release(at.entry)
      this.#forget(at.entry)
    }
  }

  /** What keeps pages of [v, v+n) Ready. */
  holdings(v: Address, n: number): Holding[] {
    const list: Holding[] = []
    for (let at = this.#index.touching(v, n); at !== null; at = at.next)
      if (this.#isTaken(at.entry)) list.push(holdingOf(at.entry))
    return list
  }

  /** @throws UsageError ERR_MEMLAYER_SHARED always. */
  #refuse(op: string, v: Address, n: number, share: Share): never {
    const holds = [holdingOf(share), ...this.holdings(v, n).filter(({ address }) => address !== share.start)]
    const told = holds.slice(0, toldMax).map(tell).join(', and ')
    const more = holds.length > toldMax ? `, and ${holds.length - toldMax} more` : ''
    throw new UsageError('ERR_MEMLAYER_SHARED', `${op}(${formatAddress(v)}, ${n}): ${told}${more}`, {
      op,
      address: v,
      size: n,
      holds,
      hint: hintOf(share),
    })
  }

  #add(v: Address, n: number, words: Int32Array, given: Given | null, maker: Maker): Share {
    const share: Share = { start: v, end: v + n, next: null, previous: null, isIn: false, words, given, maker }
    this.version = (this.version + 1) | 0
    // A share of no bytes keeps no page.
    if (share.start !== share.end) this.#index.add(share)
    return share
  }

  #forget(share: Share): void {
    this.#index.delete(share)
    share.given?.offers.delete(share)
  }

  /** What was given to `worker`, with room for more. It asks the worker, whose code may do anything. */
  givenTo(worker: WorkerLike): Given {
    const known = this.#workers.get(worker)
    if (known !== undefined && known.end.hasEnded() !== true) {
      if (known.offers.size >= known.offersMax) this.#forgetReleased(known)
      return known
    }
    const given: Given = { end: this.#endOf(worker), offers: new Set(), offersMax: offersMin, isOver: false }
    this.#listen(given)
    this.#workers.set(worker, given)
    return given
  }

  /** A worker that is terminated runs no code of its own. Its owner hears of the end, or of an end that is none. */
  #listen(given: Given): void {
    given.end.listen(() => {
      if (given.end.hasEnded() === false) return this.#listen(given)
      given.isOver = true
      for (const share of given.offers) {
        // Deno tells of the end before the thread has ended. The next operation on the pages looks again.
        if (!this.#hasEnded(share)) continue
        release(share)
        this.#forget(share)
      }
    })
  }

  /** Whether it keeps its pages. A worker whose thread has ended keeps none, also before its event comes. */
  #isTaken(share: Share): boolean {
    const { words, given } = share
    if (Atomics.load(words, STATE) !== TAKEN) return false
    if (given === null || !(given.isOver || given.end.hasEnded() === true)) return true
    for (let tries = 0; !this.#hasEnded(share); tries++) {
      if (tries === endingTriesMax) return true
      // Its end was told, so it comes in a moment.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
    release(share)
    return false
  }

  /** Whether the thread has ended that took it up. The kernel's word counts, where it is to be had. */
  #hasEnded({ words }: Share): boolean {
    const taker = words[TAKER] ?? 0
    return taker === 0 || this.#record === null || !this.#record.table.isThread(taker)
  }

  /** The next walk comes when there are twice as many as are left, so a walk costs no more than the offers since. */
  #forgetReleased(given: Given): void {
    for (const share of given.offers) if (Atomics.load(share.words, STATE) > TAKEN) this.#forget(share)
    given.offersMax = Math.max(offersMin, 2 * given.offers.size)
  }
}

/** No thread takes it up from now on, and none has it. */
function release({ words }: Share): void {
  Atomics.compareExchange(words, STATE, OFFERED, REVOKED)
  Atomics.compareExchange(words, STATE, TAKEN, RELEASED)
}

const holdingOf = ({ start, end, given, maker }: Share): Holding => ({
  kind: maker.kind,
  region: maker.region,
  offset: maker.offset,
  length: end - start,
  address: start,
  made: maker.made,
  worker: given === null ? null : (given.end.thread ?? null),
  age: now() - maker.since,
})

const unknown = (kind: Maker['kind']): Maker => ({ kind, region: 'region', offset: 0, made: '', since: now() })

function hintOf({ maker: { kind } }: Share): string {
  if (kind === 'share') return 'Release the region in the worker, or end the worker, and try again.'
  if (kind === 'hold') return 'Release the hold after the asynchronous call has ended, and try again.'
  return `Wait until what region.${kind}() returned has ended, and try again.`
}
