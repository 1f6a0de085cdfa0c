// Serves the page, on loopback only. A token opens one session, and a session can only read. The server
// refuses a request before it looks at the memory.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Memory } from '@memlayer/core'
import { Connections } from './connections.js'
import { Log } from './log.js'
import { lookAt, MOST_CELLS } from './page-cells.js'
import { cookieFor, isLocal, Session } from './session.js'
import { Snapshots } from './take-snapshot.js'

/** How a memory is inspected. */
export interface InspectOptions {
  /** The port on 127.0.0.1. Default: one that is free. */
  readonly port?: number
  /** The operations that the log keeps. Default 1,000. */
  readonly log?: number
}

/** A running inspector. It does not keep its process alive, but the connection of an open page does. */
export interface Inspector extends AsyncDisposable {
  /** The address to open in a browser. Its token opens one session, so it works once. */
  readonly url: string
  /** The page's address without the token. */
  readonly origin: string
  /** Ends it. */
  close(): Promise<void>
}

/** How long the look at pages may take in one answer. Usually a tenth of a millisecond is enough. */
const lookMilliseconds = 25
/** How many ranges one request may ask for. */
const rangesMax = 32

// By default Node looks for late connections only every 30 seconds.
const limits = {
  maxHeaderSize: 8192,
  headersTimeout: 2000,
  requestTimeout: 2000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
}

/** Serves a page that shows `memory`, on loopback. One browser can open it. */
export async function inspect(memory: Memory, options: InspectOptions = {}): Promise<Inspector> {
  const session = new Session()
  const page = new Page()
  const server = createServer(limits)
  const connections = new Connections(server)
  server.on('clientError', (_, socket) => socket.destroy())
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  // The log observes the memory. It comes after `listen`, which fails when the port is taken.
  const log = new Log(memory, options.log)
  const served: Served = { memory, snapshots: new Snapshots(memory), log, session, page, server, connections }
  server.on('request', (request, response) => {
    try {
      answer(served, request, response)
    } catch {
      // The client must not learn what went wrong.
      refuse(response, 500)
    }
  })
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
  readonly snapshots: Snapshots
  readonly log: Log
  readonly session: Session
  readonly page: Page
  readonly server: Server
  readonly connections: Connections
}

/** The page's file and its policy. The policy lets only the script and the style of that file run. */
class Page {
  readonly html: Buffer = readFileSync(new URL('page.html', import.meta.url))
  readonly policy: string

  constructor() {
    const meta = /<meta http-equiv="Content-Security-Policy" content="([^"]+)"\s*\/?>/
    const own = meta.exec(this.html.toString('utf8'))?.[1]
    // Only a header can forbid that another page frames this one.
    this.policy = `${own ?? "default-src 'none'"}; frame-ancestors 'none'`
  }
}

function answer(served: Served, request: IncomingMessage, response: ServerResponse): void {
  const port = portOf(served.server)
  if (!isLocal(request, port)) return refuse(response, 403)
  if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined)
    return refuse(response, 413)
  if (request.method !== 'GET') return refuse(response, 405)
  const url = URL.parse(request.url ?? '', `http://127.0.0.1:${port}`)
  if (url === null) return refuse(response, 400)
  const token = url.searchParams.get('token')
  if (url.pathname === '/' && token !== null) return enter(served, token, response)
  if (!served.session.isOpenFor(request, port)) return refuse(response, 403)
  served.connections.admit(request.socket)
  route(served, url, response)
}

function route({ memory, snapshots, log, page }: Served, url: URL, response: ServerResponse): void {
  switch (url.pathname) {
    case '/':
      return send(response, 'text/html; charset=utf-8', page.html, { 'Content-Security-Policy': page.policy })
    case '/snapshot': {
      const { searchParams: asked } = url
      return json(
        response,
        snapshots.wire(
          { explain: asked.has('explain'), pages: asked.has('pages') },
          log,
          Number(asked.get('seen') ?? 0),
        ),
      )
    }
    case '/pages':
      return pagesOf(memory, url.searchParams.getAll('of'), response)
    default:
      return refuse(response, 404)
  }
}

/** Answers for each range that is asked for. A range must be inside a region of the memory. */
function pagesOf(memory: Memory, asked: readonly string[], response: ServerResponse): void {
  if (asked.length === 0 || asked.length > rangesMax) return refuse(response, 400)
  const { pageSize } = memory.os.traits
  const regions = memory.regions()
  const until = performance.now() + lookMilliseconds
  let left = MOST_CELLS
  const found = asked.map((one) => {
    const [address = NaN, size = NaN, unit = NaN] = one.split(',').map(Number)
    const isOwned =
      size > 0 && regions.some((region) => address >= region.address && address + size <= region.address + region.size)
    // Null: the range is not inside a region, or no longer is.
    if (!isOwned || ![address, size, unit].every((n) => Number.isSafeInteger(n) && n % pageSize === 0) || unit <= 0)
      return null
    left -= Math.ceil(size / unit)
    if (left < 0) return null
    return lookAt(memory, address, size, unit, until) ?? 'untold'
  })
  json(response, found)
}

function enter({ session, server }: Served, token: string, response: ServerResponse): void {
  const secret = session.open(token)
  if (secret === null) return refuse(response, 403)
  response.writeHead(303, { ...safe, 'Set-Cookie': cookieFor(secret, portOf(server)), Location: '/' }).end()
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
