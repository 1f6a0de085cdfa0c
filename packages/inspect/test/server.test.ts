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
/** The folder of the session: `/…/`. */
let folder = ''

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
  folder = String(headers['location'])
  expect([folder, headers['set-cookie']]).toEqual([expect.stringMatching(/^\/[\w-]{32}\/$/), undefined])
})
afterAll(() => inspector.close())

describe('the server', () => {
  it('answers the client with the session, with a policy that lets only its own script run', async () => {
    const { status, body } = await ask(`${folder}snapshot`)
    expect(status).toBe(200)
    expect((JSON.parse(body) as Snapshot).stats).toEqual(memory.stats())
    const page = await ask(folder)
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-/,
    )
    expect(page.headers['set-cookie']).toBeUndefined()
  })

  it.each([
    ['no session', '/snapshot', {}],
    ['a wrong session', '/AAAA/snapshot', {}],
    ['a foreign Host', 'snapshot', { host: 'evil.example' }],
    ['a Host that only begins like this one', 'snapshot', { host: 'localhost.evil.example' }],
    ['a foreign Origin', 'snapshot', { origin: 'http://evil.example' }],
    ["another site's request", 'snapshot', { 'sec-fetch-site': 'cross-site' }],
    ["a request of another port's page", 'snapshot', { 'sec-fetch-site': 'same-site' }],
  ])('refuses %s with an empty answer', async (_, path, headers: Record<string, string>) => {
    const { status, body } = await ask(path.startsWith('/') ? path : folder + path, headers)
    expect([status, body]).toEqual([403, ''])
  })

  it('opens its token once, and says what to do to whoever opens it again or without it', async () => {
    const { search } = new URL(inspector.url)
    for (const [path, says] of [
      [`/${search}`, /opened it already.*start the inspector again/],
      ['/?token=AAAA', /it is wrong, or/],
      ['/', /Open the whole address/],
    ] as const) {
      const { status, body, headers } = await ask(path)
      expect([status, body]).toEqual([403, expect.stringMatching(says)])
      expect(headers['content-type']).toBe('text/plain; charset=utf-8')
    }
  })

  it('answers its name in capitals, and tells a tunnel by another port which port to take', async () => {
    const { port } = new URL(inspector.origin)
    expect((await ask(`${folder}snapshot`, { host: `LOCALHOST:${port}` })).status).toBe(200)
    const { status, body } = await ask(`${folder}snapshot`, { host: 'localhost:1' })
    expect([status, body]).toEqual([403, expect.stringContaining(`ssh -L ${port}:127.0.0.1:${port}`)])
  })

  it('has no other paths, and none outside its folder', async () => {
    for (const path of ['page.html', '..%2f..%2fetc/passwd', '/etc/passwd', 'snapshot/x'])
      expect([path, await ask(folder + path)]).toEqual([path, expect.objectContaining({ status: 404, body: '' })])
    for (const path of ['../package.json', '%2e%2e/package.json', 'snapshot/../../x'])
      expect([path, await ask(folder + path)]).toEqual([path, expect.objectContaining({ status: 403, body: '' })])
    expect((await ask(folder.slice(0, -1))).status).toBe(403)
  })

  it('refuses other methods, bodies and oversized headers', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      expect((await ask(`${folder}snapshot`, {}, method)).status).toBeGreaterThanOrEqual(405)
    expect((await ask(`${folder}snapshot`, { 'content-length': '9' }, 'GET', '123456789')).status).toBe(413)
    await expect(ask(`${folder}snapshot`, { big: 'x'.repeat(100_000) })).rejects.toThrow()
  })

  it('tells pages only of its own regions, and no more than the granted number', async () => {
    const page = memory.os.traits.pageSize
    const region = memory.reserve(4 * page, { name: 'asked for' })
    const own = `${region.id},${region.address},${region.size},${page}`
    for (const one of [
      `${region.id},0,${page},${page}`,
      `${region.id},${-page},${page},${page}`,
      'x,y,z,u',
      `${region.id},${region.address},${5 * page},${page}`,
      `${region.id},${region.address},${page},1`,
      `${region.id},${region.address},${page},0`,
      `${region.id + 1},${region.address},${page},${page}`,
    ]) {
      const { body } = await ask(`${folder}pages?of=${one}&of=${own}`)
      // This memory's host does not tell which pages are resident.
      expect([one, JSON.parse(body)]).toEqual([one, [null, 'untold']])
    }
    expect((await ask(`${folder}pages`)).status).toBe(400)
    expect((await ask(`${folder}pages?${Array.from({ length: 33 }, () => `of=${own}`).join('&')}`)).status).toBe(400)
    region.free()
    expect(JSON.parse((await ask(`${folder}pages?of=${own}`)).body)).toEqual([null])
    // Another region has the address now.
    const next = memory.reserve(4 * page, { name: 'next' })
    expect(next.address).toBe(region.address)
    expect(JSON.parse((await ask(`${folder}pages?of=${own}`)).body)).toEqual([null])
    next.free()
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
