// A broker of messages over HTTP: POST puts a message at the end of the queue, GET takes the first one, and GET /rss
// tells the process's resident memory. The first argument is the way: memlayer, or buffer. The second is the bytes of
// a message, the third how many the queue holds. It tells its port, and ends when its parent goes.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openMemory } from '../layer.js'

const [way = '', messageBytes = '0', count = '0'] = process.argv.slice(2)
const bytes = Number(messageBytes)
const messages = Number(count)

/** A queue of messages of one size. */
interface Queue {
  put(from: IncomingMessage): Promise<void>
  take(to: ServerResponse): Promise<void>
}

/** Sends `chunk`, and waits until the kernel has all of it. */
function send(to: ServerResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    to.once('close', () => (to.writableFinished ? resolve() : reject(new Error('the client has gone'))))
    to.end(chunk)
  })
}

function inRegion(): Queue {
  const region = openMemory().reserve(messages * bytes, { hugePages: 'off' })
  let [first, next] = [0, 0]
  return {
    async put(from) {
      const at = (next++ % messages) * bytes
      region.commit(at, bytes)
      await region.readFrom(from, at, { limit: bytes })
    },
    async take(to) {
      const at = (first++ % messages) * bytes
      await region.lend(Uint8Array, at, bytes, async (view) => send(to, view))
      region.idle(at, bytes)
    },
  }
}

function inBuffers(): Queue {
  const queue: Buffer[] = []
  return {
    async put(from) {
      const chunks: Buffer[] = []
      for await (const chunk of from) chunks.push(chunk as Buffer)
      queue.push(Buffer.concat(chunks))
    },
    async take(to) {
      await send(to, queue.shift() ?? Buffer.alloc(0))
    },
  }
}

const queue = way === 'memlayer' ? inRegion() : inBuffers()
const server = createServer((request, response) => {
  const done =
    request.url === '/rss'
      ? Promise.resolve(void response.end(String(process.memoryUsage.rss())))
      : request.method === 'POST'
        ? queue.put(request).then(() => void response.end())
        : queue.take(response)
  done.catch((error: unknown) => {
    console.error(error)
    response.destroy()
  })
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
