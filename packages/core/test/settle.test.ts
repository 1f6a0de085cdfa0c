// Operations that do not come to their end: a backend that throws what is not the layer's, one that calls the memory
// that it serves, and a script that its host stops. The range is in one state afterwards, and the account is right.
import { createMemory, FatalError, OutOfMemoryError, type Memory } from '@memlayer/core'
import vm from 'node:vm'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { KeepingOS } from './keeping-os.js'
import { PageOS as Plain, type OSFunction } from './page-os.js'

const page = 4096
const size = 4 * page

/** Each operation: how its range comes to be, what is called, and the states where it may be left. */
interface Scene {
  readonly fn: OSFunction | 'sysRetireOS'
  readonly make: (memory: Memory) => number
  readonly call: (memory: Memory, v: number) => unknown
  /** What a range is when nobody knows whether the OS did it: in the words of the error, and of `ranges()`. */
  readonly words: string
  readonly state: string
}

const ready = (memory: Memory): number => memory.sysAlloc(size, memory.stat('s'))
const reserved = (memory: Memory): number => memory.sysReserve(null, size)
const prepared = (memory: Memory): number => {
  const v = ready(memory)
  memory.sysUnused(v, size)
  return v
}
const seen = (memory: Memory): number => {
  const v = ready(memory)
  memory.view(Uint8Array, v, page)
  return v
}
const asBefore = 'The account is as it was before the call.'
const gone = 'The range is None: it is not used again, and must not be touched.'

const scenes: Readonly<Record<string, Scene>> = {
  sysAlloc: {
    fn: 'sysAllocOS',
    make: () => 0,
    call: (memory) => memory.sysAlloc(size, null),
    words: asBefore,
    state: 'None',
  },
  sysReserve: {
    fn: 'sysReserveOS',
    make: () => 0,
    call: (memory) => memory.sysReserve(null, size),
    words: asBefore,
    state: 'None',
  },
  sysMap: {
    fn: 'sysMapOS',
    make: reserved,
    call: (memory, v) => memory.sysMap(v, size, memory.stat('s')),
    words: asBefore,
    state: 'Reserved',
  },
  sysUsed: {
    fn: 'sysUsedOS',
    make: prepared,
    call: (memory, v) => memory.sysUsed(v, size),
    words: asBefore,
    state: 'Prepared',
  },
  sysUnused: {
    fn: 'sysUnusedOS',
    make: ready,
    call: (memory, v) => memory.sysUnused(v, size),
    words: 'The range is Prepared.',
    state: 'Prepared',
  },
  sysFault: {
    fn: 'sysFaultOS',
    make: ready,
    call: (memory, v) => memory.sysFault(v, size),
    words: 'The range is Reserved.',
    state: 'Reserved',
  },
  sysFree: {
    fn: 'sysFreeOS',
    make: ready,
    call: (memory, v) => memory.sysFree(v, size, null),
    words: gone,
    state: 'None',
  },
}

/** A memory over an OS in which `inside` runs at each call of a function, when it is armed. */
function stage(fn: string, inside: () => void): { memory: Memory; os: KeepingOS; arm: (armed: boolean) => void } {
  let isArmed = false
  const os = new KeepingOS()
  const run = (name: string): undefined => {
    if (isArmed && name === fn) inside()
  }
  os.fate = run
  const retire = os.sysRetireOS.bind(os)
  os.sysRetireOS = (v, n, isMapped) => {
    run('sysRetireOS')
    return retire(v, n, isMapped)
  }
  return {
    memory: createMemory(os),
    os,
    arm: (armed) => {
      isArmed = armed
    },
  }
}

/** Runs what never ends as a script that its host stops. */
function stopped(run: () => unknown): void {
  const script = new vm.Script('run()')
  expect(() => void script.runInContext(vm.createContext({ run }), { timeout: 20 })).toThrow(/timed out/)
}

const stateOf = (memory: Memory, v: number): string =>
  memory.ranges().find(({ address }) => address === v)?.state ?? 'None'

/** All that is owned goes. Then the OS has what is retired, and what is lost at most. */
function empty(memory: Memory): void {
  memory.check()
  for (const { address, size: n } of memory.ranges()) memory.sysFree(address, n, null)
  memory.check()
  expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
}

describe.each(Object.entries(scenes))('%s', (op, { fn, make, call, words, state }) => {
  it.each([
    ['an error', new TypeError('foreign'), 'TypeError: foreign'],
    ['a string', 'foreign', '"foreign"'],
    ['nothing', undefined, 'undefined'],
    ['an object', Object.freeze({}), 'an object'],
  ])('over a backend that throws %s is a FatalError that says which state the range is in', (_, thrown, told) => {
    const { memory, arm } = stage(fn, () => {
      throw thrown
    })
    const v = make(memory)
    arm(true)
    const error = errorOf(() => call(memory, v)) as FatalError
    arm(false)
    expect(error).toBeInstanceOf(FatalError)
    expect(error.message).toBe(`${op}: the backend threw ${told}. ${words}`)
    expect([error.op, error.cause]).toEqual([op, thrown])
    expect(stateOf(memory, v)).toBe(state)
    empty(memory)
  })

  it('over a backend that throws an error of the layer leaves the range as it was', () => {
    const own = new FatalError('own', { op, hint: 'Look.' })
    const { memory, arm } = stage(fn, () => {
      throw own
    })
    const v = make(memory)
    const before = memory.ranges()
    arm(true)
    expect(errorOf(() => call(memory, v))).toBe(own)
    arm(false)
    expect(memory.ranges()).toEqual(before)
    empty(memory)
  })

  it('over a backend that calls the memory that it serves keeps the account right', () => {
    const { memory, arm } = stage(fn, () => {
      arm(false)
      memory.stats()
      const other = memory.sysAlloc(page, null)
      memory.sysFree(other, page, null)
    })
    const v = make(memory)
    arm(true)
    // Nothing is lost where the range comes into being: it is entered after the call.
    if (v === 0) call(memory, v)
    else {
      expect(errorOf(() => call(memory, v))).toMatchObject({
        code: 'ERR_MEMLAYER_FATAL',
        message: expect.stringContaining('a function of the backend called the memory that it serves') as string,
      })
      expect(stateOf(memory, v)).toBe(state)
    }
    empty(memory)
  })

  it('is settled by the next call when a script ends inside the backend', () => {
    let isInside = false
    const { memory, arm } = stage(fn, () => {
      isInside = true
      for (;;);
    })
    const v = make(memory)
    // A busy machine may stop the script before it comes so far.
    while (!isInside) {
      arm(true)
      stopped(() => call(memory, v))
      arm(false)
    }
    expect(stateOf(memory, v)).toBe(state)
    empty(memory)
  })
})

describe('a free that keeps the addresses', () => {
  it('keeps them as well when a script ends inside sysRetireOS', () => {
    const { memory, os, arm } = stage('sysRetireOS', () => {
      for (;;);
    })
    const v = seen(memory)
    arm(true)
    stopped(() => memory.sysFree(v, size, null))
    arm(false)
    expect(memory.stats()).toMatchObject({ retired: size, total: { ready: 0, held: 0 } })
    expect(os.emptied).toEqual([`${v.toString(16)}+${size}`])
    empty(memory)
  })

  it('unmaps when sysRetireOS throws', () => {
    const { memory, os, arm } = stage('sysRetireOS', () => {
      throw new Error('foreign')
    })
    const v = seen(memory)
    arm(true)
    memory.sysFree(v, size, null)
    expect([os.states(v, size), memory.stats().retired]).toEqual(['None', 0])
    empty(memory)
  })
})

describe('sysUnusedAll', () => {
  it('leaves what it had done, and settles the range that the backend broke at', () => {
    let calls = 0
    const { memory, arm } = stage('sysUnusedOS', () => {
      calls += 1
      if (calls === 2) throw new Error('foreign')
    })
    const v = memory.sysAlloc(6 * page, null)
    arm(true)
    expect(errorOf(() => memory.sysUnusedAll([v, page, v + 2 * page, page, v + 4 * page, page]))).toMatchObject({
      code: 'ERR_MEMLAYER_FATAL',
      address: v + 2 * page,
    })
    arm(false)
    expect(memory.ranges().map(({ address, state }) => [(address - v) / page, state])).toEqual([
      [0, 'Prepared'],
      [1, 'Ready'],
      [2, 'Prepared'],
      [3, 'Ready'],
    ])
    empty(memory)
  })

  it('is settled when a script ends inside it: all of its ranges are Prepared', () => {
    const { memory, arm } = stage('sysUnusedOS', () => {
      for (;;);
    })
    const v = memory.sysAlloc(3 * page, null)
    arm(true)
    stopped(() => memory.sysUnusedAll([v, page, v + 2 * page, page]))
    arm(false)
    expect(memory.ranges().map(({ state }) => state)).toEqual(['Prepared', 'Ready', 'Prepared'])
    empty(memory)
  })
})

describe('Object.prototype', () => {
  const names = ['sysRetireOS', 'sysUnusedAllOS', 'sysPopulateOS', 'sysNoHugePageOS', 'detach', 'host', 'quarantine']

  it.each(names)('gives a backend no %s, before or after the memory was made', (name) => {
    const prototype = Object.prototype as unknown as Record<string, unknown>
    let calls = 0
    const foreign = (): boolean => {
      calls += 1
      return true
    }
    for (const isBefore of [true, false]) {
      try {
        if (isBefore) prototype[name] = foreign
        // Without sysRetireOS of its own.
        const plain = createMemory(new Plain())
        if (!isBefore) prototype[name] = foreign
        const v = plain.sysAlloc(size, null)
        const view = plain.view(Uint8Array, v, page)
        plain.sysUnusedAll([v, page])
        expect(view.length).toBe(0)
        plain.sysFree(v, size, null)
        expect(plain.stats().retired).toBe(0)
        plain.check()
      } finally {
        Reflect.deleteProperty(prototype, name)
      }
    }
    expect(calls).toBe(0)
  })

  it('of a backend that can not be extended is refused', () => {
    const prototype = Object.prototype as unknown as Record<string, unknown>
    prototype['sysRetireOS'] = () => true
    try {
      expect(errorOf(() => createMemory(Object.freeze(new Plain())))).toMatchObject({
        code: 'ERR_MEMLAYER_OPTION',
        message: expect.stringContaining('its sysRetireOS is that of Object.prototype') as string,
      })
    } finally {
      Reflect.deleteProperty(prototype, 'sysRetireOS')
    }
  })
})

it('an allocation that was refused is an OutOfMemoryError, and owns nothing', () => {
  const os = new KeepingOS({ pages: 4 })
  const memory = createMemory(os)
  expect(errorOf(() => memory.sysAlloc(5 * page, null))).toBeInstanceOf(OutOfMemoryError)
  empty(memory)
})
