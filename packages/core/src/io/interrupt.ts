// Waits that a signal can end. A transfer has one listener, however many chunks it waits for.
import { UsageError } from '../errors.js'
import { show } from '../text.js'

/** An AbortSignal, of any host. */
export interface SignalLike {
  /** Whether it has aborted. */
  readonly aborted: boolean
  /** Why. */
  readonly reason?: unknown
  /** Calls `listener` when it aborts. */
  addEventListener(type: 'abort', listener: () => void): void
  /** Calls `listener` no more. */
  removeEventListener(type: 'abort', listener: () => void): void
}

/** A wait that ends with a promise, or before it with the signal. */
export class Interrupt {
  readonly #signal: SignalLike | undefined
  #reject: ((reason: unknown) => void) | null = null
  readonly #onAbort = (): void => this.#reject?.(this.#signal?.reason)

  /** @throws UsageError ERR_MEMLAYER_OPTION for what is not a signal. */
  constructor(op: string, signal: SignalLike | undefined) {
    if (signal !== undefined && typeof (signal as SignalLike | null)?.addEventListener !== 'function') {
      const hint = 'Pass the signal of an AbortController, or leave it out.'
      throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: the signal is ${show(signal)}`, { op, hint })
    }
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort)
  }

  /** Whether the signal has aborted. */
  get isAborted(): boolean {
    return this.#signal?.aborted === true
  }

  /** What `promise` becomes, or the signal's reason as an error where that comes first. */
  wait<T>(promise: PromiseLike<T>): Promise<T> {
    if (this.#signal === undefined) return Promise.resolve(promise)
    return new Promise<T>((resolve, reject) => {
      this.#reject = reject
      promise.then(resolve, reject)
      if (this.isAborted) this.#onAbort()
    })
  }

  /** Listens no more. */
  end(): void {
    this.#reject = null
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}
