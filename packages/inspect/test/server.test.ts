// Whom the server refuses, and that it goes on.
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { createMemory } from '@memlayer/core'
import { inspect, type Inspector, type Snapshot } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

const memory = createMemory(createOS())
memory.sysAlloc(memory.os.traits.pageSize, memory.stat('secret-category'))
let inspector: Inspector
let cookie = ''

const ask = async (path: string, headers: Record<string, string> = {}, method = 'GET', body = ''): Promise<Answer> => {
  const { port } = new URL(inspector.origin)
  const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), headers: response.headers }
}

beforeAll(async () => {
  inspector = await inspect(memory)
  const { headers } = await ask(new URL(inspector.url).pathname + new URL(inspector.url).search)
  cookie = String(headers['set-cookie']).split(';')[0] ?? ''
})
afterAll(() => inspector.close())

describe('the server', () => {
  it('answers whoever has the session, with a policy that lets only its own script run', async () => {
    const { status, body } = await ask('/snapshot', { cookie })
    expect(status).toBe(200)
    expect((JSON.parse(body) as Snapshot).stats).toEqual(memory.stats())
    const page = await ask('/', { cookie })
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-/)
    expect(page.headers['set-cookie']).toBeUndefined()
  })

  it.each([
    ['no token', '/snapshot', {}],
    ['a wrong token', '/?token=AAAA', {}],
    ['a wrong session', '/snapshot', { cookie: 'memlayer-1=AAAA' }],
    ['a foreign Host', '/snapshot', { host: 'evil.example' }],
    ['a foreign Origin', '/snapshot', { origin: 'http://evil.example' }],
    ["another site's request", '/snapshot', { 'sec-fetch-site': 'cross-site' }],
    ['no page at all', '/', {}],
  ])('refuses %s with an empty answer', async (what, path, headers: Record<string, string>) => {
    const withSession = what.startsWith('a foreign') || what.startsWith('another') ? { cookie, ...headers } : headers
    const { status, body } = await ask(path, withSession)
    expect([status, body]).toEqual([403, ''])
  })

  it('takes its token once', async () => {
    const { search } = new URL(inspector.url)
    expect((await ask(`/${search}`)).status).toBe(403)
  })

  it('has no other paths, and none out of its folder', async () => {
    for (const path of ['/../package.json', '/%2e%2e/package.json', '/page.html', '/..%2f..%2fetc/passwd', '//etc/passwd', '/snapshot/../../x']) {
      const { status, body } = await ask(path, { cookie })
      expect([path, status, body]).toEqual([path, 404, ''])
    }
  })

  it('reads only: no other method, no body, no oversized header', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) expect((await ask('/snapshot', { cookie }, method)).status).toBeGreaterThanOrEqual(405)
    expect((await ask('/snapshot', { cookie, 'content-length': '9' }, 'GET', '123456789')).status).toBe(413)
    await expect(ask('/snapshot', { cookie, big: 'x'.repeat(100_000) })).rejects.toThrow()
  })

  it('tells pages of regions alone, not of the rest of the process', async () => {
    for (const query of ['address=0&size=4096', 'address=-1&size=1', 'address=x&size=y', 'address=4096&size=1e15', '']) {
      expect((await ask(`/residency?${query}`, { cookie })).status).toBe(404)
    }
  })

  it('goes on after a thousand clients that say nothing or nonsense', async () => {
    const port = Number(new URL(inspector.origin).port)
    const sockets = Array.from({ length: 1000 }, (_, i) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      if (i % 2 === 0) socket.write('\0\xff nonsense\r\n\r\n')
      return socket
    })
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve).once('connect', resolve))))
    for (const socket of sockets) socket.destroy()
    await Promise.all(sockets.filter((socket) => !socket.closed).map((socket) => once(socket, 'close')))
    const answer = async (): Promise<number> => ask('/snapshot', { cookie }).then(({ status }) => status, () => 0)
    await expect.poll(answer, { timeout: 20_000 }).toBe(200)
  })
})
