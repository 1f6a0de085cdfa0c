// Which requests the server refuses, and that it goes on after them.
import { once } from 'node:events'
import { request } from 'node:http'
import { createMemory, type Memory } from '@memlayer/core'
import { inspect, takeSnapshot, type Inspector, type Snapshot } from '@memlayer/inspect'
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
  it('answers the client with the session, with a policy that lets only its own script run', async () => {
    const { status, body } = await ask('/snapshot', { cookie })
    expect(status).toBe(200)
    expect((JSON.parse(body) as Snapshot).stats).toEqual(memory.stats())
    const page = await ask('/', { cookie })
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-/,
    )
    expect(page.headers['set-cookie']).toBeUndefined()
  })

  it.each([
    ['no token', '/snapshot', {}],
    ['a wrong token', '/?token=AAAA', {}],
    ['a wrong session', '/snapshot', { cookie: 'memlayer-1=AAAA' }],
    ['a foreign Host', '/snapshot', { host: 'evil.example' }],
    ['a foreign Origin', '/snapshot', { origin: 'http://evil.example' }],
    ["another site's request", '/snapshot', { 'sec-fetch-site': 'cross-site' }],
    ['the page without a session', '/', {}],
  ])('refuses %s with an empty answer', async (what, path, headers: Record<string, string>) => {
    const withSession = what.startsWith('a foreign') || what.startsWith('another') ? { cookie, ...headers } : headers
    const { status, body } = await ask(path, withSession)
    expect([status, body]).toEqual([403, ''])
  })

  it('accepts its token once', async () => {
    const { search } = new URL(inspector.url)
    expect((await ask(`/${search}`)).status).toBe(403)
  })

  it('has no other paths, and none outside its folder', async () => {
    for (const path of [
      '/../package.json',
      '/%2e%2e/package.json',
      '/page.html',
      '/..%2f..%2fetc/passwd',
      '//etc/passwd',
      '/snapshot/../../x',
    ]) {
      const { status, body } = await ask(path, { cookie })
      expect([path, status, body]).toEqual([path, 404, ''])
    }
  })

  it('refuses other methods, bodies and oversized headers', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      expect((await ask('/snapshot', { cookie }, method)).status).toBeGreaterThanOrEqual(405)
    expect((await ask('/snapshot', { cookie, 'content-length': '9' }, 'GET', '123456789')).status).toBe(413)
    await expect(ask('/snapshot', { cookie, big: 'x'.repeat(100_000) })).rejects.toThrow()
  })

  it('tells pages only of its own regions, and no more than the granted number', async () => {
    const page = memory.os.traits.pageSize
    const region = memory.reserve(4 * page, { name: 'asked for' })
    const own = `${region.address},${region.size},${page}`
    for (const one of [
      `0,${page},${page}`,
      `${-page},${page},${page}`,
      'x,y,z',
      `${region.address},${5 * page},${page}`,
      `${region.address},${page},1`,
      `${region.address},${page},0`,
    ]) {
      const { body } = await ask(`/pages?of=${one}&of=${own}`, { cookie })
      // This memory's host does not tell which pages are resident.
      expect([one, JSON.parse(body)]).toEqual([one, [null, 'untold']])
    }
    expect((await ask('/pages', { cookie })).status).toBe(400)
    expect((await ask(`/pages?${Array.from({ length: 33 }, () => `of=${own}`).join('&')}`, { cookie })).status).toBe(
      400,
    )
    region.free()
    expect(JSON.parse((await ask(`/pages?of=${own}`, { cookie })).body)).toEqual([null])
  })

  it('refuses options that it does not know, and so does a snapshot', async () => {
    const refusal = { code: 'ERR_MEMLAYER_OPTION' }
    await expect(inspect(memory, { prot: 0 } as object)).rejects.toMatchObject(refusal)
    expect(() => takeSnapshot(memory, { explian: true } as object)).toThrow(expect.objectContaining(refusal) as Error)
  })

  it('leaves no observer behind when its port is taken', async () => {
    let observers = 0
    const counted: Memory = Object.create(memory, {
      observe: {
        value: () => {
          observers += 1
          return () => (observers -= 1)
        },
      },
    }) as Memory
    const port = Number(new URL(inspector.origin).port)
    await expect(inspect(counted, { port })).rejects.toThrow(/EADDRINUSE/)
    expect(observers).toBe(0)
    const other = await inspect(counted)
    expect(observers).toBe(1)
    await other.close()
    expect(observers).toBe(0)
  })
})
