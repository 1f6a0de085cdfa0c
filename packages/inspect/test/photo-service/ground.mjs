// The ground of the photo service: chance, time, counters, a log, jobs and routes. service.mjs says what it is.

/** A random number generator: the service does the same each time. */
export class Random {
  state

  constructor(seed) {
    this.state = seed >>> 0
  }

  /** A number from 0 to 1. */
  next() {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0
    return this.state / 2 ** 32
  }

  /** A whole number below `n`. */
  below(n) {
    return Math.floor(this.next() * n)
  }

  /** Whether something of this probability happens. */
  happens(probability) {
    return this.next() < probability
  }
}

/** Time as the service sees it: a second passes when it is told so. */
export class Clock {
  seconds = 0

  get now() {
    return this.seconds
  }

  pass() {
    this.seconds += 1
  }
}

/** Counts what the service does. */
export class Counters {
  counts = new Map()

  add(name, n = 1) {
    this.counts.set(name, this.of(name) + n)
  }

  of(name) {
    return this.counts.get(name) ?? 0
  }

  entries() {
    return [...this.counts].sort(([a], [b]) => (a < b ? -1 : 1))
  }
}

/** Lines of the log, in a ring: the newest ones write over the oldest. */
export class LogRing {
  region
  at = 0
  encoder = new TextEncoder()

  constructor(memory, bytes) {
    this.region = memory.reserve(bytes, { name: 'log ring', stat: memory.stat('log') })
    this.region.commit(0, this.region.size)
  }

  write(line) {
    const bytes = this.encoder.encode(`${line}\n`)
    if (this.at + bytes.length > this.region.size) this.at = 0
    this.region.write(this.at, bytes)
    this.at += bytes.length
  }

  close() {
    this.region.free()
  }
}

/** Jobs that are done when there is time: the counts of each owner's photos. */
export class Jobs {
  waiting = []
  counters

  constructor(counters) {
    this.counters = counters
  }

  add(name, work) {
    this.waiting.push({ name, work })
  }

  /** Does a few of them. */
  run(most) {
    for (const { name, work } of this.waiting.splice(0, most)) {
      work()
      this.counters.add(`job ${name}`)
    }
  }

  get count() {
    return this.waiting.length
  }
}

/** Answers requests. */
export class Router {
  routes = new Map()

  on(path, handler) {
    this.routes.set(path, handler)
    return this
  }

  handle(request) {
    const handler = this.routes.get(request.path)
    return handler === undefined ? { status: 404 } : handler(request)
  }
}
