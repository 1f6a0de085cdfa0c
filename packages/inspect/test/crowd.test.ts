// Many, slow and large clients: the server refuses them, holds few of them, and still answers its owner.
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { createMemory } from '@memlayer/core'
import { inspect, type Inspector } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const memory = createMemory(createOS())
let inspector: Inspector
let port = 0
let folder = ''

/** The status of an answer, over a new connection. 0: the server cut the connection. */
async function status(path: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      response.resume().on('close', () => resolve(response.statusCode ?? 0))
      folder = response.headers.location ?? folder
    })
    sent.on('error', () => resolve(0)).end()
  })
}

async function silent(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {
    // The server may cut it.
  })
  await once(socket, 'connect')
  return socket
}

const drained = (socket: Socket): Promise<true> => new Promise((resolve) => socket.once('drain', () => resolve(true)))

/** Open descriptors of this process, which runs the server. */
const descriptors = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0)

beforeAll(async () => {
  inspector = await inspect(memory)
  port = Number(new URL(inspector.origin).port)
  expect(await status(new URL(inspector.url).pathname + new URL(inspector.url).search)).toBe(303)
  expect(await status(`${folder}snapshot`)).toBe(200)
})
afterAll(() => inspector.close())

describe('the server, in a crowd', () => {
  it('refuses a thousand clients without the session, keeps no connection of theirs, and still answers', async () => {
    const before = descriptors()
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => status(i % 2 === 0 ? '/snapshot' : '/?token=AAAA')),
    )
    // The server cuts some without an answer, because there are too many.
    expect(answers.filter((answer) => answer !== 403 && answer !== 0)).toEqual([])
    expect(answers.filter((answer) => answer === 403).length).toBeGreaterThan(0)
    expect(await status(`${folder}snapshot`)).toBe(200)
    await expect.poll(descriptors).toBeLessThanOrEqual(before)
  })

  it('answers its owner at once while it holds silent connections, and cuts those off after seconds', async () => {
    const before = descriptors()
    const sockets = await Promise.all(Array.from({ length: 64 }, silent))
    const began = performance.now()
    expect(await status(`${folder}snapshot`)).toBe(200)
    const took = performance.now() - began
    const held = sockets.filter((socket) => !socket.closed).length
    console.log(`the owner was answered in ${Math.round(took)} ms, with ${held} silent connections held of 64`)
    // The limit for the owner, who once waited for 29.6 seconds.
    expect(took).toBeLessThan(5000)
    expect(held).toBeGreaterThan(0)
    await Promise.all(sockets.filter((socket) => !socket.closed).map((socket) => once(socket, 'close')))
    await expect.poll(descriptors).toBeLessThanOrEqual(before)
  })

  it('answers its owner while clients send nonsense, or one header after another', async () => {
    const sockets = await Promise.all(Array.from({ length: 64 }, silent))
    for (const [i, socket] of sockets.entries())
      socket.write(i % 2 === 0 ? '\0\u00FF nonsense\r\n\r\n' : 'GET / HTTP/1.1\r\nx: ')
    const timer = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write('y')
    }, 200)
    expect(await status(`${folder}snapshot`)).toBe(200)
    // Not with once(): it would reject where the server resets the connection.
    const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()))
    await Promise.all(sockets.filter((socket) => !socket.closed).map(closed))
    clearInterval(timer)
    expect(await status(`${folder}snapshot`)).toBe(200)
  })

  it('cuts off a chunked body of 64 MiB', async () => {
    const socket = await silent()
    let heard = ''
    socket.on('data', (data) => (heard += String(data)))
    socket.write(`GET ${folder}snapshot HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nTransfer-Encoding: chunked\r\n\r\n`)
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, 1), Buffer.from('\r\n')])
    let sent = 0
    // Not with once(): it would reject on the error that this test expects.
    const cut = new Promise<null>((resolve) => socket.once('close', () => resolve(null)))
    for (; sent < 1024 && !socket.closed; sent++) {
      if (!socket.write(chunk) && (await Promise.race([drained(socket), cut])) === null) break
    }
    await cut
    expect(sent).toBeLessThan(1024)
    expect(heard === '' || heard.startsWith('HTTP/1.1 413 ')).toBe(true)
    expect(await status(`${folder}snapshot`)).toBe(200)
  })
})
