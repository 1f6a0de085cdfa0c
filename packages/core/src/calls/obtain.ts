// Addresses for an operation that obtains some. Retired ones that have cooled come first, then the OS. If the OS
// refuses, the quarantine ends early: it serves the request, or all of it goes back and the OS is asked again.
import type { Address } from '@memlayer/kernel'
import { asOwn, OutOfMemoryError } from '../errors.js'
import type { OS } from '../os.js'
import type { Parts } from './parts.js'

type Sources = Pick<Parts, 'os' | 'retired'>

/** sysAllocOS. Null: refused. */
export function allocate(sources: Sources, n: number): Address | null {
  const v = sources.retired.alloc(n) ?? sources.os.sysAllocOS(n)
  return v === null ? allocateAgain(sources, n) : v
}

function allocateAgain({ os, retired }: Sources, n: number): Address | null {
  if (retired.bytes === 0) return null
  return keepingRefusal(os, () => {
    retired.cool()
    return retired.alloc(n) ?? (retired.release() ? os.sysAllocOS(n) : null)
  })
}

/** sysReserveOS. Null: refused. A retired range never lies at a hint: its quarantine would end by it. */
export function reserveAt({ os, retired }: Sources, v: Address | null, n: number): Address | null {
  const p = (v === null ? retired.reserve(n) : null) ?? os.sysReserveOS(v, n)
  if (p !== null || retired.bytes === 0) return p
  return keepingRefusal(os, () => {
    retired.cool()
    return retired.reserve(n) ?? (retired.release() ? os.sysReserveOS(v, n) : null)
  })
}

/** Retired memory asks the OS for other things, and forgets what it answers. The error is about this request. */
function keepingRefusal(os: OS, ask: () => Address | null): Address | null {
  const { refusal } = os
  const p = ask()
  if (p === null && refusal && !os.refusal) os.refusal = refusal
  return p
}

/** Runs `obtain`, and again where the OS refused and retired addresses could be given back. */
export function givingBack<T>({ retired }: Sources, obtain: () => T): T {
  try {
    return obtain()
  } catch (error) {
    if (!(asOwn(error) instanceof OutOfMemoryError) || !retired.release()) throw error
    return obtain()
  }
}
