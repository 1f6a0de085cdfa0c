// The failing port. It refuses the k-th kernel call and does not make it. Run a life for k = 1, 2, 3 … until a run
// ends with `failed` false. By then the runs have walked every error path.
import { refusalOf } from './calls.js'
import { decorate } from './decorate.js'

/** A port that refuses one call, and a record of whether it has. */
export interface FailPlan<K> {
  /** Hand this to a backend in place of the kernel below. */
  readonly kernel: K
  /** The number of kernel calls so far that the port could have refused. */
  readonly calls: number
  /** Whether the k-th call came and the port refused it. */
  readonly failed: boolean
}

/**
 * A port that refuses the k-th call (from 1) with `errno`, and makes all other calls on `kernel`. `only` counts the
 * calls of that one function. A refused brk, growMemory or discard answers -1. A port with calls of its own names them
 * in a member `kernelCalls`.
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
