// The failing port: the k-th kernel call is refused without being made. Run a life for
// k = 1, 2, 3 … until a run ends with `failed` false: then every error path was walked.
import { decorate, refusalOf } from './decorate.js'

/** A port that refuses one call, and whether it has. */
export interface FailPlan<K> {
  /** Hand this to a backend in place of the kernel below. */
  readonly kernel: K
  /** Kernel calls so far that could have been refused. */
  readonly calls: number
  /** Whether the k-th call came, and was refused. */
  readonly failed: boolean
}

/**
 * A port that refuses the k-th call (from 1) with `errno`, and makes all others on `kernel`.
 * `only` counts the calls of one function alone. brk and growMemory answer -1, as theirs do.
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
