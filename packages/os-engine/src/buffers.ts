// The engine's buffers: how one is made, and how it gets longer. mem.ts makes one for each reservation. Where the
// system charges a length to a limit, a buffer begins with a page. It is lengthened as its pages become Ready.
import { alignDown, alignUp, type Address } from '@memlayer/kernel'
import type { Space, Spaces } from './spaces.js'
import type { System } from './systems/system.js'

/** Makes and lengthens the buffers of one memory. */
export class Buffers {
  /** Whether buffers are lengthened as pages become Ready. */
  readonly beginSmall: boolean
  readonly #system: System
  readonly #isGrowable: boolean

  constructor(system: System, isGrowable: boolean) {
    this.#system = system
    this.#isGrowable = isGrowable
    this.beginSmall = isGrowable && system.commit !== undefined
  }

  /** A buffer of `n` bytes. @throws what the engine throws. */
  make(n: number): SharedArrayBuffer {
    if (!this.#isGrowable) return new SharedArrayBuffer(n)
    return new SharedArrayBuffer(this.beginSmall ? this.#system.pageSize : n, { maxByteLength: n })
  }

  /** Makes each buffer of [v, v+n) so long that it has its part. 0, or minus the error number of what was refused. */
  lengthen(spaces: Spaces, v: Address, n: number): number {
    for (let at = v, space = spaces.at(at); space !== null && at < v + n; space = spaces.at(at)) {
      const end = Math.min(v + n, space.end)
      const answer = space.isThere === null ? this.#lengthenTo(space, end) : 0
      if (answer !== 0) return answer
      at = end
    }
    return 0
  }

  /** The bytes of [v, v+n) that the space's buffer has by now. */
  lengthOf({ first, buffer }: Space, v: Address, n: number): number {
    return this.beginSmall ? Math.min(n, alignUp(first + buffer.byteLength, this.#system.pageSize) - v) : n
  }

  #lengthenTo({ buffer, first }: Space, end: Address): number {
    const { commit, pageSize } = this.#system
    const [length, wanted] = [buffer.byteLength, end - first]
    if (length >= wanted) return 0
    const answer = commit?.(alignDown(first + length, pageSize), alignUp(wanted - length, pageSize)) ?? 0
    if (answer !== 0) return answer
    try {
      void (buffer as SharedArrayBuffer).grow(wanted)
    } catch (error) {
      // Another thread that has the buffer may have made it longer meanwhile.
      if (buffer.byteLength < wanted) throw error
    }
    return 0
  }
}
