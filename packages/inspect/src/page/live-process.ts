// The process that the page looks at. It sends only the operations that the page has not seen, so the log is
// kept here. app.ts asks.
import type { LogEntry } from '../snapshot.js'
import type { TimelinePart } from '../timeline.js'
import { receiveShown, type Shown } from './shown.js'

/** A connection to the process. */
export class LiveProcess {
  #log: readonly LogEntry[] = []
  /** How many operations came before the log. */
  #logFrom = 0
  #took = 0

  /** Milliseconds that a snapshot takes the process. */
  get took(): number {
    return this.#took
  }

  /**
   * A snapshot of now, with the moments after `since`; a text: why there is none. `query` asks for more than its
   * figures.
   */
  async ask(query: string, since: number): Promise<Shown | string> {
    const seen = this.#logFrom + this.#log.length
    const response = await fetch(`snapshot?seen=${seen}&since=${since}${query}`).catch(() => null)
    if (response?.status === 403) return 'This session is over. Its address works in one browser only.'
    if (response?.ok !== true) return 'The process does not answer.'
    const received = await receiveShown(await response.text())
    if (typeof received === 'string') return `The process sent something that is ${received}.`
    const { shown, logFrom, logMost, took } = received
    this.#took = took
    return { ...shown, log: this.#extend(shown.log, logFrom, logMost) }
  }

  /** The regions of the moments after `since`; null: the process does not answer. */
  async timeline(since: number): Promise<TimelinePart | null> {
    const response = await fetch(`timeline?since=${since}`).catch(() => null)
    return response?.ok === true ? ((await response.json()) as TimelinePart) : null
  }

  /** Adds new operations, of which `from` came before. Another answer may have added some of them already. */
  #extend(added: readonly LogEntry[], from: number, most: number): readonly LogEntry[] {
    const known = this.#log.slice(0, Math.max(0, from - this.#logFrom))
    const isNext = this.#logFrom + known.length === from
    const all = isNext ? [...known, ...added] : added
    this.#log = most > 0 ? all.slice(-most) : []
    this.#logFrom = from + added.length - this.#log.length
    return this.#log
  }
}
