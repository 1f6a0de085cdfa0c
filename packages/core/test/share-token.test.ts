// The token of a share, and the word that decides between its two sides: who may take it up, and what is said to who
// may not.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { makeToken, readOffer, REVOKED, STATE, TAKEN, TAKER, type ShareToken } from '../src/borrows/share-token.js'
import { threadId, UNKNOWN_THREAD } from '../src/borrows/worker.js'
import { reap } from '../src/process/reap.js'
import { ProcessRecord } from '../src/process/record.js'
import { errorOf } from './errors-of.js'
import { Process } from './simulated-process.js'

const page = 4096
const offer = (thread?: number): { token: ShareToken; words: Int32Array } =>
  makeToken('os', 'series', 16 * page, 100, thread, null)

afterEach(() => void vi.restoreAllMocks())

describe('a token', () => {
  it('tells what it is of, and its pages are those that its buffer names', () => {
    const { token } = offer()
    expect(token).toMatchObject({ memlayer: 'share', os: 'os', name: 'series', address: 16 * page, size: 100 })
    const changed = { ...token, address: 5, size: 6, name: 'other' }
    expect(readOffer(changed, 'os', null)).toMatchObject({ name: 'other', address: 16 * page, size: 100 })
    expect(readOffer({ ...token, name: 5 as never }, 'os', null).name).toBe('region')
  })

  it('may be of no bytes', () => {
    expect(readOffer(makeToken('os', 'series', page, 0, undefined, null).token, 'os', null).size).toBe(0)
  })

  it('arrives as a copy of the message, with the same buffer', () => {
    const { token, words } = offer()
    readOffer(structuredClone(token), 'os', null).take()
    expect(words[STATE]).toBe(TAKEN)
  })

  const forged = (change: (numbers: Float64Array) => void): unknown => {
    const { token } = offer()
    change(new Float64Array(token.hold, 24))
    return token
  }
  /** The same words and numbers, and 8 bytes more. */
  const longer = (hold: SharedArrayBuffer): SharedArrayBuffer => {
    const made = new SharedArrayBuffer(hold.byteLength + 8)
    new Uint8Array(made).set(new Uint8Array(hold))
    return made
  }
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'share'],
    ['an object', {}],
    ['what is not marked', { ...offer().token, memlayer: undefined }],
    ['a buffer that is not shared', { ...offer().token, hold: new ArrayBuffer(offer().token.hold.byteLength) }],
    ['a buffer of another length', { ...offer().token, hold: longer(offer().token.hold) }],
    ['what the layer did not make', { ...offer().token, hold: new SharedArrayBuffer(offer().token.hold.byteLength) }],
    ['a place before the memory', forged((numbers) => (numbers[1] = -page))],
    ['the place 0', forged((numbers) => (numbers[1] = 0))],
    ['half a place', forged((numbers) => (numbers[1] = 0.5))],
    ['no place', forged((numbers) => (numbers[1] = NaN))],
    ['a size below 0', forged((numbers) => (numbers[2] = -1))],
    ['half a byte', forged((numbers) => (numbers[2] = 0.5))],
  ])('is not %s', (_, given) => {
    const error = errorOf(() => readOffer(given as ShareToken, 'os', null))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_SHARED', op: 'attach' })
    expect(error.message).toMatch(/^attach: .* is not a share/)
  })

  it('is of one backend', () => {
    const { token } = offer()
    expect(errorOf(() => readOffer(token, 'other', null)).message).toMatch(/'series' is memory of os, but .* of other/)
    const error = errorOf(() => readOffer({ ...token, os: Symbol('x') as never }, 'os', null))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_SHARED', op: 'attach' })
    expect(error.message).toMatch(/is memory of a symbol, but/)
  })
})

describe('a token of memory of the engine', () => {
  const buffer = new SharedArrayBuffer(1000)
  const ofEngine = (byteOffset: number): ShareToken =>
    makeToken('os', 'series', 16 * page, 100, undefined, null, { buffer, byteOffset }).token

  it('has the buffer, and its bytes lie where the owner said', () => {
    const offered = readOffer(ofEngine(900), 'os', null)
    expect([offered.bytes?.buffer === buffer, offered.bytes?.byteOffset]).toEqual([true, 900])
    expect([readOffer(ofEngine(0), 'os', null).bytes?.byteOffset, readOffer(offer().token, 'os', null).bytes]).toEqual([
      0,
      null,
    ])
    expect('buffer' in offer().token).toBe(false)
  })

  it.each<[string, ShareToken]>([
    ['one byte beyond its end', ofEngine(901)],
    ['before its beginning', ofEngine(-1)],
    ['in a shorter one', { ...ofEngine(900), buffer: new SharedArrayBuffer(999) }],
    ['in what is not shared', { ...ofEngine(0), buffer: new ArrayBuffer(1000) as never }],
    ['in what is not a buffer', { ...ofEngine(0), buffer: null as never }],
  ])('is none where they would lie %s', (_, token) => {
    expect(errorOf(() => readOffer(token, 'os', null)).message).toMatch(/^attach: .* is not a share/)
  })
})

describe('an offer', () => {
  it('is for the thread that it names, and for any where the host has no numbers', () => {
    const own = threadId()
    expect(Number.isInteger(own) && own >= 0).toBe(true)
    readOffer(offer(own).token, 'os', null)
    readOffer(offer().token, 'os', null)
    const error = errorOf(() => readOffer(offer(own + 1).token, 'os', null))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_SHARED', op: 'attach' })
    expect(error.message).toContain(`is for thread ${own + 1}, and this is thread ${own}`)
  })

  it('of a thread is refused where the host does not tell which thread this is', () => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue({})
    expect(threadId()).toBe(UNKNOWN_THREAD)
    expect(() => readOffer(offer(0).token, 'os', null)).toThrow(/is for thread 0/)
    readOffer(offer().token, 'os', null)
  })

  it('is taken up once, and told why it is not again', () => {
    const { token, words } = offer()
    const [first, second] = [readOffer(token, 'os', null), readOffer(token, 'os', null)]
    second.giveUp()
    first.take()
    const error = errorOf(() => second.take())
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_SHARED', op: 'attach' })
    expect(error.message).toContain("the share of 'series' is attached already")
    // Who has not taken it up does not give it up.
    second.giveUp()
    expect(words[STATE]).toBe(TAKEN)
    first.giveUp()
    expect(() => second.take()).toThrow(/was released/)
    const revoked = offer()
    revoked.words[STATE] = REVOKED
    expect(() => readOffer(revoked.token, 'os', null).take()).toThrow(/was revoked, because its owner took the pages/)
  })

  it('is given up once', () => {
    const { token, words } = offer()
    const one = readOffer(token, 'os', null)
    one.take()
    one.giveUp()
    words[STATE] = TAKEN
    words[TAKER] = 0
    one.giveUp()
    expect(words[STATE]).not.toBe(REVOKED)
  })
})

describe('an offer in a process that knows its threads', () => {
  /** A thread that owns 10 pages and offers 4 of them, one that may take them up, and one that looks on. */
  function threads() {
    const all = new Process()
    const [main, owner, user] = [all.of(1), all.of(2), all.of(3)]
    const record = ProcessRecord.enter(owner, () => []) as ProcessRecord
    record.log.add(10 * page, 10 * page)
    const { token, words } = makeToken('os', 'series', 12 * page, 4 * page, undefined, record)
    const endOwner = (): void => {
      all.alive.delete(2)
      reap(main)
    }
    return { all, main, owner, user, token, words, endOwner }
  }

  it('keeps its pages from the process while it is taken up, also when the owner ends', () => {
    const { all, user, token, words, endOwner } = threads()
    const share = readOffer(token, 'os', user)
    share.take()
    expect(words[TAKER]).toBe(3)
    endOwner()
    expect(all.unmapped).toEqual(['10+2', '16+4'])
    share.giveUp()
    expect(all.unmapped.slice(2)).toEqual(['12+4'])
    share.giveUp()
    expect(all.unmapped).toHaveLength(3)
  })

  it('keeps none where it was taken up in vain', () => {
    const { all, user, token, words, endOwner } = threads()
    words[STATE] = REVOKED
    expect(() => readOffer(token, 'os', user).take()).toThrow(/was revoked/)
    endOwner()
    expect(all.unmapped).toEqual(['10+10'])
  })

  it('is of nobody once its owner has ended, also when another thread has the place', () => {
    const { all, user, token, words, endOwner } = threads()
    endOwner()
    const expectEnded = (): void => {
      const error = errorOf(() => readOffer(token, 'os', user).take())
      expect(error).toMatchObject({ code: 'ERR_MEMLAYER_SHARED', op: 'attach' })
      expect([error.message.includes("the owner of the share of 'series' has ended"), words[STATE]]).toEqual([true, 0])
    }
    expectEnded()
    ProcessRecord.enter(all.of(4), () => [])
    expectEnded()
  })

  it('of an owner that the process does not know may be taken up', () => {
    const { user } = threads()
    const { token, words } = offer()
    readOffer(token, 'os', user).take()
    expect([words[STATE], words[TAKER]]).toEqual([TAKEN, 3])
  })
})
