// What the photo service keeps in memory of the layer. service.mjs says what it is.

/** What is known of each photo: a record of fixed size, found by its number. */
export class PhotoIndex {
  region
  record

  constructor(memory, { indexBytes, indexRecord, photos }) {
    this.record = indexRecord
    this.region = memory.reserve(indexBytes, { name: 'photo index', stat: memory.stat('index'), hugePages: 'off' })
    this.region.commit(0, indexBytes)
    for (let id = 0; id < photos; id++)
      this.put(id, { width: 640 + (id % 1000), height: 480 + (id % 700), owner: id % 97 })
  }

  put(id, { width, height, owner }) {
    const words = this.region.view(Uint32Array, id * this.record, this.record / 4)
    words[0] = id
    words[1] = width
    words[2] = height
    words[3] = owner
  }

  get(id) {
    const [, width, height, owner] = this.region.view(Uint32Array, id * this.record, this.record / 4)
    return { id, width, height, owner }
  }

  close() {
    this.region.free()
  }
}

/** Thumbnails that were made before, the latest ones. */
export class ThumbnailCache {
  memory
  bytes
  most
  images = new Map()

  constructor(memory, { thumbnailBytes, thumbnailsMax }) {
    this.memory = memory
    this.bytes = thumbnailBytes
    this.most = thumbnailsMax
  }

  get(photo, size) {
    return this.images.get(`${photo.id}@${size}`)
  }

  remember(photo, size) {
    const key = `${photo.id}@${size}`
    const image = this.memory.reserve(this.bytes, {
      name: `thumbnail ${key}`,
      stat: this.memory.stat('thumbnails'),
    })
    image.commit(0, this.bytes)
    image.view(Uint8Array, 0, this.bytes).fill(photo.id)
    this.images.set(key, image)
    if (this.images.size > this.most) this.evict(photo)
    return image
  }

  evict(photo) {
    const [oldest] = this.images.keys()
    if (oldest === undefined || !oldest.startsWith(`${photo.id}@`)) return
    this.images.get(oldest)?.free()
    this.images.delete(oldest)
  }

  get count() {
    return this.images.size
  }

  close() {
    for (const image of this.images.values()) image.free()
    this.images.clear()
  }
}

/** What a visitor has done: a scratchpad for each, until the visitor leaves or does nothing for a while. */
export class Sessions {
  memory
  bytes
  seconds
  open = new Map()
  next = 1

  constructor(memory, { sessionBytes, sessionSeconds }) {
    this.memory = memory
    this.bytes = sessionBytes
    this.seconds = sessionSeconds
  }

  enter(visitor, now) {
    const known = this.open.get(visitor)
    if (known !== undefined) {
      known.seen = now
      return known
    }
    const session = { pad: this.openPad(visitor), seen: now, steps: 0 }
    this.open.set(visitor, session)
    return session
  }

  openPad(visitor) {
    const pad = this.memory.reserve(this.bytes, {
      name: `session ${this.next++} of ${visitor}`,
      stat: this.memory.stat('sessions'),
    })
    pad.commit(0, this.bytes)
    pad.write(0, new Uint8Array(this.bytes / 2).fill(1))
    return pad
  }

  leave(visitor) {
    const session = this.open.get(visitor)
    if (session === undefined) return
    session.pad.free()
    this.open.delete(visitor)
  }

  expire(now) {
    for (const [visitor, { seen }] of this.open) if (now - seen > this.seconds) this.open.delete(visitor)
  }

  get count() {
    return this.open.size
  }

  close() {
    for (const { pad } of this.open.values()) pad.free()
    this.open.clear()
  }
}

/** Photos on their way to the store, a part at a time. A part that is being sent is held. */
export class Uploads {
  memory
  bytes
  part
  counters
  buffers = []

  constructor(memory, { uploadBytes, uploadPart }, counters) {
    this.memory = memory
    this.bytes = uploadBytes
    this.part = uploadPart
    this.counters = counters
  }

  /** A buffer that no upload uses. */
  take() {
    const buffer = this.buffers.pop()
    if (buffer !== undefined) return buffer
    const made = this.memory.reserve(this.bytes, { name: 'upload buffer', stat: this.memory.stat('uploads') })
    made.commit(0, this.bytes)
    return made
  }

  start(send) {
    const buffer = this.take()
    for (let at = 0; at < this.bytes; at += this.part) this.sendPart(buffer, at, send)
    this.counters.add('uploads')
    this.buffers.push(buffer)
  }

  sendPart(buffer, at, send) {
    const hold = buffer.hold(at, this.part)
    if (send(at) === 'sent') return hold.release()
    this.counters.add('retries')
    if (send(at) !== 'sent') this.counters.add('failed parts')
  }

  get count() {
    return this.buffers.length
  }

  close() {
    for (const buffer of this.buffers) buffer.free()
    this.buffers.length = 0
  }
}

/** Space that one request needs, and gives back at its end. */
export class Scratch {
  memory
  bytes

  constructor(memory, { scratchBytes }) {
    this.memory = memory
    this.bytes = scratchBytes
  }

  during(work) {
    const space = this.memory.reserve(this.bytes, { name: 'scratch', stat: this.memory.stat('requests') })
    try {
      space.commit(0, this.bytes)
      return work(space)
    } finally {
      space.free()
    }
  }
}
