// The sources of in-out.mjs. Each reads all bytes into `region`, and returns their number.
import { constants, createReadStream } from 'node:fs'
import { Agent, request as ask } from 'node:http'
import { Readable } from 'node:stream'
import { buffer as bytesOfStream } from 'node:stream/consumers'
import { byteStream, chunksOf, file, opened, page, serving, size, slowly, want, webStream } from './in-out-world.mjs'

const { Bun, Deno } = globalThis

export const sources = {
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
      await post(url, { limit: page, 'content-length': size }, want)
      await post(url, { limit: page }, ...chunksOf(want))
      await post(url, { limit: size }, ...chunksOf(want))
      await post(url, { limit: size, 'content-length': size }, want)
      agent.destroy()
    })
    return answers.join() === [page, page, size, size].join() && sockets.size === 1 ? size : answers.length
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
