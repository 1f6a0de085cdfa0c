// The server of the page: on loopback alone, by a token that opens one session, reading only. What it
// refuses it refuses before anything of the memory is looked at.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Memory } from '@memlayer/core'
import { Log, takeSnapshot } from './take-snapshot.js'

/** How a memory is inspected. */
export interface InspectOptions {
  /** The port on 127.0.0.1. Default: one that is free. */
  readonly port?: number
  /** The operations that the log keeps. Default 1,000. */
  readonly log?: number
}

/** An inspector that is running. It does not keep its process alive. */
export interface Inspector extends AsyncDisposable {
  /** What to open in a browser, once: the token in it opens one session. */
  readonly url: string
  /** The page's address without the token. */
  readonly origin: string
  /** Ends it. */
  close(): Promise<void>
}

/** Serves a page that shows `memory`, on loopback; its token is good for one browser. */
export async function inspect(memory: Memory, options: InspectOptions = {}): Promise<Inspector> {
  const log = new Log(memory, options.log)
  const session = new Session()
  const page = new Page()
  const server = createServer({ maxHeaderSize: 8192, requestTimeout: 5000, headersTimeout: 5000 }, (request, response) => {
    try {
      answer({ memory, log, session, page, server }, request, response)
    } catch {
      // Whatever went wrong is not the client's to know.
      refuse(response, 500)
    }
  })
  server.maxConnections = 64
  server.on('clientError', (_, socket) => socket.destroy())
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  const origin = `http://127.0.0.1:${portOf(server)}`
  const close = async (): Promise<void> => {
    log.end()
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  return { url: `${origin}/?token=${session.token}`, origin, close, [Symbol.asyncDispose]: close }
}

interface Served {
  readonly memory: Memory
  readonly log: Log
  readonly session: Session
  readonly page: Page
  readonly server: Server
}

/** The token, which is spent when it is first used, and the secret that its user then has. */
class Session {
  readonly token: string = randomBytes(24).toString('base64url')
  readonly #secret = randomBytes(24).toString('base64url')
  #spent = false

  /** The secret for whoever brings the token first; null for everybody else. */
  open(token: string): string | null {
    if (!same(token, this.token) || this.#spent) return null
    this.#spent = true
    return this.#secret
  }

  isOpenFor(secret: string): boolean {
    return same(secret, this.#secret) && this.#spent
  }
}

/** Compares in a time that does not depend on where texts differ. */
function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/** The one file, and a policy that lets exactly its own script and style run. */
class Page {
  readonly html: Buffer = readFileSync(new URL('page.html', import.meta.url))
  readonly policy: string

  constructor() {
    const text = this.html.toString('utf8')
    const hash = (tag: string): string => {
      const body = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(text)?.[1] ?? ''
      return `'sha256-${createHash('sha256').update(body).digest('base64')}'`
    }
    this.policy = [
      "default-src 'none'",
      `script-src ${hash('script')}`,
      `style-src ${hash('style')}`,
      "connect-src 'self'",
      "img-src data:",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; ')
  }
}

function answer(served: Served, request: IncomingMessage, response: ServerResponse): void {
  const port = portOf(served.server)
  if (!isLocal(request, port)) return refuse(response, 403)
  if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined) return refuse(response, 413)
  if (request.method !== 'GET') return refuse(response, 405)
  const url = URL.parse(request.url ?? '', `http://127.0.0.1:${port}`)
  if (url === null) return refuse(response, 400)
  const token = url.searchParams.get('token')
  if (url.pathname === '/' && token !== null) return enter(served.session, token, port, response)
  if (!served.session.isOpenFor(cookieOf(request, port))) return refuse(response, 403)
  route(served, url, response)
}

function route({ memory, log, page }: Served, url: URL, response: ServerResponse): void {
  switch (url.pathname) {
    case '/':
      return send(response, 'text/html; charset=utf-8', page.html, { 'Content-Security-Policy': page.policy })
    case '/snapshot':
      return json(response, takeSnapshot(memory, { explain: url.searchParams.has('explain'), log: log.entries() }))
    case '/residency':
      return residency(memory, Number(url.searchParams.get('address')), Number(url.searchParams.get('size')), response)
    default:
      return refuse(response, 404)
  }
}

/** Of what the memory owns, and of nothing else in the process. */
function residency(memory: Memory, address: number, size: number, response: ServerResponse): void {
  const isOwned = memory.regions().some((region) => address >= region.address && size > 0 && address + size <= region.address + region.size)
  if (!isOwned) return refuse(response, 404)
  const found = memory.residency(address, size)
  const runs = found?.runs.flatMap((run) => [run.address, run.size, Number(run.resident) + 2 * Number(run.huge) + 4 * Number(run.swapped)])
  json(response, { known: found !== null, resident: found?.resident ?? null, huge: found?.huge ?? null, swapped: found?.swapped ?? null, runs: runs ?? [] })
}

function enter(session: Session, token: string, port: number, response: ServerResponse): void {
  const secret = session.open(token)
  if (secret === null) return refuse(response, 403)
  // Cookies know no ports: its name has to.
  const cookie = `memlayer-${port}=${secret}; HttpOnly; SameSite=Strict; Path=/`
  response.writeHead(303, { ...safe, 'Set-Cookie': cookie, Location: '/' }).end()
}

/** Called by this page's own name, and by no page of others'. A name of theirs may lead to this address. */
function isLocal({ headers }: IncomingMessage, port: number): boolean {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  if (!hosts.includes(headers.host ?? '')) return false
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) return false
  const site = headers['sec-fetch-site']
  return site === undefined || site === 'same-origin' || site === 'none'
}

function cookieOf({ headers }: IncomingMessage, port: number): string {
  return new RegExp(`(?:^|; )memlayer-${port}=([\\w-]+)`).exec(headers.cookie ?? '')?.[1] ?? ''
}

const safe = {
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const

function json(response: ServerResponse, value: unknown): void {
  send(response, 'application/json', Buffer.from(JSON.stringify(value)), {})
}

function send(response: ServerResponse, type: string, body: Buffer, headers: Readonly<Record<string, string>>): void {
  response.writeHead(200, { ...safe, ...headers, 'Content-Type': type, 'Content-Length': body.length }).end(body)
}

function refuse(response: ServerResponse, code: number): void {
  if (response.headersSent) return void response.destroy()
  response.writeHead(code, { ...safe, Connection: 'close', 'Content-Length': 0 }).end()
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo | null)?.port ?? 0
}
