// A request that Node's `http` serves, of which a transfer has read a part. Its answer may be written while the rest
// still comes. Node drains a request that nothing has read, so that the next one on the connection can be heard. It
// leaves one that was read in part, and its client waits until it has sent all. Bun does the same.

/** A request that is being served. */
export interface Request {
  /** `_httpMessage` is the answer that is being written. No documented property leads from a request to its answer. */
  readonly socket?: { readonly _httpMessage?: Answer | null } | null
  resume(): unknown
  listenerCount(event: string): number
}

interface Answer {
  readonly req?: unknown
  once(event: 'finish', listener: () => void): unknown
}

/** Reads what is left of a request when its answer was sent, unless something else reads it then. */
export function drainWhenAnswered(request: Request): void {
  const { _httpMessage: answer } = request.socket ?? {}
  // Of two requests that came at once, the second one's answer has no socket yet.
  if (answer?.req !== request) return
  answer.once('finish', () => {
    if (request.listenerCount('readable') + request.listenerCount('data') === 0) request.resume()
  })
}
