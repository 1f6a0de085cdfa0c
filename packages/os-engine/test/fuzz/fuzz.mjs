// A random history of the engine's memory across the main thread and workers, which end at any moment. fuzz.test.ts
// runs this file on each engine and reads what was wrong. The arguments are a seed, a number of operations and one of
// workers.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, MessageChannel, parentPort, Worker, workerData } from 'node:worker_threads'
import { random } from '@memlayer/witness/random'
import { READY } from './shadow.mjs'
import { collect, SERIAL, Thread, WRITTEN } from './thread.mjs'

const pageSize = 4096
const MAIN = 0
const answerMilliseconds = 120_000
const threadsMax = 60_000
const operationsOfARound = 60
const isDeno = globalThis.Deno !== undefined
const ends = ['normal', 'exit', 'throw', 'terminate', 'terminate']
const planned = 'a worker ends by an error, as it was asked to'
const resident = () => Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[1]) * pageSize

/** A worker: it does what it is asked, and answers. */
async function work() {
  const thread = new Thread(workerData)
  const ports = new Map()
  const arrived = new Map()
  const sent = new Map()
  const listen = (port, from) => {
    ports.set(from, port)
    arrived.set(from, 0)
    port.on('message', (item) => {
      arrived.set(from, arrived.get(from) + 1)
      thread.receive(item)
    })
  }
  const post = (to, item) => {
    if (to === MAIN) parentPort.postMessage({ item })
    else ports.get(to).postMessage(item)
    sent.set(to, (sent.get(to) ?? 0) + 1)
  }
  const asked = {
    async round(order) {
      thread.bells = new Map(order.bells.map(({ number, bell }) => [number, bell]))
      for (const share of order.shares) thread.take(share)
      // What was posted in the last round, by threads that live.
      for (const [from, count] of order.expected) while (arrived.get(from) < count) await sleep(1)
      thread.reseed(order.seed)
      if (order.ring !== null) thread.ring(order.ring)
      if (order.seen !== null) thread.await(order.seen)
      thread.run(order, post)
      if (order.end === 'exit') process.exit(0)
      if (order.end === 'throw') throw new Error(planned)
      return { sent: [...sent], shares: thread.taken.map(({ id }) => id) }
    },
    account: () => thread.account(),
    contents: (order) => thread.contents(order.round),
    end({ tick, isClean }) {
      if (isClean) thread.close(tick)
      for (const port of ports.values()) port.close()
      // Deno ends a worker that listens to nothing, and has no close.
      parentPort.off('message', listener)
      if (!isDeno) parentPort.close()
    },
  }
  const listener = (order) => {
    if (order.item !== undefined) return thread.receive(order.item)
    if (order.port !== undefined) return listen(order.port, order.from)
    void answer(asked[order.ask], order)
  }
  parentPort.on('message', listener)
  const answer = async (what, order) => {
    try {
      const told = await what(order)
      parentPort.postMessage({ answer: order.ask, told, rung: thread.rung, counts: thread.counts })
    } catch (error) {
      if (error.message === planned) setTimeout(() => raise(error), 0)
      else parentPort.postMessage({ answer: order.ask, problem: `thread ${thread.number}: ${error.stack}` })
    }
  }
  parentPort.postMessage({ answer: 'hello', told: thread.bell })
}

function raise(error) {
  throw error
}

/** A worker as the main thread sees it. */
class Peer {
  sent = new Map()
  told = null
  rung = 0
  shares = []

  constructor(number, seed, control, main) {
    this.number = number
    this.worker = new Worker(new URL(import.meta.url), { workerData: { number, seed, control } })
    this.ended = new Promise((resolve) => this.worker.on('exit', resolve))
    this.worker.on('error', (error) => {
      if (!error.message.includes(planned)) this.#settle({ problem: `thread ${number} died: ${error.stack}` })
    })
    this.worker.on('exit', () => this.#settle({ problem: `thread ${number} ended, and was not asked to` }))
    this.worker.on('message', (message) => {
      if (message.item !== undefined) main.receive(message.item)
      else this.#settle(message)
    })
  }

  #settle(message) {
    this.resolve?.(message)
  }

  /** The next answer. It comes within a bounded time. */
  async answer(to) {
    let timer
    const told = await new Promise((resolve) => {
      this.resolve = resolve
      timer = setTimeout(resolve, answerMilliseconds, { problem: `thread ${this.number} does not answer ${to}` })
    })
    clearTimeout(timer)
    this.resolve = undefined
    if (told.problem !== undefined) throw new Error(told.problem)
    this.rung = told.rung
    this.counts = told.counts
    return told.told
  }

  ask(ask, order = {}) {
    const answer = this.answer(ask)
    this.worker.postMessage({ ask, ...order })
    return answer
  }
}

/** The history, from the main thread. */
class History {
  peers = []
  tally = { ended: {}, workers: 0, shares: 0, refused: 0, rendezvous: 0 }
  counts = { done: 0, posted: 0, compared: 0, absent: 0, waited: 0 }
  round = 0
  #shareId = 0

  constructor(seed, workers) {
    this.random = random(seed)
    this.workers = workers
    this.control = new Int32Array(new SharedArrayBuffer(4 * (threadsMax + 10)))
    this.main = new Thread({ number: MAIN, seed, control: this.control })
    this.next = 1
  }

  async start() {
    const peer = new Peer(this.next++, this.random.below(2 ** 31), this.control, this.main)
    this.tally.workers += 1
    peer.bell = await peer.answer('its start')
    for (const other of this.peers) {
      const { port1, port2 } = new MessageChannel()
      peer.worker.postMessage({ port: port1, from: other.number }, [port1])
      other.worker.postMessage({ port: port2, from: peer.number }, [port2])
    }
    this.main.bells.set(peer.number, peer.bell)
    this.peers.push(peer)
  }

  /** All threads do random operations at once. Then all is compared. */
  async step(operations, isLast) {
    this.round += 1
    while (this.peers.length < this.workers) await this.start()
    for (const peer of this.peers) peer.end = isLast || this.random.below(6) === 0 ? this.random.pick(ends) : null
    const [waiter, ringer] = this.#rendezvous()
    const told = this.peers.map((peer) => this.#ask(peer, operations, waiter, ringer))
    this.main.reseed(this.random.below(2 ** 31))
    const peers = this.peers.map(({ number }) => number)
    const post = (to, item) => this.peers.find(({ number }) => number === to).worker.postMessage({ item })
    this.main.run({ round: this.round, operations, peers, mayWait: true }, post)
    await Promise.all(told)
    this.#endShares()
    await this.#compare()
  }

  /** One thread that waits until another rings its bell. Neither ends in the middle. */
  #rendezvous() {
    const living = this.peers.filter(({ end }) => end === null || end === 'normal')
    if (living.length < 2 || this.random.below(4) > 0) return []
    this.tally.rendezvous += 1
    return living
  }

  async #ask(peer, operations, waiter, ringer) {
    const { end } = peer
    const others = this.peers.filter((other) => other !== peer)
    const order = {
      round: this.round,
      operations,
      seed: this.random.below(2 ** 31),
      peers: [MAIN, ...others.map(({ number }) => number)],
      bells: others.map(({ number, bell }) => ({ number, bell })).concat({ number: MAIN, bell: this.main.bell }),
      shares: this.#share(peer),
      expected: others.map(({ number, sent }) => [number, sent.get(peer.number) ?? 0]),
      ring: peer === ringer ? waiter.number : null,
      seen: peer === waiter ? (waiter.rung ?? 0) : null,
      mayWait: !(isDeno && end === 'terminate'),
      end: end === 'exit' || end === 'throw' ? end : null,
    }
    const answer = peer.ask('round', order)
    if (end === null || end === 'normal') {
      const told = await answer
      peer.sent = new Map(told.sent)
      peer.taken = new Set(told.shares)
      if (end === 'normal') await this.#leave(peer, end, () => this.#endNormally(peer))
      return
    }
    // It ends without an answer, or after it.
    answer.catch((error) => (peer.problem = error))
    await this.#leave(peer, end, async () => {
      if (end !== 'terminate') return
      await sleep(this.random.below(12))
      await peer.worker.terminate()
    })
    if (peer.problem?.message.includes('not asked to') === false) throw peer.problem
  }

  async #leave(peer, end, how) {
    await how()
    const isLate = sleep(answerMilliseconds, 'late', { ref: false })
    if ((await Promise.race([peer.ended, isLate])) === 'late') throw new Error(`thread ${peer.number} does not end`)
    this.tally.ended[end] = (this.tally.ended[end] ?? 0) + 1
    peer.isGone = true
  }

  async #endNormally(peer) {
    const tick = (this.round + 1) * 65536 - 1
    await peer.ask('end', { tick, isClean: this.random.below(2) === 0 }).catch((error) => {
      if (!error.message.includes('not asked to')) throw error
    })
  }

  /** Hands pages of the main thread to a worker. */
  #share(peer) {
    const own = this.main.owned.find(({ isPostable, shared }) => isPostable && shared.size === 0)
    if (own === undefined || this.random.below(3) > 0) return []
    const range = own.pick([READY])
    if (range === null) return []
    const [from, count] = range
    const token = own.region.share(peer.worker, from * pageSize, count * pageSize)
    const id = (this.#shareId += 1)
    const pages = Array.from({ length: count }, (_, i) => from + i)
    for (const page of pages) own.shared.add(page)
    peer.shares.push({ id, own, from, count, pages })
    this.tally.shares += 1
    return [{ id, token, shadow: own.shadow.words, from, count, name: own.name }]
  }

  /** Shares that were released, or whose worker has ended. Those that are left are in the account, and keep pages. */
  #endShares() {
    const open = []
    for (const peer of this.peers) {
      peer.shares = peer.shares.filter((share) => {
        if (!peer.isGone && peer.taken.has(share.id)) return open.push({ ...share, peer })
        for (const page of share.pages) share.own.shared.delete(page)
        // One that ended amid a write has left some of both.
        if (peer.isGone) this.#rewrite(share)
        return false
      })
    }
    for (const peer of this.peers.filter(({ isGone }) => isGone)) {
      this.main.bells.delete(peer.number)
      this.#count(peer.counts)
    }
    this.peers = this.peers.filter(({ isGone }) => !isGone)
    this.#expectHolds(open)
  }

  #rewrite({ own, from, pages }) {
    const words = own.region.view(Int32Array, from * pageSize, pages.length * (pageSize / 4))
    for (const [i, page] of pages.entries()) {
      const word = own.shadow.newWord()
      words.fill(word, (i * pageSize) / 4, ((i + 1) * pageSize) / 4)
      own.shadow.write(page, word, this.round * 65536 + 65000)
    }
  }

  #expectHolds(open) {
    const text = (holds) => holds.toSorted().join(', ')
    const told = this.main.memory.holds().map(({ region, offset, length, worker }) => {
      return `${region} ${offset / pageSize}+${length / pageSize} by ${worker}`
    })
    const wanted = open.map(({ own, from, count, peer }) => `${own.name} ${from}+${count} by ${peer.worker.threadId}`)
    if (text(told) !== text(wanted)) throw new Error(`holds are ${text(told)}, and should be ${text(wanted)}`)
    for (const { own, from, count } of open) {
      let code = null
      try {
        own.region.unused(from * pageSize, count * pageSize)
      } catch (error) {
        ;({ code } = error)
      }
      if (code !== 'ERR_MEMLAYER_SHARED') throw new Error(`unused of shared pages of ${own.name}: ${code}`)
      this.tally.refused += 1
    }
  }

  /** Each thread compares its account with its shadow and the kernel, then all bytes, while none changes any. */
  async #compare() {
    for (const ask of ['account', 'contents']) {
      const told = this.peers.map((peer) => peer.ask(ask, { round: this.round }))
      if (ask === 'account') this.main.account()
      else this.main.contents(this.round)
      await Promise.all(told)
    }
  }

  /** What a thread has done, as far as it has told. */
  #count(counts) {
    for (const [what, number] of Object.entries(counts ?? {})) this.counts[what] += number
  }

  /** Ends all. */
  close() {
    this.#count(this.main.counts)
    this.main.close((this.round + 1) * 65536)
    this.main.bellRegion.free()
    this.main.bells.clear()
    if (this.main.memory.stats().total.held !== 0) throw new Error('memory is held after the end')
  }
}

async function settle() {
  for (let i = 0; i < 6; i++) {
    collect()
    await sleep(50)
  }
}

/** A history of so many operations. */
async function live(seed, operations, workers) {
  const history = new History(seed, workers)
  const rounds = Math.max(3, Math.round(operations / operationsOfARound / (workers + 1)))
  for (let i = 1; i <= rounds; i++) await history.step(operationsOfARound, i === rounds)
  history.close()
  const { tally, counts, control } = history
  return { ...tally, ...counts, rounds, regions: control[SERIAL], writtenMiB: (control[WRITTEN] * pageSize) / 2 ** 20 }
}

async function lead() {
  const [seed, operations, workers] = process.argv.slice(2).map(Number)
  const begun = performance.now()
  try {
    await live(seed + 1, operations / 8, workers)
    await settle()
    const before = resident()
    const tally = await live(seed, operations, workers)
    await settle()
    const seconds = Math.round(performance.now() - begun) / 1000
    console.log(JSON.stringify({ ...tally, grownMiB: (resident() - before) / 2 ** 20, seconds, problem: null }))
  } catch (error) {
    console.log(JSON.stringify({ problem: error.stack }))
  }
  process.exit(0)
}

if (isMainThread) await lead()
else await work()
