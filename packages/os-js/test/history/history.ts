// Random operations on a real WebAssembly.Memory, through core's ledger, against a simple shadow. The shadow knows
// which address comes back, what is refused and why, and the value of every byte. It also knows how far the memory
// may have grown. Runs in every engine.
import { createMemory, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import type { WasmKernel } from '@memlayer/kernel'
import { createOS, wasmKernel } from '@memlayer/os-js'
// Imported by its path, because the rest of the package needs Node.
import { random, type Random } from '@memlayer/witness/random'
import { moduleMemory, withDiscard } from './memories.js'
import { PAGE, Shadow, type PageState } from './shadow.js'

/** The kind of memory of a history. */
export type Kind = '32-bit' | '64-bit' | 'shared' | 'discard' | 'module'

/** The result of a history. */
export interface Summary {
  readonly refusals: number
  /** Pages of the memory at the end. */
  readonly pages: number
  /** The part of them that the module grew for itself. */
  readonly modulePages: number
}

/** The most pages of each memory: few, so that every history reaches the limit. */
export const MAXIMUM = 384

interface History {
  readonly memory: Memory
  readonly kernel: WasmKernel
  readonly shadow: Shadow
  readonly dice: Random
  /** Grows the memory as a module's own malloc would. Absent without a module. */
  readonly growModule?: (pages: number) => void
}

const categories = ['a', 'b'] as const
const obtaining = ['alloc', 'alloc', 'reserve', 'aligned'] as const
const moving = ['map', 'map', 'used', 'used', 'unused', 'huge', 'free', 'free', 'fault'] as const
const other = ['write', 'write', 'module'] as const

const allowed: Readonly<Record<(typeof moving)[number], readonly PageState[]>> = {
  map: ['Reserved'],
  used: ['Prepared', 'Ready'],
  unused: ['Ready'],
  huge: ['Reserved', 'Prepared', 'Ready'],
  free: ['Reserved', 'Prepared', 'Ready'],
  fault: ['Prepared', 'Ready'],
}

/**
 * Makes `steps` operations that follow from `seed`. Throws at the first that ends otherwise than the shadow says.
 */
export function liveHistory(kind: Kind, steps: number, seed: number): Summary {
  const history = historyOf(kind, random(seed))
  for (let i = 1; i <= steps; i++) {
    try {
      step(history)
      if (i % 1000 === 0) compare(history)
    } catch (error) {
      throw new Error(`${kind}, seed ${seed}, operation ${i}: ${(error as Error).message}`, { cause: error })
    }
  }
  const { memory, shadow } = history
  return { refusals: memory.stats().total.refusals, pages: shadow.pages, modulePages: shadow.count('Module') }
}

function historyOf(kind: Kind, dice: Random): History {
  if (kind === 'module') return moduleHistory(dice)
  const make = (): WasmKernel =>
    wasmKernel({
      maximum: MAXIMUM,
      ...(kind === '64-bit' ? { address: 'i64' } : {}),
      ...(kind === 'shared' ? { shared: true } : {}),
    })
  const kernel = kind === 'discard' ? withDiscard(make) : make()
  const shadow = new Shadow(MAXIMUM)
  shadow.handOut(0, 1, 'Module', null)
  return { memory: createMemory(createOS({ kernel })), kernel, shadow, dice }
}

/** A module that has three pages full of data, and takes more at times. */
function moduleHistory(dice: Random): History {
  const memory = moduleMemory(3, MAXIMUM)
  const kernel = wasmKernel({ memory, maximum: MAXIMUM })
  const shadow = new Shadow(MAXIMUM)
  const take = (from: number, n: number): void => {
    new Uint8Array(memory.buffer, from * PAGE).fill(0xee)
    shadow.handOut(from, n, 'Module', null)
    shadow.write(from, n, 0xeeeeeeee)
  }
  take(0, 3)
  const growModule = (n: number): void => {
    if (shadow.pages + n <= MAXIMUM) take(memory.grow(n), n)
  }
  return { memory: createMemory(createOS({ kernel })), kernel, shadow, dice, growModule }
}

function step(history: History): void {
  const { dice } = history
  const kind = dice.below(obtaining.length + moving.length + other.length)
  if (kind < obtaining.length) return obtain(history, dice.pick(obtaining))
  if (kind < obtaining.length + moving.length) return move(history, dice.pick(moving))
  if (dice.pick(other) === 'module') return history.growModule?.(1 + dice.below(2))
  write(history)
}

/** Obtains the lowest free pages, or expects a refusal when the maximum leaves no room. */
function obtain({ memory, shadow, dice }: History, op: (typeof obtaining)[number]): void {
  const n = 1 + dice.below(dice.below(20) === 0 ? 64 : 8)
  const category = dice.pick(categories)
  if (op === 'aligned') return obtainAligned(memory, shadow, n, 2 ** dice.below(4))
  const page = shadow.place(n)
  const call = (): number =>
    op === 'alloc' ? memory.sysAlloc(n * PAGE, memory.stat(category)) : memory.sysReserve(null, n * PAGE)
  if (page === -1) return expectError(call, OutOfMemoryError)
  same(`${op} of ${n} pages`, call(), page * PAGE)
  shadow.handOut(page, n, op === 'alloc' ? 'Ready' : 'Reserved', op === 'alloc' ? category : null)
}

/** Go's way: asks for more than needed, and gives the surplus back. */
function obtainAligned(memory: Memory, shadow: Shadow, n: number, align: number): void {
  const page = shadow.place(n + align)
  const call = (): number[] => {
    const { address, size } = memory.sysReserveAligned(null, n * PAGE, align * PAGE)
    return [address, size]
  }
  if (page === -1) return expectError(call, OutOfMemoryError)
  const first = Math.ceil(page / align) * align
  const pages = first === page ? n + align : n
  same(`${n} pages at ${align}`, call(), [first * PAGE, pages * PAGE])
  shadow.handOut(page, n + align, 'None', null)
  shadow.handOut(first, pages, 'Reserved', null)
}

/** Makes a transition of a range that may or may not be in a state that it starts from. */
function move({ memory, shadow, dice }: History, op: (typeof moving)[number]): void {
  const page = dice.below(MAXIMUM)
  let n = 1 + dice.below(8)
  // Three times in four the range is cut to the pages with one state.
  if (dice.below(4) > 0) while (n > 1 && shadow.states[page + n - 1] !== shadow.states[page]) n -= 1
  const [v, bytes] = [page * PAGE, n * PAGE]
  const category = dice.pick(categories)
  const calls: Readonly<Record<(typeof moving)[number], () => void>> = {
    map: () => memory.sysMap(v, bytes, memory.stat(category)),
    used: () => memory.sysUsed(v, bytes),
    unused: () => memory.sysUnused(v, bytes),
    huge: () => memory.sysHugePage(v, bytes),
    free: () => memory.sysFree(v, bytes, null),
    fault: () => memory.sysFault(v, bytes),
  }
  if (!shadow.all(page, n, allowed[op])) return expectError(calls[op], UsageError)
  calls[op]()
  if (op === 'map') shadow.map(page, n, category)
  if (op === 'used') shadow.set(page, n, 'Ready')
  if (op === 'unused') shadow.unuse(page, n, memory.os.traits.unusedDropsContents)
  if (op === 'fault') shadow.fault(page, n)
  if (op === 'free') shadow.set(page, n, 'None')
}

function write({ memory, shadow, dice }: History): void {
  const page = dice.below(MAXIMUM)
  if (shadow.states[page] !== 'Ready') return
  const word = dice.below(2 ** 32)
  new Uint32Array(memory.os.view(page * PAGE, PAGE), page * PAGE, PAGE / 4).fill(word)
  shadow.write(page, 1, word)
}

/** Expects state, account, contents and growth to agree with the shadow. */
function compare({ memory, kernel, shadow }: History): void {
  memory.check()
  const { total, categories: counted } = memory.stats()
  for (const [key, state] of [
    ['reserved', 'Reserved'],
    ['prepared', 'Prepared'],
    ['ready', 'Ready'],
  ] as const) {
    same(`bytes ${state}`, total[key], shadow.count(state) * PAGE)
    for (const name of categories)
      same(`bytes ${state} of ${name}`, counted[name]?.[key] ?? 0, shadow.count(state, name) * PAGE)
  }
  const owned = memory
    .ranges()
    .flatMap(({ address, size, state, category }) =>
      Array.from({ length: size / PAGE }, (_, i) => `${address / PAGE + i} ${state} ${category}`),
    )
  same('ranges', owned, shadow.owned())
  same('pages', kernel.currentMemory(), shadow.pages)
  same('contents', shadow.difference(kernel.view(0, 0)), null)
}

function expectError(call: () => unknown, type: typeof UsageError | typeof OutOfMemoryError): void {
  let thrown: unknown
  try {
    call()
  } catch (error) {
    thrown = error
  }
  if (!(thrown instanceof type)) throw new Error(`ended with ${String(thrown)}, not with a ${type.name}`)
}

function same(what: string, actual: unknown, expected: unknown): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (is !== should) throw new Error(`${what}: ${is}, and the shadow says ${should}`)
}
