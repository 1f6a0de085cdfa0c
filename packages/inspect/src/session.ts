// Who may ask: the token that opens one session, the secret of that session, and the names that a request may
// call this server by. All of it is looked at before anything of the memory is.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** The token, which is spent when it is first used, and the secret that its user then has. */
export class Session {
  readonly token: string = randomBytes(24).toString('base64url')
  readonly #secret = randomBytes(24).toString('base64url')
  #spent = false

  /** The secret for whoever brings the token first; null for everybody else. */
  open(token: string): string | null {
    if (!same(token, this.token) || this.#spent) return null
    this.#spent = true
    return this.#secret
  }

  /** Whether a request brings the secret. */
  isOpenFor(request: IncomingMessage, port: number): boolean {
    return same(cookieOf(request, port), this.#secret) && this.#spent
  }
}

/** Called by this page's own name, and by no page of others'. A name of theirs may lead to this address. */
export function isLocal({ headers }: IncomingMessage, port: number): boolean {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  if (!hosts.includes(headers.host ?? '')) return false
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) return false
  const site = headers['sec-fetch-site']
  return site === undefined || site === 'same-origin' || site === 'none'
}

/** The cookie of the secret. Cookies know no ports: its name has to. */
export function cookieFor(secret: string, port: number): string {
  return `memlayer-${port}=${secret}; HttpOnly; SameSite=Strict; Path=/`
}

function cookieOf({ headers }: IncomingMessage, port: number): string {
  return new RegExp(`(?:^|; )memlayer-${port}=([\\w-]+)`).exec(headers.cookie ?? '')?.[1] ?? ''
}

/** Compares in a time that does not depend on where texts differ. */
function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
