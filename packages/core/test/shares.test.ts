// Compares offers and holds with a plain list. Both must refuse, revoke and restore the same ones. An operation on one
// of many shares must not visit the others.
import { testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Borrows } from '../src/borrows/borrows.js'
import { Hold } from '../src/borrows/hold.js'
import { readOffer, RELEASED, STATE, TAKEN, type Offered, type ShareToken } from '../src/borrows/share-token.js'
import { Shares } from '../src/borrows/shares.js'
import type { WorkerEnd, WorkerLike } from '../src/borrows/worker.js'
import { PageOS } from './page-os.js'

fc.configureGlobal({ seed: testSeed() })

const BASE = 0x7f12_3456_7000
const PAGE = 4096

/** A worker that a test can end. It has no thread id, so that this thread may take up its offers. */
class Worker implements WorkerLike {
  end: () => void = () => {}
  once(_event: 'exit', listener: () => void): void {
    this.end = listener
  }
}

type State = 'offered' | 'held' | 'released' | 'revoked'

/** An offer or a hold in the list. */
interface Listed {
  readonly start: number
  readonly end: number
  readonly worker: Worker | null
  readonly token: ShareToken | null
  /** Releases a hold or a taken offer. Null for an offer that is not taken. */
  giveUp: (() => void) | null
  state: State
}

/** How this file's workers end: by their event, as in a host without a number for the thread. */
function endOf(worker: WorkerLike): WorkerEnd {
  return {
    thread: undefined,
    hasEnded: () => undefined,
    listen: (listener) => void (worker as Worker).once('exit', listener),
  }
}

const makeBorrows = (): Borrows => new Borrows(new PageOS(), null, new Shares(null, endOf))

// Holds that are not released would warn when they are collected.
const kept = new Set<Hold>()

/** A hold. The function returned releases it. */
function hold(shares: Shares, v: number, n: number): () => void {
  const one = new Hold('name', v, n, shares.hold(v, n))
  kept.add(one)
  return () => one.release()
}

/** Takes up an offer. */
function takeUp(token: ShareToken): Offered {
  const offered = readOffer(token, 'os', null)
  offered.take()
  return offered
}

const states: readonly State[] = ['offered', 'held', 'released', 'revoked']
const refusal = expect.objectContaining({ code: 'ERR_MEMLAYER_SHARED' }) as Error

class Model {
  readonly #borrows = makeBorrows()
  readonly shares: Shares = this.#borrows.shares
  readonly #workers = [new Worker(), new Worker(), new Worker()]
  readonly #all: Listed[] = []

  hold(v: number, n: number): void {
    this.#all.push({ start: v, end: v + n, worker: null, token: null, giveUp: hold(this.shares, v, n), state: 'held' })
  }

  offer(v: number, n: number, pick: number): void {
    const worker = this.#workers[pick % 3] as Worker
    this.#all.push({
      start: v,
      end: v + n,
      worker,
      token: this.shares.offer(this.shares.givenTo(worker), 'os', 'name', v, n),
      giveUp: null,
      state: 'offered',
    })
  }

  takeUp(pick: number): void {
    const one = this.#all[pick % this.#all.length]
    const token = one?.token ?? null
    if (one === undefined || token === null) return
    const take = (): Offered => takeUp(token)
    if (one.state !== 'offered') return void expect(take).toThrow(refusal)
    one.giveUp = take().giveUp
    one.state = 'held'
  }

  release(pick: number): void {
    const one = this.#all[pick % this.#all.length]
    one?.giveUp?.()
    if (one?.state === 'held') one.state = 'released'
  }

  /** Ends a worker, and puts another in its place. */
  end(pick: number): void {
    const worker = this.#workers[pick % 3] as Worker
    worker.end()
    this.#workers[pick % 3] = new Worker()
    for (const one of this.#all) {
      if (one.worker !== worker) continue
      if (one.state === 'offered') one.state = 'revoked'
      if (one.state === 'held') one.state = 'released'
    }
  }

  revoke(pairs: readonly number[]): void {
    const touched = this.#all.filter(
      ({ start, end }) =>
        start < end && pairs.some((v, i) => i % 2 === 0 && touches(start, end, v, pairs[i + 1] as number)),
    )
    const act = (): void => this.#borrows.endAll('op', pairs)
    if (touched.some(({ state }) => state === 'held')) return void expect(act).toThrow(refusal)
    act()
    for (const one of touched) if (one.state === 'offered') one.state = 'revoked'
  }

  check(v: number, n: number): void {
    const isHeld = this.#all.some(
      ({ start, end, state }) => state === 'held' && start < end && touches(start, end, v, n),
    )
    const ask = (): void => this.#borrows.expectEndable('op', v, n)
    if (isHeld) expect(ask).toThrow(refusal)
    else ask()
    const offers = this.#all.filter(({ token }) => token !== null)
    expect(offers.map(({ token }) => states[new Int32Array((token as ShareToken).hold)[0] as number])).toEqual(
      offers.map(({ state }) => state),
    )
    const inForce = this.#all.filter(
      ({ start, end, state }) => start < end && (state === 'offered' || state === 'held'),
    ).length
    expect(this.shares.count).toBeGreaterThanOrEqual(inForce)
  }
}

function touches(start: number, end: number, v: number, n: number): boolean {
  return n > 0 && start < v + n && end > v
}

const places = fc.nat(400).map((page) => BASE + page * PAGE)
const sizes = fc.oneof(
  fc.nat(2 * PAGE),
  fc.nat(40).map((pages) => pages * PAGE),
)
const pairs = fc.array(fc.tuple(places, sizes), { minLength: 1, maxLength: 4 })
const op = fc.constantFrom(
  'hold',
  'hold',
  'offer',
  'offer',
  'offer',
  'takeUp',
  'release',
  'release',
  'end',
  'revoke',
  'revoke',
  'revoke',
)
const step = fc.record({ op, v: places, n: sizes, pick: fc.nat(), pairs })

afterEach(() => void vi.restoreAllMocks())

describe('offers and holds', () => {
  it('are refused, revoked and restored like those in a plain list', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 150, size: 'max' }), (steps) => {
        const model = new Model()
        for (const { op: name, v, n, pick, pairs: ranges } of steps) {
          if (name === 'hold') model.hold(v, n)
          else if (name === 'offer') model.offer(v, n, pick)
          else if (name === 'revoke') model.revoke(ranges.flat())
          else model[name](pick)
          // Core never checks an empty range.
          model.check(v, Math.max(n, 1))
        }
      }),
      { numRuns: 150 },
    )
  })

  it('are released without visiting the others: 200,000 holds, the oldest or the newest first', () => {
    // Visiting all remaining holds at each release would take minutes, longer than a test may run.
    for (const reversed of [false, true]) {
      const { shares } = makeBorrows()
      const releases = Array.from({ length: 200_000 }, (_, i) => hold(shares, BASE + i * PAGE, PAGE))
      if (reversed) releases.reverse()
      expect(shares.count).toBe(releases.length)
      for (const release of releases) release()
      expect(shares.count).toBe(0)
    }
  })

  it('are not read when other pages are given back', () => {
    const borrows = makeBorrows()
    const { shares } = borrows
    const worker = new Worker()
    for (let i = 0; i < 2000; i++) {
      hold(shares, BASE + 2 * i * 2 ** 20, PAGE)
      shares.offer(shares.givenTo(worker), 'os', 'name', BASE + (2 * i + 1) * 2 ** 20, PAGE)
    }
    const asked = [vi.spyOn(Atomics, 'load'), vi.spyOn(Atomics, 'compareExchange')]
    borrows.expectEndable('op', BASE + PAGE, 2 ** 20 - PAGE)
    borrows.endAll('op', [BASE + PAGE, 2 ** 20 - PAGE, BASE + 2 ** 20 + PAGE, 2 ** 20 - PAGE])
    expect(asked.map(({ mock }) => mock.calls.length)).toEqual([0, 0])
    borrows.endAll('op', [BASE + PAGE, 2 ** 20])
    expect(asked.map(({ mock }) => mock.calls.length)).toEqual([1, 1])
  })

  it('are rarely checked for a release, not at each new offer', () => {
    const { shares } = makeBorrows()
    const worker = new Worker()
    const asked = vi.spyOn(Atomics, 'load')
    for (let i = 0; i < 2000; i++) shares.offer(shares.givenTo(worker), 'os', 'name', BASE + i * PAGE, PAGE)
    expect(asked.mock.calls.length).toBeLessThan(2 * 2000)
  })

  it('are dropped with pages that are gone: those of the range alone, whatever has them, and once', () => {
    const { shares } = makeBorrows()
    const worker = new Worker()
    const offer = (page: number): ShareToken =>
      shares.offer(shares.givenTo(worker), 'os', 'name', BASE + page * PAGE, PAGE)
    const below = hold(shares, BASE, PAGE)
    const held = shares.hold(BASE + PAGE, PAGE)
    held.words[STATE] = TAKEN
    const taken = takeUp(offer(2))
    const token = offer(3)
    const above = hold(shares, BASE + 4 * PAGE, PAGE)
    shares.drop(BASE + PAGE, 3 * PAGE)
    expect([shares.count, held.words[STATE]]).toEqual([2, RELEASED])
    expect(() => takeUp(token)).toThrow(/was revoked/)
    const left = shares.holdings(BASE, 5 * PAGE).map(({ address }) => address)
    expect(left.toSorted((a, b) => a - b)).toEqual([BASE, BASE + 4 * PAGE])
    held.giveUp()
    taken.giveUp()
    expect(shares.count).toBe(2)
    below()
    above()
    expect(shares.count).toBe(0)
  })

  it('are forgotten when a worker has released them, has ended, or is too late', () => {
    const borrows = makeBorrows()
    const { shares } = borrows
    const worker = new Worker()
    for (let i = 0; i < 100; i++) takeUp(shares.offer(shares.givenTo(worker), 'os', 'name', BASE + i * PAGE, PAGE))
    for (let i = 0; i < 5000; i++) {
      takeUp(shares.offer(shares.givenTo(worker), 'os', 'name', BASE + (100 + i) * PAGE, PAGE)).giveUp()
      expect(shares.count).toBeLessThanOrEqual(2 * 101 + 1)
    }
    borrows.endAll('op', [BASE + 100 * PAGE, 5000 * PAGE])
    expect(shares.count).toBe(100)
    worker.end()
    expect(shares.count).toBe(0)
    const late = shares.offer(shares.givenTo(new Worker()), 'os', 'name', BASE, PAGE)
    borrows.endAll('op', [BASE, PAGE])
    expect(shares.count).toBe(0)
    expect(() => takeUp(late)).toThrow(/was revoked/)
  })

  it('are all restored when one of the revoked ranges is held', () => {
    const borrows = makeBorrows()
    const { shares } = borrows
    const worker = new Worker()
    const tokens = Array.from({ length: 50 }, (_, i) =>
      shares.offer(shares.givenTo(worker), 'os', 'name', BASE + i * PAGE, PAGE),
    )
    const taken = takeUp(tokens[49] as ShareToken)
    const all = Array.from({ length: 50 }, (_, i) => [BASE + i * PAGE, PAGE]).flat()
    for (let i = 0; i < 2; i++) {
      expect(() => borrows.endAll('op', all)).toThrow(/a worker uses the 4096 bytes/)
      expect(tokens.map((token) => new Int32Array(token.hold)[0])).toEqual(tokens.map((_, at) => (at === 49 ? 1 : 0)))
    }
    taken.giveUp()
    borrows.endAll('op', all)
    expect([shares.count, new Set(tokens.map((token) => new Int32Array(token.hold)[0]))]).toEqual([0, new Set([2, 3])])
  })
})
