// A program with three leaks: a cache that only grows, sessions that are dropped and never freed, and a hold that is
// never released. Beside them it does what is right. leaks.test.ts finds them.
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'

const MiB = 2 ** 20

/** Images that were seen before. Nothing ever leaves it. */
class ThumbnailCache {
  constructor(memory) {
    this.memory = memory
    this.images = new Map()
  }

  remember(key) {
    const image = this.memory.reserve(MiB, { name: `thumbnail ${key}`, stat: this.memory.stat('thumbnails') })
    image.commit(0, MiB)
    image.view(Uint8Array, 0, MiB).fill(key)
    this.images.set(key, image)
  }
}

/** Frees what a request used, as it should. */
function serveRequest(memory, i) {
  const scratch = memory.reserve(2 * MiB, { name: 'scratch', hugePages: 'off' })
  scratch.commit(0, 2 * MiB)
  scratch.view(Uint8Array, 0, MiB).fill(i)
  scratch.free()
}

/** Forgets to free its region. */
function openSession(memory, i) {
  const session = memory.reserve(MiB / 2, { name: `session ${i}`, stat: memory.stat('sessions') })
  session.commit(0, MiB / 2)
  session.write(0, new Uint8Array(MiB / 4).fill(i))
  return session.size
}

/** Holds what it uploads, and lets go only when the upload fails. */
function startUpload(memory) {
  const body = memory.reserve(4 * MiB, { name: 'upload' })
  body.commit(0, 4 * MiB)
  return { body, hold: body.hold(0, MiB) }
}

/** An index that is as large as it should be. */
function buildIndex(memory) {
  const index = memory.reserve(64 * MiB, { name: 'index', hugePages: 'off' })
  index.commit(0, 48 * MiB)
  index.view(Uint8Array, 0, 48 * MiB).fill(1)
  return index
}

/** Starts the program. The function returned does a second of its work. */
export function startLeaky() {
  const memory = createMemory(createOS())
  const cache = new ThumbnailCache(memory)
  const kept = { index: buildIndex(memory), upload: startUpload(memory) }
  let i = 0
  const work = () => {
    for (let n = 0; n < 4; n++) cache.remember(i++)
    for (let n = 0; n < 4; n++) openSession(memory, i++)
    for (let n = 0; n < 20; n++) serveRequest(memory, i++)
    return kept.index.size
  }
  return { memory, work }
}
