// Regions in workers. A share hands a Ready range to one worker, which then has views of its
// own over the same bytes. While the worker holds it, its pages stay Ready: the owner's
// sysUnused, sysFault and sysFree of them are refused. One word of shared memory decides
// between the two, so that neither can be too late.
import type { Address } from '@memlayer/kernel'
import { show } from './check.js'
import { formatAddress, UsageError } from './errors.js'

// The word's values. OFFERED becomes HELD or REVOKED, HELD becomes RELEASED; nothing else happens.
const OFFERED = 0
const HELD = 1
const RELEASED = 2
const REVOKED = 3

/** What is posted to the worker: `worker.postMessage(region.share(worker))`. */
export interface ShareToken {
  /** What it is. */
  readonly memlayer: 'share'
  /** The backend whose memory it is. */
  readonly os: string
  /** What the owner calls the region. */
  readonly name: string
  /** Where the pages begin. */
  readonly address: Address
  /** Their bytes. */
  readonly size: number
  /** The word that both sides agree through. */
  readonly hold: SharedArrayBuffer
}

/** A worker, as far as its end can be heard of: Node's and Bun's `Worker`. */
export interface WorkerLike {
  /** Node's: told once when the thread has ended. */
  once?(event: 'exit', listener: () => void): unknown
  /** Bun's, likewise. */
  addEventListener?(event: 'close', listener: () => void): unknown
}

interface Share {
  readonly start: Address
  readonly end: Address
  readonly hold: Int32Array
}

/** The owner's side: what has been handed out. */
export class Shares {
  #shares: Share[] = []

  /** The number of offers that may still be held. */
  get count(): number {
    return this.#shares.length
  }

  /** Offers [v, v+n) to `worker`. */
  offer(worker: WorkerLike, os: string, name: string, v: Address, n: number): ShareToken {
    if (worker === null || typeof worker !== 'object' || (worker.once ?? worker.addEventListener) === undefined) {
      throw new UsageError('ERR_MEMLAYER_SHARED', `share: the worker is ${show(worker)}`, {
        hint: 'Pass the Worker that the token is posted to: when it ends, its hold on the memory ends.',
      })
    }
    const memory = new SharedArrayBuffer(4)
    const hold = new Int32Array(memory)
    this.#shares.push({ start: v, end: v + n, hold })
    // A worker that is terminated runs no code of its own: its owner hears of the end.
    const ended = (): void => void Atomics.store(hold, 0, RELEASED)
    if (worker.once !== undefined) worker.once('exit', ended)
    else worker.addEventListener?.('close', ended)
    return { memlayer: 'share', os, name, address: v, size: n, hold: memory }
  }

  /**
   * Returns when no worker holds a part of [v, v+n); offers of it that nobody has taken up are revoked.
   *
   * @throws UsageError ERR_MEMLAYER_SHARED
   */
  expectNone(op: string, v: Address, n: number): void {
    const touched = this.#shares.filter(({ start, end }) => start < v + n && end > v)
    for (const share of touched) if (Atomics.load(share.hold, 0) === HELD) held(op, v, n, share)
    for (const share of touched) {
      if (Atomics.compareExchange(share.hold, 0, OFFERED, REVOKED) === HELD) held(op, v, n, share)
    }
    if (touched.length > 0) this.#shares = this.#shares.filter((share) => !touched.includes(share))
  }
}

function held(op: string, v: Address, n: number, { start, end }: Share): never {
  const message = `${op}(${formatAddress(v)}, ${n}): a worker holds the ${end - start} bytes at ${formatAddress(start)}`
  throw new UsageError('ERR_MEMLAYER_SHARED', message, {
    op,
    address: v,
    size: n,
    hint: 'Release the region in the worker, or end the worker, and try again.',
  })
}

/**
 * The worker's side: takes up an offer. The function returned releases it.
 *
 * @throws UsageError ERR_MEMLAYER_SHARED when it is no offer, or is taken up or revoked already.
 */
export function takeUp(token: ShareToken, os: string): () => void {
  if (token?.memlayer !== 'share' || !(token.hold instanceof SharedArrayBuffer)) {
    throw new UsageError('ERR_MEMLAYER_SHARED', `attach: ${show(token)} is no share`, {
      hint: 'Pass what region.share(worker) returned, as it arrived by postMessage.',
    })
  }
  if (token.os !== os) {
    throw new UsageError('ERR_MEMLAYER_SHARED', `attach: the region is ${token.os} memory, and this one is ${os}`, {
      hint: 'Make both memories with the same backend.',
    })
  }
  const hold = new Int32Array(token.hold)
  const found = Atomics.compareExchange(hold, 0, OFFERED, HELD)
  if (found !== OFFERED) {
    const why = found === HELD ? 'is attached already' : found === REVOKED ? 'has been revoked: its owner needed the memory' : 'has been released'
    throw new UsageError('ERR_MEMLAYER_SHARED', `attach: the share of '${token.name}' ${why}`, {
      hint: 'Ask the owner for another: region.share(worker).',
    })
  }
  return () => void Atomics.compareExchange(hold, 0, HELD, RELEASED)
}
