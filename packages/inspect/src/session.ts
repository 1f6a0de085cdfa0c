// Decides which requests the server answers. It checks the token that opens a session, the session's secret, and the
// host names in a request. All of this comes before any look at the memory.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Addresses that were given and not opened yet. More than these make the oldest useless. */
const tokensMax = 16

/** Tokens, each of which works once, and the secret that the user of a token gets. */
export class Session {
  /** Those that were not spent yet, the oldest first. */
  readonly #tokens = new Set<string>()
  readonly #secret = randomBytes(24).toString('base64url')
  /** Whether a token was spent. Before that, nothing can be reached. */
  #isOpen = false

  /** A new token, which opens the session once. */
  token(): string {
    const token = randomBytes(24).toString('base64url')
    this.#tokens.add(token)
    const [oldest] = this.#tokens
    if (this.#tokens.size > tokensMax && oldest !== undefined) this.#tokens.delete(oldest)
    return token
  }

  /**
   * The folder of the session, for the first call with a token. Null for every other call. The secret is in the
   * path, because a browser sends cookies to every port of a host, and so to servers of other programs.
   */
  open(token: string): string | null {
    let spent: string | null = null
    for (const one of this.#tokens) if (same(token, one)) spent = one
    if (spent === null) return null
    this.#tokens.delete(spent)
    this.#isOpen = true
    return `/${this.#secret}/`
  }

  /** The path inside the session's folder, from its slash on; null: this is not a path of the session. */
  pathIn(pathname: string): string | null {
    const [, first = '', rest] = /^\/([\w-]*)(\/.*)$/s.exec(pathname) ?? []
    return same(first, this.#secret) && this.#isOpen && rest !== undefined ? rest : null
  }
}

/** Where a request comes from: this page itself, this page by another port (a tunnel), or somewhere else. */
export function originOf({ headers }: IncomingMessage, port: number): 'own' | 'other port' | 'foreign' {
  const host = headers.host?.toLowerCase() ?? ''
  const [, name, itsPort = '80'] = /^(127\.0\.0\.1|localhost)(?::(\d+))?$/.exec(host) ?? []
  // Another site's host name may lead to this address.
  if (name === undefined) return 'foreign'
  if (headers.origin !== undefined && headers.origin.toLowerCase() !== `http://${host}`) return 'foreign'
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'foreign'
  return Number(itsPort) === port ? 'own' : 'other port'
}

/** Compares two texts in a time that does not depend on where they differ. */
function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
