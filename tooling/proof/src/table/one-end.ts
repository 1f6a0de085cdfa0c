// What a wrong backend does with memory that grows at one end: it moves or hides the end, loses what is free, counts it
// wrongly, or does not tell of a growth. And what any backend does once a kernel call has thrown.
import { FatalError, type OS } from '@memlayer/core'
import { record } from '@memlayer/kernel'
import type { AnySubject } from '../simulated.js'
import { withCall } from './costs.js'
import type { Change, Fault } from './fault.js'

/** Whether the kernel's memory only grows, so that the backend itself keeps what is free. */
function grows(kernel: object): boolean {
  return 'brk' in kernel || 'growMemory' in kernel
}

/** Whether the end of memory, and no address beyond it, can be reserved. */
function hasEnd(os: OS): boolean {
  const n = os.traits.pageSize
  const v = os.sysReserveOS(null, n)
  const beyond = v === null ? null : os.sysReserveOS(v + 16 * n, n)
  const p = v === null ? null : os.sysReserveOS(v + n, n)
  os.refusal = null
  return p !== null && v !== null && p === v + n && beyond === null
}

/** Refuses every address once `event` has happened, until memory was had without an address. */
function refusesEnd(event: 'a free' | 'a refusal'): Fault {
  return {
    fn: 'sysReserveOS',
    way: `refuses the end of memory after ${event}`,
    change({ os }) {
      let isOver = false
      return {
        sysReserveOS(v: number | null, n: number): number | null {
          if (v !== null && isOver) {
            os.refusal = { hint: 'Leave the address out.' }
            return null
          }
          const p = os.sysReserveOS(v, n)
          if (v === null) isOver = false
          if (p === null && event === 'a refusal') isOver = true
          return p
        },
        sysFreeOS(v: number, n: number): void {
          os.sysFreeOS(v, n)
          if (event === 'a free') isOver = true
        },
      }
    },
  }
}

/** A refused request takes what is free with it. */
function losesFree(fn: 'sysAllocOS' | 'sysReserveOS'): Fault {
  return {
    fn,
    way: 'loses what is free when it is refused',
    change({ os, page }) {
      const answered = (p: number | null): number | null => {
        const refusal = os.refusal ?? null
        if (p === null) void os.sysReserveOS(null, page)
        os.refusal = refusal
        return p
      }
      if (fn === 'sysAllocOS') return { sysAllocOS: (n: number) => answered(os.sysAllocOS(n)) }
      return { sysReserveOS: (v: number | null, n: number) => answered(os.sysReserveOS(v, n)) }
    },
  }
}

/** The words of a refusal count every byte that ever was freed. */
function countsFrees(): Fault {
  return {
    fn: 'refusal',
    way: 'counts as free what was taken again',
    change({ os }) {
      let bytes = 0
      return {
        sysFreeOS(v: number, n: number): void {
          os.sysFreeOS(v, n)
          bytes += n
        },
        sysReserveOS(v: number | null, n: number): number | null {
          const p = os.sysReserveOS(v, n)
          const hint = os.refusal?.hint ?? ''
          if (p === null && bytes > 0) os.refusal = { ...os.refusal, hint: `${hint} ${bytes} bytes are free.` }
          return p
        },
      }
    },
  }
}

/** Listeners hear of a growth only from a reservation that is done. */
function tellsWhenDone(): Fault {
  return {
    fn: 'onDetach',
    way: 'tells no listener of a growth before a refused one',
    change({ os }): Change {
      let isReserving = false
      let waiting: (() => void)[] = []
      return {
        onDetach: (listener: () => void) => os.onDetach?.(() => (isReserving ? waiting.push(listener) : listener())),
        sysReserveOS(v: number | null, n: number): number | null {
          isReserving = true
          const p = os.sysReserveOS(v, n)
          isReserving = false
          const told = p === null ? [] : waiting
          waiting = []
          for (const tell of told) tell()
          return p
        },
      }
    },
  }
}

type Grow = (pages: number) => number
type Clear = (v: number, n: number) => void

/** The faults of a port that is not told, and of lengths that are cut. */
function portFaults(kernel: object): Fault[] {
  const change = (): Change => ({})
  const faults: Fault[] = []
  if ('growMemory' in kernel)
    faults.push({
      fn: 'detach',
      way: 'does not tell the port that its buffer is detached',
      change,
      kernel(right) {
        let isGrown = true
        const counting = withCall(right, 'growMemory', (grow: Grow): Grow => (pages) => {
          isGrown = pages > 0
          return grow(pages)
        })
        return withCall(counting, 'resetMemoryDataView', (reset: () => void) => () => {
          if (isGrown) reset()
        })
      },
    })
  if ('brk' in kernel)
    faults.push({
      fn: 'sysFreeOS',
      way: 'clears a length of 32 bits',
      change,
      kernel: (right) =>
        withCall(
          right,
          'clear',
          (clear: Clear): Clear =>
            (v, n) =>
              clear(v, n >>> 0),
        ),
    })
  return faults
}

const locked = [
  'sysAllocOS',
  'sysReserveOS',
  'sysFreeOS',
  'sysMapOS',
  'sysUsedOS',
  'sysUnusedOS',
  'sysFaultOS',
] as const

type Locked = (typeof locked)[number]
type Call = (...args: readonly unknown[]) => unknown

/** Takes a lock for each operation of `fn`, and keeps it when the operation throws what is no error of the contract. */
function staysLocked(fn: Locked): Fault {
  return {
    fn,
    way: 'stays locked when a kernel call throws',
    change({ os }) {
      let isLocked = false
      const call = (name: Locked, args: readonly unknown[]): unknown => {
        if (isLocked) throw new FatalError('called again during an operation', { op: name })
        try {
          return Reflect.apply(os[name] as Call, os, args)
        } catch (error) {
          isLocked = name === fn && !(error instanceof FatalError)
          throw error
        }
      }
      return Object.fromEntries(locked.map((name) => [name, (...args: readonly unknown[]) => call(name, args)]))
    },
  }
}

/** Whether `fn` makes a kernel call on a range, so that one can throw. */
function callsKernel({ createOS, kernel }: Pick<AnySubject, 'createOS' | 'kernel'>, fn: Locked): boolean {
  if (kernel === undefined) return false
  const { kernel: port, take } = record(kernel({ seed: 1 }))
  const os = createOS({ kernel: port })
  const n = Math.max(os.traits.pageSize, os.traits.granularity)
  // A free at the end of memory may need no call.
  const [v, guard] = [os.sysReserveOS(null, n), os.sysReserveOS(null, n)]
  if (v === null || guard === null) return false
  take()
  const p = fn === 'sysAllocOS' ? os.sysAllocOS(n) : fn === 'sysReserveOS' ? os.sysReserveOS(null, n) : os[fn](v, n)
  const { length } = take()
  for (const at of fn === 'sysFreeOS' ? [guard] : [v, guard]) os.sysFreeOS(at, n)
  if (typeof p === 'number') os.sysFreeOS(p, n)
  return length > 0
}

/** The faults of memory that grows at one end, and of operations that are ended by an error. */
export function oneEndFaults(subject: AnySubject): Fault[] {
  const kernel = subject.kernel?.({ seed: 1 })
  if (kernel === undefined) return []
  const os = subject.createOS({ kernel })
  const faults = locked.filter((fn) => callsKernel(subject, fn)).map(staysLocked)
  if (!os.traits.hints && hasEnd(os)) faults.push(refusesEnd('a free'), refusesEnd('a refusal'))
  if (!grows(kernel)) return faults
  faults.push(losesFree('sysAllocOS'), losesFree('sysReserveOS'), countsFrees(), ...portFaults(kernel))
  if (os.onDetach !== undefined) faults.push(tellsWhenDone())
  return faults
}
