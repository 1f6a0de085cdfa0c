// A registry on loopback for one test. It accepts every published package and answers other requests with 404.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

/** A manifest as the registry receives it. */
export interface Published {
  readonly name: string
  readonly access?: string
  readonly versions: Readonly<Record<string, { readonly dependencies?: Readonly<Record<string, string>> }>>
}

/** Starts a registry that closes when the test ends. */
export async function loopbackRegistry(): Promise<{ readonly url: string; readonly published: readonly Published[] }> {
  const published: Published[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      if (request.method === 'PUT') published.push(JSON.parse(body) as Published)
      const status = request.method === 'PUT' ? 201 : 404
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, published }
}
