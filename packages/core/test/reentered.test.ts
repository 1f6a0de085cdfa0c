// Code of the program that runs in the midst of a call: in a getter, a hook of the engine, a listener of a worker, a
// list. It operates on the same pages. Whatever it does, no view is left over pages that are not Ready, and no hold or
// offer is passed over.
import { createHook } from 'node:async_hooks'
import { createMemory, type Memory, type Region, type WorkerLike } from '@memlayer/core'
import { beforeDetach } from '@memlayer/kernel'
import { afterEach, describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

let restore: (() => void) | undefined
afterEach(() => {
  restore?.()
  restore = undefined
})

/** Defines a property until the test has ended, or `restore` is called. */
function define(object: object, key: PropertyKey, descriptor: PropertyDescriptor): void {
  const before = Object.getOwnPropertyDescriptor(object, key)
  Object.defineProperty(object, key, { configurable: true, ...descriptor })
  restore = () => {
    if (before === undefined) Reflect.deleteProperty(object, key)
    else Object.defineProperty(object, key, before)
    restore = undefined
  }
}

function ready(pages = 4): { memory: Memory; region: Region } {
  const memory = createMemory(new PageOS())
  const region = memory.reserve(pages * page, { name: 'ready' })
  region.commit()
  return { memory, region }
}

/** Runs `run` once. */
function once(run: () => void): () => void {
  let isOver = false
  return () => {
    if (isOver) return
    isOver = true
    run()
  }
}

describe('a view, while which is made the pages leave Ready', () => {
  const take = (region: Region): void => region.fault(0, page)

  it('by the species of promises', () => {
    const { region, memory } = ready()
    const run = once(() => take(region))
    define(Promise, Symbol.species, {
      get() {
        run()
        return Promise
      },
    })
    const view = region.view(Uint8Array, 0, page)
    restore?.()
    run()
    expect(view.length).toBe(0)
    memory.check()
  })

  it('by a hook of asynchronous resources', () => {
    const { region, memory } = ready()
    const run = once(() => take(region))
    const hook = createHook({ init: run }).enable()
    const view = region.view(Uint8Array, 0, page)
    hook.disable()
    expect(memory.ranges()[0]?.state).toBe('Reserved')
    expect(view.length).toBe(0)
    memory.check()
  })

  it('by a class that extends a typed array', () => {
    const { region } = ready()
    class Own extends Uint8Array {
      constructor(...given: ConstructorParameters<typeof Uint8Array>) {
        super(...given)
        take(region)
      }
    }
    expect(region.view(Own, 0, page).length).toBe(0)
  })

  it('with setters for indexes on Array.prototype', () => {
    for (let index = 0; index < 12; index++) {
      const { region } = ready(16)
      define(Array.prototype, index, { set() {} })
      const views: Uint8Array[] = []
      const [first, second] = [region.view(Uint8Array, 0, page), region.view(Uint8Array, 0, 2 * page)]
      restore?.()
      for (let i = 0; i < 10; i++) views.push(region.view(Uint8Array, i * page, page))
      define(Array.prototype, index, { set() {} })
      region.unused(0, 2 * page)
      restore?.()
      expect([first.length, second.length, views[0]?.length, views[1]?.length, views[2]?.length]).toEqual([
        0,
        0,
        0,
        0,
        page,
      ])
    }
  })
})

describe('an offer, while which is made the pages leave Ready', () => {
  /** A worker that runs code when it is listened to. */
  const workerThat = (run: () => void): WorkerLike => {
    const worker = new (class Worker extends EventTarget {
      readonly threadId = 7
      once(): void {
        run()
      }
    })()
    return worker
  }

  it('is not made', () => {
    const { region, memory } = ready()
    for (const change of [() => region.fault(0, page), () => region.free()]) {
      const worker = workerThat(once(change))
      const error = errorOf(() => region.share(worker, 0, page))
      expect(error.code).toMatch(/^ERR_MEMLAYER_(STATE|DISPOSED|SHARED)$/)
    }
    memory.check()
  })
})

describe('a hold or a view that is taken while views are ended', () => {
  it.each(['unused', 'fault', 'free', 'unusedAll'] as const)('is not passed over by %s', (op) => {
    const { region, memory } = ready()
    const view = region.view(Uint8Array, 0, page)
    let hold: ReturnType<Region['hold']> | undefined
    beforeDetach(
      view.buffer,
      once(() => (hold = region.hold(0, page))),
    )
    const run = (): void => {
      if (op === 'unusedAll') region.unusedAll([0, page])
      else region[op](0, page)
    }
    expect(errorOf(run).code).toBe('ERR_MEMLAYER_SHARED')
    expect(memory.ranges()).toMatchObject([{ state: 'Ready', size: 4 * page }])
    hold?.release()
    run()
    memory.check()
  })
})

describe('a list that changes while it is read', () => {
  it('gives back no page of another region', () => {
    const { region, memory } = ready()
    let other: Region | undefined
    const list = {
      length: 4,
      0: 0,
      1: page,
      get 2() {
        region.free(0, page)
        other = memory.reserve(page, { name: 'other', address: region.address })
        other.commit()
        return 2 * page
      },
      3: page,
    }
    expect(errorOf(() => region.unusedAll(list)).code).toBe('ERR_MEMLAYER_DISPOSED')
    expect(memory.ranges().map(({ state, category }) => [state, category])).toEqual([
      ['Ready', 'other'],
      ['Ready', 'ready'],
    ])
  })
})

describe('what people hold', () => {
  it('can not be pointed elsewhere', () => {
    const { region } = ready()
    for (const key of ['address', 'size', 'name', 'stat', 'memory'] as const) {
      expect(() => Object.assign(region, { [key]: 2 ** 40 })).toThrow(TypeError)
    }
    expect(region).toMatchObject({ name: 'ready', size: 4 * page })
  })
})
