// A region of one thread, of one of the kinds that there are, beside its shadow. thread.mjs makes them and asks them
// for random operations.
import { GrowableBuffer } from '@memlayer/core'
import { NONE, PREPARED, READY, RESERVED, Shadow, WORDS_A_PAGE } from './shadow.mjs'

const pageSize = 4096
const wasmPage = 65536

const adoptable = {
  shared: (bytes) => new SharedArrayBuffer(bytes),
  growable: (bytes) => new SharedArrayBuffer(bytes, { maxByteLength: 2 * bytes }),
  array: (bytes) => new ArrayBuffer(bytes),
  // An engine takes 8 GiB of addresses for each, so they are few and small.
  wasm: (bytes) => new WebAssembly.Memory({ initial: Math.ceil(bytes / wasmPage), maximum: 64 }),
  'shared wasm': (bytes) => new WebAssembly.Memory({ initial: Math.ceil(bytes / wasmPage), maximum: 64, shared: true }),
}
/** Kinds whose bytes another thread can have. */
const postable = new Set(['region', 'buffer', 'shared', 'growable', 'shared wasm'])
const states = { [RESERVED]: 'reserved', [PREPARED]: 'prepared', [READY]: 'ready' }

/** One region, its bytes and its shadow. */
export class Owned {
  /** Pages that a worker has, by a share: it alone writes there. */
  shared = new Set()
  isPosted = false

  constructor(memory, random, serial, kind, pages, wrote) {
    this.random = random
    this.wrote = wrote
    this.kind = kind
    const name = `${kind} ${serial}`
    if (kind === 'region') this.region = memory.reserve(pages * pageSize, { name })
    else if (kind === 'buffer') {
      this.buffer = new GrowableBuffer(memory, { name, maximum: pages * pageSize, length: pageSize, step: pageSize })
      this.region = this.buffer.region
    } else this.region = memory.adopt((this.holder = adoptable[kind](pages * pageSize)), { name })
    this.name = name
    this.memory = memory
    this.pages = this.region.size / pageSize
    this.shadow = Shadow.of(serial, this.pages, kind === 'region' || kind === 'buffer' ? RESERVED : READY)
    if (kind === 'region') this.region.commit(0, pageSize)
    this.address = this.region.address
    if (this.isGrowing) this.#follow(0)
    else if (kind === 'region') this.shadow.move(0, 1, READY, 0)
    this.whole = this.words()
  }

  get isGrowing() {
    return this.buffer !== undefined
  }

  get isPostable() {
    return postable.has(this.kind)
  }

  /** All of the region, as the engine's buffer has it: also pages that are not Ready. */
  words() {
    const { buffer, byteOffset } = this.holder === undefined ? this.region.view(Int32Array, 0, 1) : this.region
    return new Int32Array(buffer, byteOffset, this.pages * WORDS_A_PAGE)
  }

  /** A range of pages that are all in one of the states, and with no worker. Null: none was found. */
  pick(wanted) {
    const { random, shadow } = this
    const isFit = (page) => page < this.pages && wanted.includes(shadow.state(page)) && !this.shared.has(page)
    const start = random.below(this.pages)
    let from = start
    while (from < this.pages && !isFit(from)) from += 1
    if (!isFit(from)) return null
    const most = 1 + random.below(random.below(8) === 0 ? this.pages : 6)
    let count = 1
    while (count < most && isFit(from + count)) count += 1
    return [from, count]
  }

  /** Ready pages that a view can have: those of a growable buffer end at its length. */
  pickVisible() {
    const range = this.pick([READY])
    if (range === null || !this.isGrowing) return range
    return (range[0] + range[1]) * pageSize > this.buffer.length ? null : range
  }

  /** One random operation. False: it was none that this region can have now. */
  step(round) {
    const operation = this.random.pick(this.isGrowing ? bufferOperations : regionOperations)
    return operation(this, round) !== false
  }

  /** Moves pages in some states by a method of the region. */
  move(method, wanted, state, round) {
    const range = this.pick(wanted)
    if (range === null) return false
    const [from, count] = range
    this.shadow.change(() => {
      this.region[method](from * pageSize, count * pageSize)
      this.shadow.move(from, count, state, round)
    })
    return true
  }

  write(round) {
    const range = this.pickVisible()
    if (range === null) return false
    const [from, count] = range
    const view = (this.buffer ?? this.region).view(Int32Array, from * pageSize, count * WORDS_A_PAGE)
    this.shadow.change(() => {
      for (let i = 0; i < count; i++) {
        const word = this.shadow.newWord()
        view.fill(word, i * WORDS_A_PAGE, (i + 1) * WORDS_A_PAGE)
        this.shadow.write(from + i, word, round)
      }
    })
    this.wrote(count)
    return true
  }

  read(round) {
    const range = this.pickVisible()
    if (range === null) return false
    const [from, count] = range
    const view = (this.buffer ?? this.region).view(Int32Array, from * pageSize, count * WORDS_A_PAGE)
    for (let i = 0; i < count; i++) {
      this.shadow.touch(from + i, round)
      const word = this.shadow.word(from + i)
      const page = view.subarray(i * WORDS_A_PAGE, (i + 1) * WORDS_A_PAGE)
      const at = page.findIndex((found) => found !== word)
      if (at >= 0) throw new Error(`${this.name}: word ${at} of page ${from + i} is ${page[at]}, and should be ${word}`)
    }
    return true
  }

  unusedAll(round) {
    const first = this.pick([READY])
    if (first === null) return false
    const ranges = [first]
    const after = this.pick([READY])
    if (after !== null && after[0] >= first[0] + first[1]) ranges.push(after)
    this.shadow.change(() => {
      this.region.unusedAll(ranges.flat().map((pages) => pages * pageSize))
      for (const [from, count] of ranges) this.shadow.move(from, count, PREPARED, round)
    })
    return true
  }

  zero(round) {
    const range = this.pickVisible()
    if (range === null) return false
    const [from, count] = range
    this.shadow.change(() => {
      void (this.buffer ?? this.region).zero(from * pageSize, count * pageSize)
      this.shadow.clear(from, count, round)
    })
    return true
  }

  /** Advice that changes no byte. */
  advise(method) {
    const range = this.pick([READY])
    if (range === null) return false
    this.region[method](range[0] * pageSize, range[1] * pageSize)
    return true
  }

  resize(round) {
    if (this.shared.size > 0) return false
    this.shadow.change(() => {
      this.buffer.resize(this.random.below(this.pages + 1) * pageSize)
      this.#follow(round)
    })
    return true
  }

  grow(round) {
    const left = this.pages - this.buffer.length / pageSize
    if (left < 1) return false
    this.shadow.change(() => {
      this.buffer.grow((1 + this.random.below(left)) * pageSize)
      this.#follow(round)
    })
    return true
  }

  /** What a growable buffer has Ready now. */
  #follow(round) {
    const ready = this.buffer.capacity / pageSize
    this.shadow.move(0, ready, READY, round)
    for (let page = ready; page < this.pages; page++) {
      if (this.shadow.state(page) === READY) this.shadow.move(page, 1, PREPARED, round)
    }
  }

  /** The end of it: afterwards a view that was kept reads zero. An adopted buffer keeps its bytes. */
  end(round) {
    this.shadow.change(() => {
      const of = this.buffer ?? this.region
      if (this.holder !== undefined) of.release()
      else of.free()
      if (this.holder === undefined) this.shadow.move(0, this.pages, NONE, round)
    })
  }

  /** Adds its bytes, by state, as the account has to have them. */
  count(sums) {
    for (let page = 0; page < this.pages; page++) {
      const state = states[this.shadow.state(page)]
      if (state !== undefined) sums[state] += pageSize
    }
  }
}

const commit = (own, round) => own.move('commit', [RESERVED, PREPARED, READY], READY, round)
const used = (own, round) => own.move('used', [PREPARED], READY, round)
const unused = (own, round) => own.move('unused', [READY], PREPARED, round)
const fault = (own, round) => own.move('fault', [PREPARED, READY], RESERVED, round)
const free = (own, round) => own.holder === undefined && own.random.below(8) === 0 && freePart(own, round)
const map = (own, round) => own.move('map', [RESERVED], PREPARED, round)
const freePart = (own, round) => own.move('free', [RESERVED, PREPARED, READY], NONE, round)
const write = (own, round) => own.write(round)
const read = (own, round) => own.read(round)
const zero = (own, round) => own.zero(round)
const hugePage = (own) => own.advise('hugePage')
const populate = (own) => own.advise('populate')
const unusedAll = (own, round) => own.unusedAll(round)
const resize = (own, round) => own.resize(round)
const grow = (own, round) => own.grow(round)

const bufferOperations = [write, write, write, read, read, zero, resize, grow, hugePage, populate]
const regionOperations = [
  commit,
  commit,
  commit,
  used,
  map,
  unused,
  unused,
  unusedAll,
  fault,
  free,
  write,
  write,
  write,
  write,
  read,
  read,
  zero,
  hugePage,
  populate,
]
