// Serves the built site on loopback, packed as GitHub Pages packs it. main.ts and the check of the site call it.
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, sep } from 'node:path'
import { gzipSync } from 'node:zlib'

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
}

/** A running server. It ends on disposal. */
export interface Served extends AsyncDisposable {
  /** `http://127.0.0.1:4173`. */
  readonly origin: string
}

/** Serves a folder on a port of 127.0.0.1. Port 0 is one that is free. */
export async function serve(folder: string, port: number): Promise<Served> {
  const server = createServer((request, response) => {
    void bodyOf(folder, request.url ?? '/').then((found) => {
      if (found === null) return response.writeHead(404, { 'content-type': 'text/plain' }).end('There is no such page.')
      const { body, type } = found
      const isPacked = !type.startsWith('image/png')
      const headers = { 'content-type': type, ...(isPacked ? { 'content-encoding': 'gzip' } : {}) }
      return response.writeHead(200, headers).end(isPacked ? gzipSync(body) : body)
    })
  })
  await listen(server, port)
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve())
  })
}

async function bodyOf(folder: string, url: string): Promise<{ body: Buffer; type: string } | null> {
  const pathname = URL.parse(url, 'http://loopback')?.pathname ?? '/'
  let path: string
  try {
    path = decodeURIComponent(pathname)
  } catch {
    return null
  }
  // A page without its ending, as GitHub Pages serves it too.
  const names = path.endsWith('/') ? [`${path}index.html`] : extname(path) === '' ? [`${path}.html`] : [path]
  for (const name of names) {
    const file = join(folder, name)
    if (!file.startsWith(folder + sep)) return null
    const body = await readFile(file).catch(() => null)
    if (body !== null) return { body, type: types[extname(name)] ?? 'application/octet-stream' }
  }
  return null
}
