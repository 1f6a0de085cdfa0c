// Serves a registry on loopback with only the workspace's packages, packed as a release would publish them.
// npm then installs them by their names and ranges, as for users.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Tarball } from '@memlayer/checks/tarball'

/** A running registry. It ends on disposal, or when the process ends. */
export interface Registry extends AsyncDisposable {
  /** The registry's address: `http://127.0.0.1:…/`. */
  readonly url: string
  /** Returns the address of a package's tarball. */
  tarballOf(name: string): string
}

/** Serves packed packages on a free port of 127.0.0.1. */
export async function serveRegistry(tarballs: readonly Tarball[]): Promise<Registry> {
  const byName = new Map(tarballs.map((tarball) => [tarball.manifest.name ?? '', tarball]))
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').slice(1)
    const [name = '', file] = path.split('/-/')
    const tarball = byName.get(name)
    const body =
      tarball === undefined ? null : file === undefined ? JSON.stringify(document(name, tarball, url())) : tarball.bytes
    // npm must not cache these packages, because the next run has other packages with the same versions.
    response.writeHead(body === null ? 404 : 200, { 'cache-control': 'no-store' }).end(body ?? '{}')
  })
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  server.unref()
  return {
    url: url(),
    tarballOf: (name) => tarballOf(url(), name, byName.get(name)?.manifest.version ?? ''),
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Returns a registry's document about a package with one version. */
function document(name: string, { bytes, manifest }: Tarball, url: string): object {
  const version = manifest.version ?? ''
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
  const dist = { tarball: tarballOf(url, name, version), integrity }
  return { name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } }
}

function tarballOf(url: string, name: string, version: string): string {
  return `${url}${name}/-/${version}.tgz`
}
