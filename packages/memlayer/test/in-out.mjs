// Moves bytes between a region and every source and sink that the runtime has, while other code tries to take the
// pages. Prints what was wrong, as JSON. in-out.test.ts runs it on each runtime: `in-out.mjs <bytes> <ends> <seed>`.
import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { memory } from 'memlayer'
import { sinks } from './in-out-sinks.mjs'
import { sources } from './in-out-sources.mjs'
import {
  below,
  byteStream,
  chunksOf,
  ends,
  folder,
  isWanted,
  opened,
  page,
  size,
  slowly,
  turn,
  want,
  webStream,
} from './in-out-world.mjs'

const wrong = []
let refused = 0
/** Tries to take pages of a region from when `transfer` has begun until it has settled. */
async function harassed(what, region, transfer) {
  let [hasBegun, isOver] = [false, false]
  const calls = ['readFrom', 'stream', 'toReadable', 'lend', 'readFile', 'writeFile'].map((name) => {
    const call = (...given) => {
      const result = region[name](...given)
      hasBegun = true
      if (result instanceof Promise) void result.catch(() => undefined).then(() => (isOver = true))
      return result
    }
    return [name, call]
  })
  const share = (...given) => region.share(...given)
  const end = transfer({ ...Object.fromEntries(calls), share }).finally(() => (isOver = true))
  end.catch(() => undefined)
  // A stream lets the pages go when it has copied all of them, and then they may be freed.
  for (; !isOver; await turn()) {
    if (!hasBegun || region.disposed) continue
    try {
      if (below(8) === 0) region.free()
      else region.unused(page * below(size / page), page)
    } catch (error) {
      if (error.code === 'ERR_MEMLAYER_SHARED') refused += 1
      else if (error.code !== 'ERR_MEMLAYER_STATE') wrong.push(`${what}: ${error.message}`)
    }
  }
  return end
}

/** Runs one row, and frees its region. */
async function tell(what, region, row) {
  try {
    const said = await row()
    if (said !== true) wrong.push(`${what}: ${said}`)
    if (!region.disposed) region.free()
  } catch (error) {
    wrong.push(`${what}: ${error.stack ?? error}`)
  }
}

for (const [name, read] of Object.entries(sources)) {
  const region = memory.reserve(size, { name })
  region.commit()
  await tell(`from ${name}`, region, async () => {
    const n = await harassed(name, region, read)
    if (n === null) return true
    return (n === size && isWanted(region.view(Uint8Array, 0, size))) || `${n} bytes, or wrong ones`
  })
}
for (const [name, take] of Object.entries(sinks)) {
  const region = memory.reserve(size, { name })
  region.commit()
  region.write(0, want)
  await tell(`to ${name}`, region, async () => isWanted(await harassed(name, region, take)) || 'wrong bytes')
}

/** Each gives a view away, as a textbook does, and returns the buffer that has its bytes then. */
const movers = {
  'the textbook BYOB loop': async (region) => {
    const reader = byteStream(want).getReader({ mode: 'byob' })
    let buf = region.view(Uint8Array, 0, 4 * page)
    for (let at = 0; at < 16 * page;) {
      const { value } = await reader.read(buf)
      if (Buffer.compare(value, want.subarray(at, at + value.length)) !== 0) return 'wrong bytes'
      at += value.length
      buf = new Uint8Array(value.buffer)
    }
    await reader.cancel()
    return buf
  },
  'an enqueued view': async (region) => {
    const stream = new ReadableStream({ type: 'bytes', start: (c) => c.enqueue(region.view(Uint8Array, 0, 4 * page)) })
    await turn()
    const { value } = await stream.getReader().read()
    return value
  },
  'transfer.call': async (region) => ArrayBuffer.prototype.transfer.call(region.view(Uint8Array, 0, 4 * page).buffer),
}
const codeOf = (run) => {
  try {
    run()
    return 'done'
  } catch (error) {
    return `${error.code}${/region\.reclaim\(buffer\)/.test(error.message) ? ', by region.reclaim' : ''}`
  }
}
for (const [name, move] of Object.entries(movers)) {
  const region = memory.reserve(16 * page, { name })
  region.commit()
  await tell(name, region, async () => {
    const moved = await move(region)
    const refusals = [
      () => region.unused(0, page),
      () => region.free(),
      () => region.reclaim(new ArrayBuffer(4 * page)),
    ]
    const codes = refusals.map(codeOf).join()
    const { pinned } = memory.stats()
    const length = moved.byteLength
    region.reclaim(moved)
    const said = [codes, pinned, length, moved.byteLength, memory.stats().pinned, codeOf(() => region.unused())].join()
    const view = 'ERR_MEMLAYER_VIEW'
    const named = `${view}, by region.reclaim`
    return said === [named, named, view, 4 * page, 4 * page, 0, undefined, 'done'].join() || said
  })
}

// Ends in the middle: an error or an abort, of the source or of the consumer. Then nothing holds the pages.
const short = want.subarray(0, 16 * page)
const failing = async function* () {
  for (const chunk of chunksOf(short, 20_000)) {
    if (below(3) === 0) throw new RangeError('mine')
    yield chunk
  }
  throw new RangeError('mine')
}
const broken = [
  (region) => region.readFrom(failing()),
  (region) => region.readFrom(Readable.from(failing())),
  (region) => region.readFrom(ReadableStream.from?.(failing()) ?? failing()),
  ...[slowly, webStream, byteStream, (bytes) => Readable.from(slowly(bytes))].map((source) => async (region) => {
    const controller = new AbortController()
    const reading = region.readFrom(source(short), 0, { signal: controller.signal })
    for (let turns = below(4); turns > 0; turns--) await turn()
    controller.abort(new RangeError('mine'))
    return reading
  }),
  async (region) => {
    const reader = region.stream(0, short.length, { chunk: 5000 }).getReader()
    for (let reads = below(4); reads > 0; reads--) await reader.read()
    await reader.cancel()
    throw new RangeError('mine')
  },
  async (region) => {
    const readable = region.toReadable(0, short.length, { chunk: 5000 })
    for await (const _ of readable) if (below(3) === 0) throw new RangeError('mine')
    throw new RangeError('mine')
  },
  async (region) =>
    opened('r', async (handle) => {
      const controller = new AbortController()
      const reading = region.readFile(handle, 0, 0, short.length, { signal: controller.signal, chunk: 5000 })
      for (let turns = below(4); turns > 0; turns--) await turn()
      controller.abort(new RangeError('mine'))
      return reading
    }),
  async (region) => {
    let left = below(8)
    const write = async (_, __, length) => {
      await turn()
      if (left-- === 0) throw new RangeError('mine')
      return { bytesWritten: Math.min(length, 1 + below(5000)) }
    }
    region.write(0, short)
    await region.writeFile({ write }, 0, 0, short.length, { chunk: 5000 })
  },
  (region) =>
    region.lend(Uint8Array, 0, short.length, async () => {
      await turn()
      throw new RangeError('mine')
    }),
]
const outcomes = { whole: 0, ended: 0 }
for (let i = 0; i < ends; i++) {
  const region = memory.reserve(short.length, { name: 'ended' })
  region.commit()
  const kind = i % broken.length
  await tell(`end ${kind}`, region, async () => {
    try {
      await broken[kind](region)
      outcomes.whole += 1
      return Buffer.compare(region.view(Uint8Array, 0, short.length), short) === 0 || 'wrong bytes'
    } catch (error) {
      outcomes.ended += 1
      const { bytes, cause = error } = error
      if (!(cause instanceof RangeError)) return String(error.stack)
      if (bytes === undefined) return true
      return Buffer.compare(region.view(Uint8Array, 0, bytes), short.subarray(0, bytes)) === 0 || 'wrong first bytes'
    }
  })
}

await rm(folder, { recursive: true })
memory.check()
const left = memory.stats().total.ready
console.log(
  JSON.stringify({
    wrong,
    refused,
    outcomes,
    left,
    sources: Object.keys(sources).length,
    sinks: Object.keys(sinks).length,
  }),
)
process.exit()
