// Random operations on kernel32, beside a plain model of every page. VirtualQuery and the pages' own bytes are the
// witnesses. Runs in Node for Windows.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createMemory, UsageError, type Memory, type SysMemStat } from '@memlayer/core'
import { createOS } from '@memlayer/os-windows'
import { pageRangesIn, random, testSeed } from '@memlayer/witness'

const OPERATIONS = 100_000
const seed = testSeed()

const PAGE = 4096
const GRANULARITY = 65536
const RESERVATION_PAGES_MAX = 96
const RESERVATIONS_MAX = 40
const WORDS = PAGE / 4

const RESERVED = 1
const PREPARED = 2
const READY = 3

/** The expected state of a reservation. */
interface Model {
  readonly base: number
  readonly pages: number
  readonly states: Uint8Array
  /** The expected first and last word of each page. */
  readonly marks: Uint32Array
  /** The category that counts each page: 0 means no category, else the index of a stat plus 1. */
  readonly counted: Uint8Array
}

/** A run of pages. It may continue into the reservation that begins where this one ends. */
interface Run {
  readonly v: number
  readonly pages: number
}

class Walk {
  readonly memory: Memory = createMemory(createOS())
  readonly stats: SysMemStat[] = ['heap', 'stacks', 'other'].map((name) => this.memory.stat(name))
  readonly models = new Map<number, Model>()
  readonly random = random(seed).below
  /** The operations done, by name. A step that finds nothing to do does not count. */
  readonly made: Record<string, number> = {}
  operations = 0
  crossings = 0
  #mark = 0

  step(): void {
    const dice = this.random(100)
    if (this.models.size === 0 || (dice < 8 && this.models.size < RESERVATIONS_MAX)) return this.#obtain()
    if (dice < 10) return this.#freeWhole()
    if (dice < 12) return this.#freeAnything()
    if (dice < 28) return this.#touch()
    const op = (['map', 'used', 'used', 'unused', 'unused', 'fault', 'hugePage'] as const)[this.random(7)] ?? 'used'
    this.#transition(op)
  }

  #obtain(): void {
    const pages = 1 + this.random(RESERVATION_PAGES_MAX)
    const n = pages * PAGE
    const kind = this.random(10)
    if (kind < 4) {
      const stat = this.random(4)
      const v = this.memory.sysAlloc(n, this.#stat(stat))
      this.#enter(v, pages, READY, stat)
      return this.#count('sysAlloc')
    }
    if (kind < 9) {
      const v = this.memory.sysReserve(kind < 7 ? this.#placeBeside() : null, n)
      this.#enter(v, pages, RESERVED, 0)
      return this.#count('sysReserve')
    }
    const { address, size } = this.memory.sysReserveAligned(null, n, GRANULARITY << this.random(8))
    this.#enter(address, size / PAGE, RESERVED, 0)
    this.#count('sysReserveAligned')
  }

  /** The end of a reservation that fills its last 64 KiB, so that the next may begin there. */
  #placeBeside(): number | null {
    for (const { base, pages } of this.models.values()) {
      const end = base + pages * PAGE
      if (end % GRANULARITY === 0 && !this.models.has(end) && this.random(3) === 0) return end
    }
    return null
  }

  #freeWhole(): void {
    const model = this.#pick()
    const n = model.pages * PAGE
    const counted = new Set([...model.counted].filter((stat) => stat !== 0))
    const stat = counted.size === 1 && this.random(2) === 0 ? this.#stat([...counted][0] ?? 0) : null
    this.memory.sysFree(model.base, n, stat)
    this.models.delete(model.base)
    this.#count('sysFree')
    assert.deepEqual(
      pageRangesIn(model.base, n).map(({ state }) => state),
      ['FREE'],
    )
  }

  /**
   * Frees a part, or more than one reservation. It must be refused, unless it happens to be one whole reservation.
   */
  #freeAnything(): void {
    const { v, pages } = this.#run(this.#pick(), () => true)
    if (this.models.get(v)?.pages === pages) return
    this.#refused(() => this.memory.sysFree(v, pages * PAGE, null))
    this.#expectPages(v, pages)
  }

  #transition(op: 'map' | 'used' | 'unused' | 'fault' | 'hugePage'): void {
    const from: Record<typeof op, readonly number[]> = {
      map: [RESERVED],
      used: [PREPARED, READY],
      unused: [READY],
      fault: [PREPARED, READY],
      hugePage: [RESERVED, PREPARED, READY],
    }
    const legal = (state: number): boolean => from[op].includes(state)
    // One range in six is any range, legal or not.
    const { v, pages } = this.#run(this.#pick(), this.random(6) === 0 ? () => true : legal)
    const n = pages * PAGE
    const stat = this.random(4)
    const call = {
      map: () => this.memory.sysMap(v, n, this.#stat(stat)),
      used: () => this.memory.sysUsed(v, n),
      unused: () => this.memory.sysUnused(v, n),
      fault: () => this.memory.sysFault(v, n),
      hugePage: () => this.memory.sysHugePage(v, n),
    }[op]
    let allowed = true
    this.#each(v, pages, (model, i) => {
      if (!legal(model.states[i] ?? 0)) allowed = false
    })
    if (!allowed) this.#refused(call)
    else {
      call()
      this.#count(op)
      this.#each(v, pages, (model, i) => this.#become(op, model, i, stat))
    }
    this.#expectPages(v, pages)
  }

  #become(op: 'map' | 'used' | 'unused' | 'fault' | 'hugePage', model: Model, i: number, stat: number): void {
    const to = { map: PREPARED, used: READY, unused: PREPARED, fault: RESERVED, hugePage: model.states[i] ?? 0 }[op]
    model.states[i] = to
    if (op === 'map') model.counted[i] = stat
    if (op === 'unused' || op === 'fault') model.marks[i] = 0
  }

  /** Checks the contents of Ready pages, and writes something else. */
  #touch(): void {
    const model = this.#pick()
    const { v, pages } = this.#run(model, (state) => state === READY)
    if (this.#modelAt(v).states[(v - this.#modelAt(v).base) / PAGE] !== READY) return
    const words = new Uint32Array(this.memory.os.view(v, pages * PAGE))
    let page = 0
    this.#each(v, pages, (at, i) => {
      const first = page * WORDS
      const last = first + WORDS - 1
      if (words[first] !== at.marks[i] || words[last] !== at.marks[i]) {
        assert.fail(
          `page ${i} of 0x${at.base.toString(16)} holds ${words[first]} and ${words[last]}, not ${at.marks[i]}`,
        )
      }
      this.#mark += 1
      at.marks[i] = this.#mark
      words[first] = this.#mark
      words[last] = this.#mark
      page += 1
    })
    this.#count('touch')
  }

  /** Chooses a random page of `model` and as many pages after it as `takes` accepts, sometimes beyond its end. */
  #run(model: Model, takes: (state: number) => boolean): Run {
    let first = this.random(model.pages)
    for (let tries = 0; tries < 4 && !takes(model.states[first] ?? 0); tries++) first = this.random(model.pages)
    const most = 1 + this.random(RESERVATION_PAGES_MAX)
    const v = model.base + first * PAGE
    let pages = 1
    let at: Model | undefined = model
    for (; pages < most; pages++) {
      const next: number = v + pages * PAGE
      if (next === at.base + at.pages * PAGE) {
        const beyond: Model | undefined = this.models.get(next)
        if (beyond === undefined) break
        at = beyond
      }
      if (!takes(at.states[(next - at.base) / PAGE] ?? 0)) break
    }
    if (at !== model) this.crossings += 1
    return { v, pages }
  }

  #each(v: number, pages: number, visit: (model: Model, page: number) => void): void {
    let model = this.#modelAt(v)
    for (let i = 0; i < pages; i++) {
      const at = v + i * PAGE
      if (at === model.base + model.pages * PAGE) model = this.#modelAt(at)
      visit(model, (at - model.base) / PAGE)
    }
  }

  #modelAt(v: number): Model {
    const exact = this.models.get(v)
    if (exact !== undefined) return exact
    for (const model of this.models.values()) if (v >= model.base && v < model.base + model.pages * PAGE) return model
    throw new Error(`0x${v.toString(16)} is not in a reservation`)
  }

  #refused(call: () => void): void {
    assert.throws(call, (error) => error instanceof UsageError)
    this.#count('UsageError')
  }

  /** Expects VirtualQuery to see the pages as the model has them. */
  #expectPages(v: number, pages: number): void {
    const committed = new Uint8Array(pages)
    for (const { start, end, state } of pageRangesIn(v, pages * PAGE)) {
      if (state === 'FREE') assert.fail(`0x${start.toString(16)} is free`)
      if (state === 'COMMIT') committed.fill(1, (start - v) / PAGE, (end - v) / PAGE)
    }
    let at = 0
    this.#each(v, pages, (model, i) => {
      if ((committed[at] === 1) !== (model.states[i] === READY)) {
        assert.fail(
          `page ${i} of 0x${model.base.toString(16)} is ${committed[at] ? '' : 'not '}committed, ` +
            `its state is ${model.states[i]}`,
        )
      }
      at += 1
    })
  }

  /**
   * Checks everything at once: VirtualQuery, contents, totals by state and category, and the ledger's own check.
   */
  expectAll(): void {
    const bytes = { reserved: 0, prepared: 0, ready: 0 }
    const held = [0, 0, 0, 0]
    for (const model of this.models.values()) {
      this.#expectPages(model.base, model.pages)
      assert.equal(pageRangesIn(model.base, PAGE)[0]?.base, model.base)
      for (let i = 0; i < model.pages; i++) {
        const state = model.states[i]
        bytes[state === READY ? 'ready' : state === PREPARED ? 'prepared' : 'reserved'] += PAGE
        const stat = model.counted[i] ?? 0
        held[stat] = (held[stat] ?? 0) + PAGE
        if (state === READY) this.#expectMark(model, i)
      }
    }
    const { reserved, prepared, ready } = this.memory.stats().total
    assert.deepEqual({ reserved, prepared, ready }, bytes)
    assert.deepEqual(
      this.stats.map((stat) => stat.load()),
      held.slice(1),
    )
    assert.equal(
      this.memory.ranges().reduce((sum, { size }) => sum + size, 0),
      bytes.reserved + bytes.prepared + bytes.ready,
    )
    this.memory.check()
  }

  #expectMark(model: Model, i: number): void {
    const [first] = new Uint32Array(this.memory.os.view(model.base + i * PAGE, PAGE))
    assert.equal(first, model.marks[i])
  }

  freeAll(): void {
    while (this.models.size > 0) this.#freeWhole()
  }

  #enter(base: number, pages: number, state: number, stat: number): void {
    const counted = new Uint8Array(pages).fill(stat)
    this.models.set(base, {
      base,
      pages,
      states: new Uint8Array(pages).fill(state),
      marks: new Uint32Array(pages),
      counted,
    })
    this.#expectPages(base, pages)
  }

  #pick(): Model {
    const models = [...this.models.values()]
    return models[this.random(models.length)] as Model
  }

  #stat(index: number): SysMemStat | null {
    return index === 0 ? null : (this.stats[index - 1] ?? null)
  }

  #count(op: string): void {
    this.made[op] = (this.made[op] ?? 0) + 1
    this.operations += 1
  }
}

it(`${OPERATIONS} random operations keep every page, byte and total right (MEMLAYER_SEED=${seed})`, () => {
  const walk = new Walk()
  for (let checked = 0; walk.operations < OPERATIONS;) {
    try {
      walk.step()
      if (walk.operations < checked + 1000) continue
      walk.expectAll()
      checked = walk.operations
    } catch (error) {
      throw new Error(`operation ${walk.operations}, MEMLAYER_SEED=${seed}: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }
  walk.freeAll()
  walk.expectAll()
  assert.deepEqual(walk.memory.ranges(), [])
  // A walk that never crossed a reservation's end, or was never refused, did not test enough.
  for (const op of [
    'sysAlloc',
    'sysReserve',
    'sysReserveAligned',
    'sysFree',
    'map',
    'used',
    'unused',
    'fault',
    'hugePage',
    'touch',
    'UsageError',
  ]) {
    assert.ok((walk.made[op] ?? 0) > OPERATIONS / 1000, `${op}: ${walk.made[op]}`)
  }
  assert.ok(walk.crossings > OPERATIONS / 1000, `${walk.crossings} ranges over two reservations`)
})
