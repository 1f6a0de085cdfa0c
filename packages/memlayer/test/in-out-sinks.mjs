// The sinks of in-out.mjs. Each takes all bytes of `region`, and returns them.
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { connect, createServer as createSocketServer } from 'node:net'
import { buffer as bytesOfStream } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { createGzip, deflate, gunzipSync, inflateSync } from 'node:zlib'
import { WebSocketServer } from 'ws'
import { file, opened, serving, size, turn, want } from './in-out-world.mjs'

const { Bun, Deno } = globalThis

export const sinks = {
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
    await new Promise((resolve) => socket.addEventListener('open', resolve))
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
