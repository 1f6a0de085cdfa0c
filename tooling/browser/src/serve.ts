// Serves files on loopback. Its pages are cross-origin isolated, so that they have shared memory and exact clocks.
// A page that the browser opens from a file does not have them.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The files of a site. */
export interface ServeOptions {
  /** A folder. Its index.html is at /. */
  readonly folder?: string | URL
  /** Texts by their path, for example `/entry.js`. They take precedence over the folder's files. */
  readonly files?: Readonly<Record<string, string>>
}

/** A running site. It ends on disposal, or when the process ends. */
export interface Site extends AsyncDisposable {
  /** `http://127.0.0.1:…`, without a trailing slash. */
  readonly url: string
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
}

const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}

/** Serves files on a free port of 127.0.0.1. */
export async function serve(options: ServeOptions): Promise<Site> {
  const server = createServer((request, response) => {
    const path = pathOf(request.url ?? '/')
    void bodyOf(path, options).then((body) => {
      const type = types[extname(path)] ?? 'application/octet-stream'
      response.writeHead(body === null ? 404 : 200, { ...headers, 'Content-Type': type }).end(body)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  // A test that forgets to close the site must not keep its process alive.
  server.unref()
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Returns the path of a request. A malformed path becomes '', which matches no file. */
function pathOf(url: string): string {
  try {
    const { pathname } = new URL(url, 'http://loopback')
    return pathname === '/' ? '/index.html' : decodeURIComponent(pathname)
  } catch {
    return ''
  }
}

async function bodyOf(path: string, { files = {}, folder }: ServeOptions): Promise<string | Buffer | null> {
  if (Object.hasOwn(files, path)) return files[path] ?? null
  if (folder === undefined) return null
  const root = folder instanceof URL ? fileURLToPath(folder) : folder
  const file = join(root, path)
  if (!file.startsWith(root.endsWith(sep) ? root : root + sep)) return null
  return readFile(file).catch(() => null)
}
