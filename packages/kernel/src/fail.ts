// The failing port: it refuses the k-th kernel call and does not make it. Run a life for
// k = 1, 2, 3 … until a run ends with `failed` false. Every error path was walked then.
import { refusalOf } from './calls.js'
import { decorate } from './decorate.js'

/** A port that refuses one call, and whether it has. */
export interface FailPlan<K> {
  /** Hand this to a backend in place of the kernel below. */
  readonly kernel: K
  /** Kernel calls so far that could have been refused. */
  readonly calls: number
  /** Whether the k-th call came. It was refused then. */
  readonly failed: boolean
}

/**
 * A port that refuses the k-th call (from 1) with `errno`, and makes all others on `kernel`.
 * `only` counts the calls of one function alone. brk, growMemory and discard answer -1 when they are refused.
 * A port with calls of its own names them in a member `kernelCalls`.
 */
export function failCall<K extends object>(kernel: K, k: number, errno: number, only?: string): FailPlan<K> {
  let calls = 0
  const port = decorate(kernel, (fn, args, call) => {
    const refuse = refusalOf(kernel, fn)
    if (refuse === null || (only !== undefined && only !== fn)) return call(...args)
    calls += 1
    return calls === k ? refuse(errno) : call(...args)
  })
  return {
    kernel: port,
    get calls() {
      return calls
    },
    get failed() {
      return calls >= k
    },
  }
}
