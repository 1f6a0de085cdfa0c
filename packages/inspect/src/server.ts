// Serves the page on loopback only. A token opens one session, and every request only reads. The server refuses a
// request before it looks at the memory.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { checkOptions, type Memory } from '@memlayer/core'
import { Connections } from './connections.js'
import { Log } from './log.js'
import { lookAt, cellsMax } from './page-cells.js'
import { pageHtml } from './page-html.js'
import { Recorder } from './recorder.js'
import { originOf, Session } from './session.js'
import { regionsOf } from './spans.js'
import { momentOf } from './snapshot.js'
import { checkDepth, setDepth } from './stack-depth.js'
import { Snapshots } from './take-snapshot.js'
import { storesOf, type Stores } from './stores.js'
import type { Answer } from './wire.js'
import { Warnings } from './warnings.js'

/** Options of `inspect`. */
export interface InspectOptions extends Stores {
  /** The port on 127.0.0.1. Default: a free port. */
  readonly port?: number
  /** How many operations the log keeps. Default: 1,000. */
  readonly log?: number
  /** Whether alerts are process warnings too, MEMLAYER_ALERT_…, each said once. Default: true. */
  readonly warnings?: boolean
  /**
   * Frames in the stack of each region that is reserved from now on, until the inspector is closed: it sets
   * Error.stackTraceLimit, so errors have as many. Default: what the program has, which is 10 unless it says otherwise.
   */
  readonly stackDepth?: number
}

/** A running inspector. It does not keep its process alive, but the connection of an open page does. */
export interface Inspector extends AsyncDisposable {
  /** The address to open in a browser, once: its token opens one session. */
  readonly url: string
  /** The page's address without the token. */
  readonly origin: string
  /** Another address of the same page, for one more browser. */
  another(): string
  /** Stops the server and the log. */
  close(): Promise<void>
}

/** Milliseconds to look at pages for one answer. A tenth of a millisecond is mostly enough. */
const lookMsMax = 25
/** The time that a snapshot is said to take grows by so much at once, because one that took long may be chance. */
const [tookGrowth, tookStep] = [1.5, 4]
/** Ranges in one request for pages. */
const rangesMax = 32

// Without connectionsCheckingInterval, Node looks for late connections only every 30 seconds.
const limits = {
  maxHeaderSize: 8192,
  headersTimeout: 2000,
  requestTimeout: 2000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
}

/**
 * Serves a page on loopback that shows `memory`. Its token works in one browser.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION, when an option is not known. The promise is rejected with it.
 * @throws Error EADDRINUSE, Node's own error, when the port is taken.
 */
export async function inspect(memory: Memory, options: InspectOptions = {}): Promise<Inspector> {
  const known = ['port', 'log', 'warnings', 'stackDepth', 'heaps', 'caches'] as const
  const { port = 0, log: kept, warnings = true, stackDepth, ...stores } = checkOptions('inspect', options, known)
  checkDepth(stackDepth)
  const session = new Session()
  const page = new Page()
  const server = createServer(limits)
  const connections = new Connections(server)
  server.on('clientError', (_, socket) => socket.destroy())
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  const restore = stackDepth === undefined ? null : setDepth(stackDepth)
  // Start the log only now: when the port is taken, no observer is left behind.
  const log = new Log(memory, kept)
  const snapshots = new Snapshots(memory)
  const recorder = new Recorder(snapshots)
  const warner = warnings ? new Warnings({ memory, snapshots, log, history: () => recorder.since(-Infinity) }) : null
  const served: Served = {
    memory,
    stores,
    snapshots,
    log,
    recorder,
    session,
    page,
    pace: { took: 0 },
    server,
    connections,
  }
  server.on('request', (request, response) => {
    try {
      answer(served, request, response)
    } catch {
      // The client does not learn what went wrong.
      refuse(response, 500)
    }
  })
  const origin = `http://127.0.0.1:${portOf(server)}`
  const close = async (): Promise<void> => {
    restore?.()
    warner?.end()
    recorder.end()
    log.end()
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  const another = (): string => `${origin}/?token=${session.token()}`
  return { url: another(), origin, another, close, [Symbol.asyncDispose]: close }
}

interface Served {
  readonly memory: Memory
  readonly stores: Stores
  readonly snapshots: Snapshots
  readonly log: Log
  readonly recorder: Recorder
  readonly session: Session
  readonly page: Page
  /** Milliseconds of the last snapshot, with its JSON. */
  readonly pace: { took: number }
  readonly server: Server
  readonly connections: Connections
}

/** The page and its policy, which lets only the page's own script and style run. */
class Page {
  readonly html: Buffer = Buffer.from(pageHtml)
  readonly policy: string

  constructor() {
    const own = /<meta http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(pageHtml)?.[1]
    // Only a header can forbid framing; a policy in the file can't.
    this.policy = `${own ?? "default-src 'none'"}; frame-ancestors 'none'`
  }
}

function answer(served: Served, request: IncomingMessage, response: ServerResponse): void {
  const port = portOf(served.server)
  const origin = originOf(request, port)
  if (origin === 'foreign') return refuse(response, 403)
  if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined)
    return refuse(response, 413)
  if (request.method !== 'GET') return refuse(response, 405)
  if (origin === 'other port') return refuse(response, 403, tunnelAdvice(port))
  const url = URL.parse(request.url ?? '', `http://127.0.0.1:${port}`)
  if (url === null) return refuse(response, 400)
  const token = url.searchParams.get('token')
  if (url.pathname === '/') return token === null ? refuse(response, 403, noToken) : enter(served, token, response)
  const path = served.session.pathIn(url.pathname)
  if (path === null) return refuse(response, 403)
  served.connections.admit(request.socket)
  route(served, path, url.searchParams, response)
}

const noToken = 'Open the whole address that the program printed. Its token opens the page.\n'
const spent =
  'This address does not open the page: it is wrong, or a browser has opened it already, and it works once. ' +
  'Use the page that is open, or start the inspector again for a new address.\n'
const tunnelAdvice = (port: number): string =>
  `The page is served at port ${port} only. A tunnel to it needs the same port here: ` +
  `ssh -L ${port}:127.0.0.1:${port} <host>. Then open the address as the program printed it.\n`

function route(
  { memory, stores, snapshots, log, recorder, page, pace }: Served,
  path: string,
  asked: URLSearchParams,
  response: ServerResponse,
): void {
  switch (path) {
    case '/':
      return send(response, 'text/html; charset=utf-8', page.html, { 'Content-Security-Policy': page.policy })
    case '/snapshot': {
      const start = performance.now()
      const wanted = { explain: asked.has('explain'), pages: asked.has('pages') }
      const wire = snapshots.wire(wanted, log, Number(asked.get('seen') ?? 0))
      // What the page has missed: before it was opened, or while it was in the background.
      const history = recorder.since(Number(asked.get('since') ?? Infinity))
      recorder.add(momentOf(wire))
      const told = storesOf(stores)
      const answered: Answer = { ...wire, ...(told.length === 0 ? {} : { stores: told }), history, took: pace.took }
      json(response, answered)
      // An explanation is rare, and the first ones take longer: the engine has not compiled them yet.
      if (!wanted.explain && !wanted.pages)
        pace.took = Math.min(performance.now() - start, tookGrowth * pace.took + tookStep)
      return
    }
    case '/timeline':
      return json(response, recorder.timeline.part(Number(asked.get('since') ?? -Infinity)))
    case '/pages':
      return pagesOf(memory, asked.getAll('of'), response)
    default:
      return refuse(response, 404)
  }
}

/** Answers for each requested range. Only ranges inside the memory's regions get an answer. */
function pagesOf(memory: Memory, asked: readonly string[], response: ServerResponse): void {
  if (asked.length === 0 || asked.length > rangesMax) return refuse(response, 400)
  const { pageSize } = memory.os.traits
  const regions = new Map(regionsOf(memory).map((region) => [region.id, region]))
  const until = performance.now() + lookMsMax
  let left = cellsMax
  const found = asked.map((one) => {
    const [id = NaN, address = NaN, size = NaN, unit = NaN] = one.split(',').map(Number)
    // By its number, because another region may have the address by now.
    const region = regions.get(id)
    const isIn = region !== undefined && address >= region.address && address + size <= region.address + region.size
    // Null: the range is not in that region, or the region was freed.
    if (!isIn || ![address, size, unit].every((n) => Number.isSafeInteger(n) && n > 0 && n % pageSize === 0))
      return null
    left -= Math.ceil(size / unit)
    if (left < 0) return null
    return lookAt(memory, address, size, unit, until) ?? 'untold'
  })
  json(response, found)
}

function enter({ session }: Served, token: string, response: ServerResponse): void {
  const folder = session.open(token)
  if (folder === null) return refuse(response, 403, spent)
  response.writeHead(303, { ...safe, Location: folder }).end()
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

/** Refuses a request. `text` is for the person who opened an address; other refusals are empty. */
function refuse(response: ServerResponse, code: number, text = ''): void {
  if (response.headersSent) return void response.destroy()
  const type = text === '' ? {} : { 'Content-Type': 'text/plain; charset=utf-8' }
  const length = Buffer.byteLength(text)
  response.writeHead(code, { ...safe, ...type, Connection: 'close', 'Content-Length': length }).end(text)
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo | null)?.port ?? 0
}
