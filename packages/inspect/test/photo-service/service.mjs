// A photo service that keeps its bytes in memory of the layer: an index, thumbnails, sessions, uploads, scratch space
// for requests, and a ring of log lines. Three mistakes are planted in it, as they are made in programs: a cache that
// only grows, regions that are dropped unfreed, and a hold that is never released. leaks.test.ts finds them from the
// page, the terminal and the alerts alone, and docs/finding-a-leak.md has the way. There is no comment where they
// are.
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { Clock, Counters, Jobs, LogRing, Random, Router } from './ground.mjs'
import { PhotoIndex, Scratch, Sessions, ThumbnailCache, Uploads } from './stores.mjs'

const KiB = 2 ** 10
const MiB = 2 ** 20

/** Sizes of the parts of the service, in bytes and numbers. */
const defaults = {
  photos: 2000,
  indexBytes: 16 * MiB,
  indexRecord: 64,
  thumbnailBytes: 256 * KiB,
  thumbnailsMax: 24,
  sessionBytes: 512 * KiB,
  sessionSeconds: 3,
  uploadBytes: 4 * MiB,
  uploadPart: MiB,
  scratchBytes: MiB,
  logBytes: MiB,
  requestsPerSecond: 40,
  seed: 1,
}

/** The service, which answers requests and does its jobs once a second. */
class PhotoService {
  options
  clock
  counters = new Counters()
  random
  log
  index
  thumbnails
  sessions
  uploads
  scratch
  jobs
  router

  constructor(memory, options, clock) {
    this.options = options
    this.clock = clock
    this.random = new Random(options.seed)
    this.log = new LogRing(memory, options.logBytes)
    this.index = new PhotoIndex(memory, options)
    this.thumbnails = new ThumbnailCache(memory, options)
    this.sessions = new Sessions(memory, options)
    this.uploads = new Uploads(memory, options, this.counters)
    this.scratch = new Scratch(memory, options)
    this.jobs = new Jobs(this.counters)
    this.router = new Router()
      .on('/photo', (request) => this.showPhoto(request))
      .on('/thumbnail', (request) => this.showThumbnail(request))
      .on('/upload', (request) => this.upload(request))
      .on('/leave', (request) => this.leave(request))
  }

  /** A request of a visitor. */
  handle(request) {
    this.sessions.enter(request.visitor, this.clock.now).steps += 1
    const response = this.router.handle(request)
    this.counters.add(`status ${response.status}`)
    this.log.write(`${this.clock.now} ${request.path} ${response.status}`)
    return response
  }

  /** What is done once a second. */
  tick() {
    this.sessions.expire(this.clock.now)
    this.jobs.run(8)
  }

  showPhoto({ photo }) {
    const found = this.index.get(photo)
    const bytes = this.scratch.during((space) => {
      const pixels = space.view(Uint8Array, 0, 64 * KiB)
      pixels.fill(found.owner)
      return pixels.length
    })
    this.jobs.add('count', () => this.counters.add(`owner ${found.owner}`))
    return { status: 200, bytes }
  }

  showThumbnail({ photo, size }) {
    const found = this.index.get(photo)
    const image = this.thumbnails.get(found, size) ?? this.makeThumbnail(found, size)
    return { status: 200, bytes: image.size }
  }

  makeThumbnail(photo, size) {
    this.counters.add('thumbnails made')
    return this.scratch.during((space) => {
      space.view(Uint8Array, 0, space.size).fill(photo.id)
      return this.thumbnails.remember(photo, size)
    })
  }

  upload() {
    this.uploads.start(() => (this.random.happens(this.options.loss ?? 0) ? 'lost' : 'sent'))
    return { status: 201 }
  }

  leave({ visitor }) {
    this.sessions.leave(visitor)
    return { status: 204 }
  }

  /** What it has done. */
  report() {
    return {
      thumbnails: this.thumbnails.count,
      sessions: this.sessions.count,
      buffers: this.uploads.count,
      jobs: this.jobs.count,
      counters: this.counters.entries(),
    }
  }

  close() {
    for (const part of [this.log, this.index, this.thumbnails, this.sessions, this.uploads]) part.close()
  }
}

/** Visitors, who look at photos, upload some, and go. Most forget to say that they go. */
class Visitors {
  random
  photos
  next = 1
  here = []

  constructor(random, photos) {
    this.random = random
    this.photos = photos
  }

  /** A request of one of them. */
  request() {
    if (this.here.length < 6 || this.random.happens(0.05)) this.here.push(`visitor ${this.next++}`)
    if (this.here.length > 8) this.here.shift()
    const visitor = this.here[this.random.below(this.here.length)]
    const kind = this.random.next()
    if (kind < 0.02) return this.leaving(visitor)
    if (kind < 0.5) return { path: '/photo', visitor, photo: this.random.below(this.photos) }
    return { path: '/thumbnail', visitor, photo: this.random.below(this.photos), size: 128 }
  }

  leaving(visitor) {
    this.here = this.here.filter((one) => one !== visitor)
    return { path: '/leave', visitor }
  }
}

/**
 * Starts the service. `second()` does a second of its work, and `report()` says what it has done. `loss` is the part of
 * uploaded parts that are lost on the first try.
 */
export function startPhotoService(memory = createMemory(createOS()), given = {}) {
  const options = { ...defaults, ...given }
  const clock = new Clock()
  const service = new PhotoService(memory, options, clock)
  const visitors = new Visitors(new Random(options.seed + 1), options.photos)
  const upload = (loss) => {
    options.loss = loss
    service.handle({ path: '/upload', visitor: 'importer' })
  }
  // The network fails once, early on.
  upload(1)
  const second = () => {
    clock.pass()
    for (let i = 0; i < options.requestsPerSecond; i++) service.handle(visitors.request())
    upload(0)
    service.tick()
  }
  return { memory, second, report: () => service.report(), close: () => service.close() }
}
