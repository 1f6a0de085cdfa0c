// One thread of the history: what it owns, what it holds of others, and its random operations. fuzz.mjs has one of
// these in the main thread and one in each worker.
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-engine'
import { mappingsIn, presentPages } from '@memlayer/witness'
import { random } from '@memlayer/witness/random'
import { Owned } from './owned.mjs'
import { READY, Shadow, WORDS_A_PAGE } from './shadow.mjs'

const pageSize = 4096
const ownedMax = 16
/** What a thread has filled until its end: its end has to give so much back. Its first page is its bell. */
const bellBytes = 2 ** 24
const heldMax = 24
const isBun = globalThis.Bun !== undefined
/** Deno looks for ports in what is posted: it reads each element of a view, so all of its pages may have memory. */
const readsPosted = globalThis.Deno !== undefined
/** An operation of an owner has a time within its round. One of another thread has the round's end. */
const roundTicks = 65536
const kinds = ['region', 'region', 'region', 'region', 'buffer', 'buffer', 'shared', 'growable', 'array']
/** Words that all threads have: the last region's number, pages written, then how often each thread's bell was rung. */
export const SERIAL = 0
export const WRITTEN = 1
export const BELLS = 2
/** Where a worker is to be ended, it is not in Atomics.wait: Deno keeps all memory of such a worker. */
const waitMilliseconds = 2

// V8 takes an argument of true for a collection of young objects alone.
export const collect = globalThis.gc ?? (() => globalThis.Bun.gc(true))

export class Thread {
  owned = []
  /** Regions of others: a view of all words, and the shadow. */
  held = []
  /** Regions that it freed in this round, of which it kept a view. */
  freed = []
  /** Shares of the main thread's pages. */
  taken = []
  /** Bells of other threads, by their number. */
  bells = new Map()
  counts = { done: 0, posted: 0, compared: 0, absent: 0, waited: 0 }

  constructor({ number, seed, control }) {
    this.number = number
    this.control = control
    this.memory = createMemory(createOS())
    this.reseed(seed)
    this.bellRegion = this.memory.reserve(bellBytes, { name: 'bell' })
    this.bellRegion.commit()
    this.bell = this.bellRegion.view(Int32Array, 0, WORDS_A_PAGE)
    this.bellRegion.view(Uint8Array, pageSize, bellBytes - pageSize).fill(number + 1)
    Atomics.add(control, WRITTEN, bellBytes / pageSize)
  }

  reseed(seed) {
    this.random = random(seed)
    for (const own of this.owned) own.random = this.random
  }

  /** A number of random operations. `posts` takes what is for another thread. */
  run({ round, operations, peers, mayWait }, post) {
    for (let i = 0; i < operations; i++) {
      this.tick = round * roundTicks + i + 1
      this.late = (round + 1) * roundTicks - 1
      this.#step(peers, mayWait, post)
      this.counts.done += 1
    }
  }

  #step(peers, mayWait, post) {
    const dice = this.random.below(1000)
    if (dice < 40 && this.owned.length < ownedMax) this.make()
    else if (dice < 80) this.#end()
    else if (dice < 130) this.#post(peers, post)
    else if (dice < 260) this.#look()
    else if (dice < 280) this.#drop()
    else if (dice < 300) this.#ring(peers)
    else if (dice < 310) this.#wait(mayWait)
    else if (dice < 313) collect()
    else if (dice < 345) this.#useShare()
    else if (dice < 355) this.#adoptHeld()
    else this.#own()
  }

  make(kind = this.random.below(60) === 0 ? this.random.pick(['wasm', 'shared wasm']) : this.random.pick(kinds)) {
    const pages = 2 + this.random.below(this.random.below(25) === 0 ? 1100 : 40)
    const isWasm = kind.endsWith('wasm')
    if (isWasm && (this.wasms = (this.wasms ?? 0) + 1) > 2) return
    const serial = Atomics.add(this.control, SERIAL, 1) + 1
    const wrote = (written) => void Atomics.add(this.control, WRITTEN, written)
    this.owned.push(new Owned(this.memory, this.random, serial, kind, isWasm ? 32 : pages, wrote))
  }

  #own() {
    if (this.owned.length === 0) return
    const own = this.random.pick(this.owned)
    for (let tries = 0; tries < 3; tries++) if (own.step(this.tick)) break
    // Freed in parts, until nothing was left.
    if (own.region.disposed) this.#forget(own)
  }

  #forget(own) {
    this.owned.splice(this.owned.indexOf(own), 1)
    if (own.isPostable && this.random.below(2) === 0) this.freed.push(own)
  }

  /** The end of a region while others may hold it. */
  #end() {
    if (this.owned.length === 0) return
    const own = this.random.pick(this.owned)
    if (own.shared.size > 0) return
    own.end(this.tick)
    this.#forget(own)
  }

  /** Gives the bytes of a region to another thread: its own, or those that it holds. */
  #post(peers, post) {
    const to = peers.length === 0 ? undefined : this.random.pick(peers)
    const own = this.owned.length === 0 ? undefined : this.random.pick(this.owned)
    if (to === undefined) return
    if (this.held.length > 0 && this.random.below(4) === 0) {
      const { view, shadow, name } = this.random.pick(this.held)
      post(to, { view, shadow: shadow.words, name })
    } else if (own?.isPostable) {
      // The view, or the buffer and where the region begins in it.
      const { whole, shadow, name } = own
      own.isPosted = true
      if (this.random.below(2) === 0) post(to, { view: whole, shadow: shadow.words, name })
      else post(to, { buffer: whole.buffer, byteOffset: whole.byteOffset, shadow: shadow.words, name })
    } else return
    this.counts.posted += 1
  }

  /** Another thread has posted a region. */
  receive({ view, buffer, byteOffset, shadow, name }) {
    const of = new Shadow(shadow)
    const words = view ?? new Int32Array(buffer, byteOffset, of.pages * WORDS_A_PAGE)
    this.held.push({ view: words, shadow: of, name })
    if (this.held.length > heldMax) this.held.shift()
  }

  /** Reads pages that another thread owns, while that may do anything with them. */
  #look() {
    if (this.held.length === 0) return
    const { view, shadow, name } = this.random.pick(this.held)
    for (let i = 0; i < 4; i++) {
      const page = this.random.below(shadow.pages)
      shadow.touch(page, this.late)
      const word = view[page * WORDS_A_PAGE + this.random.below(WORDS_A_PAGE)]
      if (!shadow.isOwn(word)) throw new Error(`${name}: page ${page} has ${word}, which is another region's`)
    }
  }

  #drop() {
    if (this.held.length > 0) this.held.splice(this.random.below(this.held.length), 1)
  }

  #ring(peers) {
    const others = peers.filter((peer) => this.bells.has(peer))
    if (others.length > 0) this.ring(this.random.pick(others))
  }

  ring(number) {
    const bell = this.bells.get(number)
    Atomics.add(bell, 0, 1)
    Atomics.add(this.control, BELLS + number, 1)
    Atomics.notify(bell, 0)
  }

  #wait(mayWait) {
    if (!mayWait) return
    const seen = Atomics.load(this.bell, 0)
    const how = Atomics.wait(this.bell, 0, seen, waitMilliseconds)
    // 'ok' says less: a ring that was seen already may notify late.
    if (how === 'not-equal' && Atomics.load(this.bell, 0) === seen) throw new Error(`the bell is ${seen} as before`)
    this.counts.waited += 1
  }

  /** Waits until another thread has rung, which it was asked to do. */
  await(seen) {
    const how = Atomics.wait(this.bell, 0, seen, 30_000)
    if (how === 'timed-out') throw new Error('nobody woke this thread')
    this.counts.waited += 1
  }

  /** Pages of the main thread, which stay Ready until they are released. */
  take({ id, token, shadow, from, count, name }) {
    this.taken.push({ id, share: this.memory.attach(token), shadow: new Shadow(shadow), from, count, name })
  }

  #useShare() {
    if (this.taken.length === 0) return
    const at = this.random.below(this.taken.length)
    const { share, shadow, from, count, name } = this.taken[at]
    const words = share.view(Int32Array)
    for (let i = 0; i < count; i++) {
      const [first, last] = [words[i * WORDS_A_PAGE], words[(i + 1) * WORDS_A_PAGE - 1]]
      const word = shadow.word(from + i)
      if (first !== word || last !== word) throw new Error(`${name}: shared page ${from + i} has ${first}, not ${word}`)
      const next = shadow.newWord()
      words.fill(next, i * WORDS_A_PAGE, (i + 1) * WORDS_A_PAGE)
      shadow.write(from + i, next, this.late)
    }
    if (this.random.below(2) > 0) return
    share.release()
    this.taken.splice(at, 1)
  }

  /** Bytes of another thread, as a region of this one, for a moment. */
  #adoptHeld() {
    if (this.held.length === 0) return
    const { view, name } = this.random.pick(this.held)
    // An adopted buffer that this thread owns can be held again, and a buffer is adopted once.
    if (this.owned.some((own) => own.whole.buffer.byteLength === view.buffer.byteLength)) return
    const before = this.memory.stats().total.ready
    const region = this.memory.adopt(view.buffer, { name })
    if (this.memory.stats().total.ready !== before + region.size) throw new Error(`${name}: not counted when adopted`)
    region.release()
    if (this.memory.stats().total.ready !== before) throw new Error(`${name}: counted after its release`)
  }

  /** The account, and what the kernel has, before any page is read. No thread is amid an operation. */
  account() {
    this.memory.check()
    const sums = { reserved: 0, prepared: 0, ready: bellBytes }
    for (const own of this.owned) own.count(sums)
    const { reserved, prepared, ready } = this.memory.stats().total
    const told = JSON.stringify({ reserved, prepared, ready })
    if (told !== JSON.stringify(sums)) throw new Error(`account: ${told}, and should be ${JSON.stringify(sums)}`)
    const holding = this.memory.regions().length
    if (holding !== this.owned.length + 1) throw new Error(`${holding} regions, not ${this.owned.length + 1}`)
    const rung = Atomics.load(this.control, BELLS + this.number)
    this.rung = Atomics.load(this.bell, 0)
    // A thread that was terminated may have rung without counting.
    if (this.rung < rung) throw new Error(`the bell rang ${this.rung} times, and was rung ${rung} times`)
    for (const own of [...this.owned, ...this.freed]) this.#residency(own)
  }

  #residency({ address, pages, shadow, name, holder, isPosted }) {
    const isPresent = presentPages(address, pages, pageSize)
    for (let page = 0; page < pages; page++) {
      this.counts.compared += 1
      if (shadow.expected(page) !== 0 && !isPresent(page)) throw new Error(`${name}: page ${page} has no memory`)
      if ((readsPosted && isPosted) || !shadow.isEmpty(page, !isBun && holder === undefined)) continue
      this.counts.absent += 1
      if (!isPresent(page)) continue
      // Bun asks for huge pages for its arena, and a touch gives memory to the pages beside it.
      if (isBun && mappingsIn(address, pages * pageSize).some(({ flags }) => flags.includes('hg'))) return
      throw new Error(
        `${name}: page ${page} of ${pages}, which is in state ${shadow.state(page)}, has memory: ${shadow.times(page)}`,
      )
    }
  }

  /** The bytes of all that is owned and held. No thread is amid an operation. */
  contents(round) {
    this.late = (round + 1) * roundTicks - 1
    for (const own of this.owned) this.#compare(own.whole.length > 0 ? own.whole : own.words(), own.shadow, own.name)
    for (const own of this.freed) this.#compare(own.whole, own.shadow, own.name)
    for (const { view, shadow, name } of this.held) this.#compare(view, shadow, name)
    this.freed = []
  }

  #compare(view, shadow, name) {
    for (let page = 0; page < shadow.pages; page++) {
      // A page that is read may have memory, so few are read that should have none.
      if (shadow.state(page) !== READY && this.random.below(8) > 0) continue
      shadow.touch(page, this.late)
      const expected = shadow.expected(page)
      const at = page * WORDS_A_PAGE
      for (const word of [view[at], view[at + this.random.below(WORDS_A_PAGE)], view[at + WORDS_A_PAGE - 1]]) {
        // Of an owner that ended in the middle of an operation: old or new bytes, or zeroes.
        if (word === expected || (shadow.isBusy && shadow.isOwn(word))) continue
        throw new Error(`${name}: page ${page} of ${shadow.pages} has ${word}, and should have ${expected}`)
      }
    }
  }

  /** Frees all, and lets go of what others own. */
  close(tick) {
    for (const { share } of this.taken.splice(0)) share.release()
    for (const own of this.owned.splice(0)) own.end(tick)
    this.held = []
    this.freed = []
    const { held } = this.memory.stats().total
    if (held !== bellBytes) throw new Error(`${held} bytes are held after all was freed`)
  }
}
