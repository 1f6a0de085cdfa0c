// The bytes that in-out.mjs moves, and where they come from: sources of every kind over them, servers and files for the
// time of a call. The arguments are in-out.mjs's own.
import { createServer } from 'node:http'
import { constants } from 'node:fs'
import { mkdtemp, open, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memory } from 'memlayer'

export const [size, ends, seed] = process.argv.slice(2).map(Number)
export const page = memory.os.traits.pageSize
export const folder = await mkdtemp(join(tmpdir(), 'in-out-'))
export const file = join(folder, 'bytes')

let state = seed
/** A number from 0 to `n`, by the seed. */
export function below(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * n)
}

export const want = new Uint8Array(size)
for (let i = 0; i < size; i++) want[i] = (i * 31 + (i >> 9) * 7 + (i >> 17)) & 255
await writeFile(file, want)
export const isWanted = (bytes) => Buffer.compare(bytes, want) === 0

export function* chunksOf(bytes, most = 40_000) {
  for (let at = 0; at < bytes.length;) {
    const n = 1 + below(most)
    yield bytes.slice(at, at + n)
    at += n
  }
}
export const turn = () => new Promise((resolve) => setImmediate(resolve))
export async function* slowly(bytes) {
  for (const chunk of chunksOf(bytes)) {
    if (below(4) === 0) await turn()
    yield chunk
  }
}
export function webStream(bytes) {
  const chunks = chunksOf(bytes)
  return new ReadableStream({
    async pull(controller) {
      await turn()
      const { value, done } = chunks.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
}
export function byteStream(bytes) {
  let at = 0
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      if (below(4) === 0) await turn()
      const into = controller.byobRequest?.view ?? null
      const n = Math.min(1 + below(40_000), bytes.length - at, into?.byteLength ?? Infinity)
      if (into === null && n > 0) controller.enqueue(bytes.slice(at, at + n))
      else if (n > 0) {
        new Uint8Array(into.buffer, into.byteOffset, n).set(bytes.subarray(at, at + n))
        controller.byobRequest.respond(n)
      }
      at += n
      if (at < bytes.length) return
      controller.close()
      if (n === 0) controller.byobRequest?.respond(0)
    },
  })
}

/** An HTTP server for the time of `use`. */
export async function serving(listener, use) {
  const server = createServer(listener)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    return await use(`http://127.0.0.1:${server.address().port}/`)
  } finally {
    server.closeAllConnections?.()
    await new Promise((resolve) => server.close(resolve))
  }
}
/** A file that is open for the time of `use`. */
export async function opened(flags, use, more = 0) {
  const handle = flags === 'r' ? await open(file, constants.O_RDONLY | more) : await open(`${file}-out`, flags)
  try {
    return await use(handle)
  } finally {
    await handle.close().catch(() => undefined)
  }
}
