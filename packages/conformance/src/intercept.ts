// A port whose calls pass through a function. With it a case can refuse a call by its arguments. failCall of
// @memlayer/kernel refuses only by count.
import { refusalOf } from '@memlayer/kernel'

/** A port like `kernel`. It refuses the calls for which `when` returns an error number. */
export function refuseWhen<K extends object>(
  kernel: K,
  when: (fn: string, args: readonly unknown[]) => number | null,
): K {
  return new Proxy(kernel, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      const answer = refusalOf(target, String(name))
      // Bind it, because a port may be a class with private fields.
      if (answer === null) return member.bind(target) as unknown
      return (...args: unknown[]): unknown => {
        const errno = when(String(name), args)
        return errno === null ? (Reflect.apply(member, target, args) as unknown) : answer(errno)
      }
    },
  })
}
