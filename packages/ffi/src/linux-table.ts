// One table for the threads of a Linux process. It lies at an address that all threads and all copies of this package
// know, so that the kernel says who comes first: it maps a page there once, and refuses the second time. The kernel
// also says whether a thread lives. packages/docs/decisions/one-table-for-the-process.md has the reasons.
import type { Address, ProcessTable } from '@memlayer/kernel'
import type { Engine } from './engine.js'
import { onThreadEnd } from './thread-ends.js'

// The layout of the words is core's. Another layout wants another address, so this ends in its number. The second is
// for processors with 38 bits of addresses.
const addresses: readonly Address[] = [0x6d65_6d6c_0000, 0x2d_6d6c_0000]
const words = 2 ** 18
/** Of them, those at the end are this package's: descriptors and scratch memory. */
const ownWords = 2048
const magic = 0x6d6c_0001

const [PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, MAP_NORESERVE, MAP_FIXED_NOREPLACE] = [3, 0x22, 0x4000, 0x100000]
const F_OK = 0
const [EPERM, ESRCH, EFAULT, EEXIST, ENOSYS] = [1, 3, 14, 17, 38]

// Among the own words: a magic number, a descriptor each, then three words for each block of scratch memory.
const MAGIC = 0
const BLOCKS = 16
const BLOCK_WORDS = 3
const blockBytes = 2 ** 18
/** For '/proc/self/task/' and a number. */
const pathBytes = 64

/** The table, as this package uses it. */
export interface Table extends ProcessTable {
  readonly own: Int32Array
}

let table: Table | null = null

/** The process's table; null: this host has none, or has no memory for it now. */
export function processTable(engine: Engine): Table | null {
  try {
    table ??= openTable(engine)
  } catch {
    // A C library without gettid or tgkill.
  }
  return table
}

function openTable(engine: Engine): Table | null {
  // The flags are those of all processors but these.
  if (['mips', 'mipsel', 'mips64el', 'ppc'].includes(process.arch)) return null
  const mmap = engine.func(null, 'mmap', 'address', ['address', 'size', 'int', 'int', 'int', 'offset'])
  const munmap = engine.func(null, 'munmap', 'int', ['address', 'size'])
  const access = engine.func(null, 'access', 'int', ['address', 'int'])
  const tgkill = engine.func(null, 'tgkill', 'int', ['int', 'int', 'int'])
  const thread = engine.func(null, 'gettid', 'int', [])()
  // A filter of system calls refuses it. Threads could not be told apart.
  if (thread <= 0) return null
  const errno = new Int32Array(engine.view(engine.func(null, '__errno_location', 'address', [])(), 4))
  const map = (at: Address, bytes: number, flags: number): Address =>
    mmap(at, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS | MAP_NORESERVE | flags, -1, 0)
  const readable = (at: Address, isTaken: boolean): boolean => {
    if (access(at, F_OK) === 0) return true
    const answer = errno[0] as number
    // A filter of system calls refuses it, and tells nothing of the address.
    return answer === EPERM || answer === ENOSYS ? isTaken : answer !== EFAULT
  }
  let listed: ((thread: number) => boolean) | undefined
  const all = meet(engine, map, munmap, () => errno[0] === EEXIST, readable)
  if (all === null) return null
  return {
    words: all.subarray(0, words - ownWords),
    own: all.subarray(words - ownWords),
    thread,
    engineThread: engineThread(thread),
    isThread(number) {
      if (tgkill(process.pid, number, 0) === 0) return true
      if (errno[0] === ESRCH) return false
      // A filter of system calls refuses it.
      listed ??= openListed(engine, thread)
      return listed(number)
    },
    map: (bytes) => Math.max(0, map(0, bytes, 0)),
    numbers: (at, bytes) => new Float64Array(engine.view(at, bytes)),
    unmap: (at, bytes) => munmap(at, bytes) === 0,
    onThreadEnd,
  }
}

type Map = (at: Address, bytes: number, flags: number) => Address

/** Maps the table, or finds it. Null: something else lies there. */
function meet(
  engine: Engine,
  map: Map,
  munmap: (at: Address, bytes: number) => number,
  wasTaken: () => boolean,
  readable: (at: Address, isTaken: boolean) => boolean,
): Int32Array | null {
  for (const at of addresses) {
    const p = map(at, 4 * words, MAP_FIXED_NOREPLACE)
    // Before Linux 4.17 the flag was not known, and the address was a wish.
    const isTaken = p < 0 && wasTaken()
    if (p > 0 && p !== at) munmap(p, 4 * words)
    if (p !== at && !readable(at, isTaken)) continue
    const all = new Int32Array(engine.view(at, 4 * words))
    const own = all.subarray(words - ownWords)
    const found = Atomics.compareExchange(own, MAGIC, 0, magic)
    return found === 0 || found === magic ? all : null
  }
  return null
}

/**
 * Whether /proc lists a thread. Where it is missing, or is that of other numbers, it does not list this thread itself,
 * and then every thread counts as living.
 */
function openListed(engine: Engine, self: number): (thread: number) => boolean {
  const access = engine.func(null, 'access', 'int', ['address', 'int'])
  const path: Address = engine.func(null, 'calloc', 'address', ['size', 'size'])(1, pathBytes)
  if (path === 0) return () => true
  const bytes = new Uint8Array(engine.view(path, pathBytes))
  const isListed = (thread: number): boolean => {
    new TextEncoder().encodeInto(`/proc/self/task/${thread}\0`, bytes)
    return access(path, F_OK) === 0
  }
  return (thread) => isListed(thread) || !isListed(self)
}

/** The kernel has the process's number for the main thread. In a worker the module is loaded already. */
function engineThread(thread: number): number {
  return thread === process.pid ? 0 : process.getBuiltinModule('node:worker_threads').threadId
}

/** The descriptors that serve all threads. */
export const shared: { readonly pagemap: number; readonly mem: number; readonly self: number } = {
  pagemap: 1,
  mem: 2,
  self: 3,
}

/** A descriptor that one thread opens for all. Negative: it can't be opened now. */
export function sharedDescriptor(engine: Engine, place: number, open: () => number): number {
  const own = processTable(engine)?.own
  const known = own === undefined ? 0 : Atomics.load(own, place)
  if (known > 0) return known - 1
  const fd = open()
  if (fd < 0 || own === undefined) return fd
  const found = Atomics.compareExchange(own, place, 0, fd + 1)
  if (found === 0) return fd
  void engine.func(null, 'close', 'int', ['int'])(fd)
  return found - 1
}

// What is left of this thread's block.
let next: Address = 0
let end: Address = 0

/**
 * Zeroed memory for arguments and answers of calls, for as long as this thread lives. A thread that ends runs no code,
 * so the next one takes its block. 0: there is none.
 */
export function scratch(engine: Engine, bytes: number): Address {
  if (next === 0) {
    next = takeBlock(processTable(engine))
    end = next === 0 ? 0 : next + blockBytes
    next ||= NaN
  }
  const size = Math.ceil(bytes / 64) * 64
  if (next + size <= end) {
    const at = next
    next += size
    return at
  }
  return engine.func(null, 'calloc', 'address', ['size', 'size'])(1, bytes)
}

function takeBlock(from: Table | null): Address {
  if (from === null) return 0
  const { own, thread } = from
  for (let at = BLOCKS; at + BLOCK_WORDS <= own.length; at += BLOCK_WORDS) {
    const owner = Atomics.load(own, at)
    if (owner === thread || (owner !== 0 && from.isThread(owner))) continue
    if (Atomics.compareExchange(own, at, owner, thread) !== owner) continue
    const known = addressAt(own, at + 1)
    if (known !== 0) {
      from.numbers(known, blockBytes).fill(0)
      return known
    }
    const block = from.map(blockBytes)
    if (block === 0) return 0
    own[at + 2] = Math.floor(block / 2 ** 32)
    own[at + 1] = block | 0
    return block
  }
  return 0
}

function addressAt(own: Int32Array, at: number): Address {
  return ((own[at + 1] as number) >>> 0) * 2 ** 32 + ((own[at] as number) >>> 0)
}
