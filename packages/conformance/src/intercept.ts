// Ports whose calls pass through a function. With it a case can refuse a call by its arguments, or answer in the
// kernel's place. failCall of @memlayer/kernel refuses only by count.
import { refusalOf } from '@memlayer/kernel'

type Call = (...args: readonly unknown[]) => unknown

/**
 * A port like `kernel`, where other functions take the place of some. `change` has the name of a function and the
 * function itself. Null: it stays.
 */
export function changeCalls<K extends object>(kernel: K, change: (fn: string, call: Call) => Call | null): K {
  return new Proxy(kernel, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      // Bind it, because a port may be a class with private fields.
      const call = member.bind(target) as Call
      return change(String(name), call) ?? call
    },
  })
}

/** A port like `kernel`. It refuses the calls for which `when` returns an error number. */
export function refuseWhen<K extends object>(
  kernel: K,
  when: (fn: string, args: readonly unknown[]) => number | null,
): K {
  return changeCalls(kernel, (fn, call) => {
    const answer = refusalOf(kernel, fn)
    if (answer === null) return null
    return (...args) => {
      const errno = when(fn, args)
      return errno === null ? call(...args) : answer(errno)
    }
  })
}
