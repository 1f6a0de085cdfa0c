// Moves bytes between a region and every source and sink that the runtime has, while other code tries to take the
// pages. Prints what was wrong, as JSON. in-out.test.ts runs it on each runtime: `in-out.mjs <bytes> <ends> <seed>`.
import { createHash } from 'node:crypto'
import { constants, createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { Agent, createServer, request as ask } from 'node:http'
import { connect, createServer as createSocketServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { buffer as bytesOfStream } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { createGzip, deflate, gunzipSync, inflateSync } from 'node:zlib'
import { memory } from 'memlayer'
import { WebSocketServer } from 'ws'

const [size, ends, seed] = process.argv.slice(2).map(Number)
const { Bun, Deno } = globalThis
const page = memory.os.traits.pageSize
const folder = await mkdtemp(join(tmpdir(), 'in-out-'))
const file = join(folder, 'bytes')

let state = seed
/** A number from 0 to `n`, by the seed. */
function below(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * n)
}

const want = new Uint8Array(size)
for (let i = 0; i < size; i++) want[i] = (i * 31 + (i >> 9) * 7 + (i >> 17)) & 255
await writeFile(file, want)
const isWanted = (bytes) => Buffer.compare(bytes, want) === 0

function* chunksOf(bytes, most = 40_000) {
  for (let at = 0; at < bytes.length;) {
    const n = 1 + below(most)
    yield bytes.slice(at, at + n)
    at += n
  }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))
async function* slowly(bytes) {
  for (const chunk of chunksOf(bytes)) {
    if (below(4) === 0) await turn()
    yield chunk
  }
}
function webStream(bytes) {
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
function byteStream(bytes) {
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
async function serving(listener, use) {
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
async function opened(flags, use, more = 0) {
  const handle = flags === 'r' ? await open(file, constants.O_RDONLY | more) : await open(`${file}-out`, flags)
  try {
    return await use(handle)
  } finally {
    await handle.close().catch(() => undefined)
  }
}

/** Each reads all bytes into `region` by one kind of source, and returns their number. */
const sources = {
  'a fetch body': (region) =>
    serving(
      (_, response) => Readable.from(slowly(want)).pipe(response),
      async (url) => region.readFrom(await fetch(url)),
    ),
  // The connection is kept: the answer comes, and the next request goes by it. A body may be longer than the limit.
  'a request, up to its limit': async (region) => {
    const answers = []
    const sockets = new Set()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const listener = (request, response) => {
      sockets.add(request.socket)
      const limit = Number(request.headers.limit)
      region.readFrom(request, 0, { limit }).then(
        (n) => response.end(String(n)),
        () => response.destroy(),
      )
    }
    const post = (url, headers, ...parts) =>
      new Promise((resolve, reject) => {
        const posted = ask(url, { agent, method: 'POST', headers }, (response) => {
          bytesOfStream(response).then((bytes) => resolve(answers.push(Number(String(bytes)))), reject)
        })
        posted.on('error', reject)
        for (const part of parts) posted.write(part)
        posted.end()
      })
    await serving(listener, async (url) => {
      await post(url, { limit: page, 'content-length': 3 * page }, want.subarray(0, 3 * page))
      await post(url, { limit: size }, ...chunksOf(want))
      await post(url, { limit: size, 'content-length': size }, want)
      agent.destroy()
    })
    return answers.join() === [page, size, size].join() && sockets.size === 1 ? size : answers.length
  },
  'a ReadableStream': (region) => region.readFrom(webStream(want)),
  'a ReadableStream of bytes': (region) => region.readFrom(byteStream(want)),
  'a Readable of Node': (region) => region.readFrom(Readable.from(slowly(want))),
  'an async iterable': (region) => region.readFrom(slowly(want)),
  'a Response': (region) => region.readFrom(new Response(want)),
  'a Blob': (region) => region.readFrom(new Blob([want])),
  'a FileHandle': (region) => opened('r', (handle) => region.readFrom(handle)),
  readFile: (region) => opened('r', (handle) => region.readFile(handle, 0, 0, size, { chunk: 30_000 })),
  'readFile past the cache': (region) =>
    opened('r', (handle) => region.readFile(handle, 0, 0, size, { direct: true }), constants.O_DIRECT),
  'FileHandle.readableWebStream': (region) =>
    opened('r', (handle) => (handle.readableWebStream ? region.readFrom(handle.readableWebStream()) : null)),
  'fs.createReadStream': (region) => region.readFrom(createReadStream(file)),
  ...(Bun && { 'Bun.file': (region) => region.readFrom(Bun.file(file)) }),
  ...(Deno && { 'Deno.readable': async (region) => region.readFrom((await Deno.open(file)).readable) }),
}

/** Each takes all bytes of `region` by one kind of sink, and returns them. */
const sinks = {
  'a Response': (region) => new Response(region.stream()).bytes(),
  'a Response, by BYOB': async (region) => {
    const out = new Uint8Array(size)
    const reader = region.stream().getReader({ mode: 'byob' })
    let [at, into] = [0, new ArrayBuffer(30_000)]
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(into))
      if (done) return out.subarray(0, at)
      out.set(value, at)
      at += value.length
      into = value.buffer
    }
  },
  http: (region) =>
    serving(
      (_, response) => region.toReadable().pipe(response),
      async (url) => (await fetch(url)).bytes(),
    ),
  'fs.createWriteStream': async (region) => {
    await pipeline(region.toReadable(), createWriteStream(`${file}-out`))
    return readFile(`${file}-out`)
  },
  'fs.write': async (region) => {
    await opened('w', (handle) =>
      region.lend(Uint8Array, 0, size, async (view) => {
        for (let at = 0; at < size;) at += (await handle.write(view, at, Math.min(2 ** 20, size - at))).bytesWritten
      }),
    )
    return readFile(`${file}-out`)
  },
  writeFile: async (region) => {
    await opened('w', (handle) => region.writeFile(handle, 0, 0, size, { chunk: 30_000 }))
    return readFile(`${file}-out`)
  },
  net: async (region) => {
    const server = createSocketServer({ allowHalfOpen: true })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    const got = new Promise((resolve) => server.on('connection', (socket) => resolve(bytesOfStream(socket))))
    const socket = connect(server.address().port, '127.0.0.1')
    await region.lend(
      Uint8Array,
      0,
      size,
      (view) => new Promise((resolve, reject) => socket.write(view, (error) => (error ? reject(error) : resolve()))),
    )
    socket.end()
    const bytes = await got
    server.close()
    return bytes
  },
  zlib: async (region) => inflateSync(await region.lend(Uint8Array, 0, size, (view) => promisify(deflate)(view))),
  'a zlib stream': async (region) => gunzipSync(await bytesOfStream(region.toReadable().pipe(createGzip()))),
  WebCrypto: async (region) => {
    const digest = await region.lend(Uint8Array, 0, size, (view) => crypto.subtle.digest('SHA-256', view))
    const expected = createHash('sha256').update(want).digest()
    return Buffer.compare(new Uint8Array(digest), expected) === 0 ? want : new Uint8Array(1)
  },
  'a WebSocket': async (region) => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    await new Promise((resolve) => server.once('listening', resolve))
    const got = new Promise((resolve) => {
      server.once('connection', (socket) => {
        const messages = []
        socket.on('message', (message) => messages.push(message))
        socket.once('close', () => resolve(Buffer.concat(messages)))
      })
    })
    const socket = new WebSocket(`ws://127.0.0.1:${server.address().port}`)
    await new Promise((resolve) => (socket.onopen = resolve))
    const most = 2 ** 18
    await region.lend(Uint8Array, 0, size, async (view) => {
      for (let at = 0; at < size; at += most) {
        socket.send(view.subarray(at, at + most))
        while (socket.bufferedAmount > 0) await turn()
      }
    })
    socket.close()
    const bytes = await got
    await new Promise((resolve) => server.close(resolve))
    return bytes
  },
  'a worker': async (region) => {
    const worker = new Worker(new URL('in-out-worker.mjs', import.meta.url))
    const next = () => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    await next()
    // Until the worker has attached it, taking the pages would only revoke the share.
    const bytes = await region.lend(Uint8Array, 0, size, async () => {
      worker.postMessage(region.share(worker, 0, size))
      return next()
    })
    await worker.terminate()
    return bytes
  },
  ...(Bun && {
    'Bun.serve': async (region) => {
      const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response(region.stream()) })
      const bytes = await (await fetch(server.url)).bytes()
      await server.stop(true)
      return bytes
    },
  }),
  ...(Deno && {
    'Deno.serve': async (region) => {
      const options = { port: 0, hostname: '127.0.0.1', onListen: () => undefined }
      const server = Deno.serve(options, () => new Response(region.stream()))
      const bytes = await (await fetch(`http://127.0.0.1:${server.addr.port}/`)).bytes()
      await server.shutdown()
      return bytes
    },
  }),
}

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
