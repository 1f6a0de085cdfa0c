// The end of borrows: all of a range, or none where one can't be ended. A worker's word is believed as far as the
// process says the same.
import { describe, expect, it, vi } from 'vitest'
import { Borrows } from '../src/borrows/borrows.js'
import { RangeIndex } from '../src/borrows/range-index.js'
import { readOffer, RELEASED, REVOKED, STATE, TAKEN, TAKER, type ShareToken } from '../src/borrows/share-token.js'
import { Shares } from '../src/borrows/shares.js'
import type { WorkerEnd } from '../src/borrows/worker.js'
import { ProcessRecord } from '../src/process/record.js'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'
import { Process } from './simulated-process.js'

const page = 4096

/** One worker: what its host tells of its end. */
class Told implements WorkerEnd {
  readonly thread: number | undefined
  ended: boolean | undefined
  /** How often somebody listens. */
  listens = 0
  /** The host says that it ended. */
  tell: () => void = () => undefined

  constructor(thread?: number) {
    this.thread = thread
  }

  hasEnded(): boolean | undefined {
    return this.ended
  }

  listen(listener: () => void): void {
    this.listens += 1
    this.tell = listener
  }
}

interface Scene {
  readonly os: PageOS
  readonly borrows: Borrows
  readonly shares: Shares
  readonly process: Process
  readonly v: number
  readonly told: Told
  /** Offers a page to the worker. */
  readonly offer: (at: number, pages?: number) => { token: ShareToken; words: Int32Array }
}

/** A memory's borrows, with one worker; `isKnown`: in a process that knows its threads. */
function scene(isKnown = false, thread?: number): Scene {
  const process = new Process()
  const record = isKnown ? ProcessRecord.enter(process.of(1), () => []) : null
  const told = new Told(thread)
  const shares = new Shares(record, () => told)
  const os = new PageOS()
  const borrows = new Borrows(os, record, shares)
  const v = os.sysAllocOS(16 * page) as number
  const worker = {}
  const offer: Scene['offer'] = (at, pages = 1) => {
    const token = shares.offer(shares.givenTo(worker), 'os', 'rows', v + at * page, pages * page)
    return { token, words: new Int32Array(token.hold) }
  }
  return { os, borrows, shares, process, v, told, offer }
}

/** Takes up an offer, as the thread of this number. */
function takeUp(token: ShareToken, words: Int32Array, thread = 0): void {
  readOffer({ ...token }, 'os', null).take()
  words[TAKER] = thread
}

describe('the borrows of a range', () => {
  it('end all of them or none, where a view was moved', () => {
    const { borrows, offer, v } = scene()
    const { words } = offer(0)
    const { buffer } = borrows.views.make(Uint8Array, v, 2 * page, 2 * page, null)
    structuredClone(buffer, { transfer: [buffer] })
    for (const end of [() => borrows.end('unused', v, page), () => borrows.endAll('unused', [v, page])]) {
      expect(errorOf(end).code).toBe('ERR_MEMLAYER_VIEW')
      expect([words[STATE], borrows.shares.count]).toEqual([0, 1])
    }
    expect(errorOf(() => borrows.expectEndable('free', v, page))).toMatchObject({
      code: 'ERR_MEMLAYER_VIEW',
      op: 'free',
    })
  })

  it('end all of them or none, where a share is attached', () => {
    const { borrows, offer, v } = scene()
    const [free, taken] = [offer(0), offer(1)]
    takeUp(taken.token, taken.words)
    const view = borrows.views.make(Uint8Array, v, 2 * page, 2 * page, null)
    const ends = [
      () => borrows.end('unused', v, 2 * page),
      () => borrows.endAll('unused', [v, page, v + page, page]),
      () => borrows.expectEndable('unused', v, 2 * page),
    ]
    for (const end of ends) {
      expect(errorOf(end)).toMatchObject({
        code: 'ERR_MEMLAYER_SHARED',
        hint: 'Release the region in the worker, or end the worker, and try again.',
      })
    }
    expect([free.words[STATE], view.length]).toEqual([0, 2 * page])
    borrows.end('unused', v, page)
    expect([free.words[STATE], view.length, borrows.isEmpty]).toEqual([REVOKED, 0, false])
  })

  it('end all of them or none, where a worker takes one up just then, and the error names the first range', () => {
    const { borrows, offer, v } = scene()
    const [first, second] = [offer(0), offer(1)]
    for (const end of [
      () => borrows.end('unused', v, 2 * page),
      () => borrows.endAll('unused', [v, 2 * page, v + 8 * page, page]),
    ]) {
      const { compareExchange } = Atomics
      let asked = 0
      vi.spyOn(Atomics, 'compareExchange').mockImplementation(((
        words: Int32Array,
        ...given: [number, number, number]
      ) => {
        asked += 1
        if (asked === 2) words[STATE] = TAKEN
        return compareExchange(words, ...given)
      }) as typeof compareExchange)
      expect(errorOf(end)).toMatchObject({ code: 'ERR_MEMLAYER_SHARED', op: 'unused', address: v, size: 2 * page })
      vi.restoreAllMocks()
      const states = [first, second].map(({ words }) => words[STATE] as number)
      expect(states.toSorted((a, b) => a - b)).toEqual([0, TAKEN])
      for (const { words } of [first, second]) words[STATE] = 0
    }
    borrows.end('unused', v, 2 * page)
    expect(borrows.isEmpty).toBe(true)
  })

  it('of no bytes are none, among others', () => {
    const { borrows, offer, v } = scene()
    const [first, second] = [offer(0), offer(1)]
    const view = borrows.views.make(Uint8Array, v + 4 * page, 2 * page, 2 * page, null)
    borrows.endAll('unused', [v, 0, v + page, page, v + 5 * page, 0])
    expect([first.words[STATE], second.words[STATE], view.length]).toEqual([0, REVOKED, 2 * page])
    borrows.endAll('unused', [v + 4 * page, page])
    expect(view.length).toBe(0)
  })

  it('that come while others end are ended or refused as well', () => {
    const { borrows, offer, v, os } = scene()
    let late: { words: Int32Array } | null = null
    Object.assign(os, {
      detach: (buffer: ArrayBuffer) => {
        late ??= offer(0)
        structuredClone(buffer, { transfer: [buffer] })
      },
    })
    for (const end of [() => borrows.end('unused', v, page), () => borrows.endAll('unused', [v, page])]) {
      late = null
      borrows.views.make(Uint8Array, v, page, page, null)
      end()
      expect((late as unknown as { words: Int32Array }).words[STATE]).toBe(REVOKED)
      expect(borrows.isEmpty).toBe(true)
    }
  })
})

describe('a hold', () => {
  it('keeps no page where a script ended while it was released, and can be released again', () => {
    const { borrows, shares, v } = scene()
    const { words, giveUp } = shares.hold(v, page)
    words[STATE] = TAKEN
    expect(errorOf(() => borrows.end('free', v, page)).code).toBe('ERR_MEMLAYER_SHARED')
    vi.spyOn(RangeIndex.prototype, 'delete').mockImplementationOnce(() => {
      throw new Error('the script ends')
    })
    expect(giveUp).toThrow('the script ends')
    borrows.end('free', v, page)
    giveUp()
    expect(shares.count).toBe(0)
  })
})

describe('a share that a worker has', () => {
  it('ends with the thread that the host tells of, before the event comes', () => {
    const { borrows, offer, v, told } = scene()
    const { token, words } = offer(0)
    takeUp(token, words)
    told.ended = false
    expect(errorOf(() => borrows.expectEndable('free', v, page)).code).toBe('ERR_MEMLAYER_SHARED')
    told.ended = true
    borrows.end('free', v, page)
    expect([words[STATE], borrows.shares.count]).toEqual([RELEASED, 0])
  })

  it('ends with the event where the host tells no more', () => {
    const { offer, shares, told } = scene()
    const [taken, offered] = [offer(0), offer(1)]
    takeUp(taken.token, taken.words)
    expect([shares.count, told.listens]).toEqual([2, 1])
    told.tell()
    expect([taken.words[STATE], offered.words[STATE], shares.count]).toEqual([RELEASED, REVOKED, 0])
  })

  it('does not end with an event that the program made up', () => {
    const { borrows, offer, v, told } = scene()
    const { token, words } = offer(0)
    takeUp(token, words)
    told.ended = false
    told.tell()
    expect([words[STATE], told.listens]).toEqual([TAKEN, 2])
    expect(errorOf(() => borrows.end('free', v, page)).code).toBe('ERR_MEMLAYER_SHARED')
    told.ended = true
    told.tell()
    expect(words[STATE]).toBe(RELEASED)
  })

  it('is kept while the process still has the thread, whatever the host tells', () => {
    const { borrows, offer, v, told, process } = scene(true)
    const { token, words } = offer(0)
    process.of(7)
    takeUp(token, words, 7)
    told.tell()
    expect(words[STATE]).toBe(TAKEN)
    // It is waited for, for a moment.
    expect(errorOf(() => borrows.end('free', v, page)).code).toBe('ERR_MEMLAYER_SHARED')
    process.alive.delete(7)
    borrows.end('free', v, page)
    expect([words[STATE], borrows.shares.count]).toEqual([RELEASED, 0])
  })

  it('is given back by a thread that ends while it is waited for', () => {
    const { borrows, offer, v, told, process } = scene(true)
    const { token, words } = offer(0)
    let looks = 0
    const table = process.of(7)
    takeUp(token, words, 7)
    told.ended = true
    const has = process.alive.has.bind(process.alive)
    process.alive.has = (thread) => (thread === 7 && (looks += 1) > 3 ? false : has(thread))
    borrows.end('free', v, page)
    expect([looks, words[STATE], table.thread]).toEqual([4, RELEASED, 7])
  })

  it('is told of with its worker, and an offer that nobody took is not', () => {
    const { offer, shares, v } = scene(false, 0)
    const [taken] = [offer(0, 2), offer(2)]
    takeUp(taken.token, taken.words)
    expect(shares.holdings(v, 16 * page)).toMatchObject([
      { kind: 'share', address: v, length: 2 * page, worker: 0, region: 'region', offset: 0 },
    ])
    expect(shares.holdings(v + 2 * page, 14 * page)).toEqual([])
  })

  it('is not offered to a worker that has ended, which gets a place of its own', () => {
    const { offer, shares, told, v } = scene()
    offer(0)
    told.ended = true
    const worker = {}
    const first = shares.givenTo(worker)
    expect(shares.givenTo(worker)).not.toBe(first)
    told.ended = false
    const known = shares.givenTo(worker)
    expect(shares.givenTo(worker)).toBe(known)
    expect(shares.expectOffers('free', v, page)).not.toBe(null)
  })

  it('of no bytes keeps no page', () => {
    const { offer, shares } = scene()
    offer(0, 0)
    expect(shares.count).toBe(0)
  })
})
