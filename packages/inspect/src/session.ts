// Decides which requests the server answers. It checks the token that opens a session, the session's secret, and the
// host names in a request. All of this comes before any look at the memory.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** The token, which works once, and the secret that its first user gets. */
export class Session {
  readonly token: string = randomBytes(24).toString('base64url')
  readonly #secret = randomBytes(24).toString('base64url')
  #spent = false

  /** The secret, for the first call with the right token. Null for every other call. */
  open(token: string): string | null {
    if (!same(token, this.token) || this.#spent) return null
    this.#spent = true
    return this.#secret
  }

  /** Whether a request has the secret. */
  isOpenFor(request: IncomingMessage, port: number): boolean {
    return same(cookieOf(request, port), this.#secret) && this.#spent
  }
}

/** Whether a request comes from this page itself. Another site's host name may lead to this address. */
export function isLocal({ headers }: IncomingMessage, port: number): boolean {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  if (!hosts.includes(headers.host ?? '')) return false
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) return false
  const site = headers['sec-fetch-site']
  return site === undefined || site === 'same-origin' || site === 'none'
}

/** The cookie with the secret. Cookies are shared by all ports of a host, so the name contains the port. */
export function cookieFor(secret: string, port: number): string {
  return `memlayer-${port}=${secret}; HttpOnly; SameSite=Strict; Path=/`
}

function cookieOf({ headers }: IncomingMessage, port: number): string {
  return new RegExp(`(?:^|; )memlayer-${port}=([\\w-]+)`).exec(headers.cookie ?? '')?.[1] ?? ''
}

/** Compares two texts in a time that does not depend on where they differ. */
function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
