// Which allocator serves malloc in a Linux process, what it says of its memory, and how it gives back what it holds
// free. A program may replace glibc's by LD_PRELOAD or by linking another one. linux-process.ts asks.
import type { Allocator } from '@memlayer/kernel'
import type { CType, Engine, ForeignFunction } from './engine.js'
import { jemallocCalls } from './jemalloc.js'
import { addressOf, declare } from './linux-symbols.js'

/** What an allocator says of its memory. Bytes; NaN: not known. */
export interface AllocatorFigures {
  /** What it has that may be resident. */
  readonly resident: number
  /** The part of it that it holds free. */
  readonly free: number
}

/** Calls on an allocator other than the C library's own. */
export interface AllocatorCalls {
  figures(): AllocatorFigures
  /** Gives free memory back, as the port's `trim` does. */
  trim(): number
}

/** An allocator that was found. `calls` is null for the C library's own, and for one that is not known. */
export interface FoundAllocator {
  readonly name: Allocator
  readonly calls: AllocatorCalls | null
}

/** Declares a function of the allocator's own file. */
export type DeclareOwn = (name: string, result: CType, params: readonly CType[]) => ForeignFunction | null

/** A symbol that only this allocator has. It tells the allocator if it is in the file that serves malloc. */
const marks: readonly (readonly [symbol: string, name: Allocator])[] = [
  ['mallctl', 'jemalloc'],
  ['mi_version', 'mimalloc'],
  ['tc_version', 'tcmalloc'],
  ['gnu_get_libc_version', 'glibc'],
]
/**
 * Functions that every allocator defines. The address of `malloc` may be a stub in the program itself, because a
 * linker makes one where the program takes the address. Node 22 and 24 have such a stub, and none for the others.
 */
const served: readonly string[] = ['malloc', 'malloc_usable_size', 'posix_memalign', 'valloc']

/** Finds the allocator that serves malloc. `maps` has lines of /proc/self/maps or smaps. Null: it does not tell. */
export function findAllocator(engine: Engine, maps: string): FoundAllocator | null {
  const symbol = declare(() => addressOf(engine))
  if (symbol === null) return null
  const fileOf = (name: string): string | null => fileAt(maps, symbol(name))
  const files = served.map(fileOf).filter((file) => file !== null)
  const file = files.find((one) => one !== process.execPath) ?? files[0]
  if (file === undefined) return null
  const name = marks.find(([mark]) => fileOf(mark) === file)?.[1] ?? (file.includes('musl') ? 'musl' : 'unknown')
  const own: DeclareOwn = (called, result, params) =>
    declare(() => engine.func(null, called, result, params)) ??
    // Bun and Deno look only into the C library.
    declare(() => engine.func(file, called, result, params))
  return { name, calls: callsOf(name, engine, own) }
}

/** The file of the mapping that holds an address. Null: none does, or it is not a file's. */
function fileAt(maps: string, address: number): string | null {
  if (address === 0) return null
  for (const [, start = '', end = '', name = ''] of maps.matchAll(
    /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ +(\/.*)$/gm,
  )) {
    if (Number.parseInt(start, 16) <= address && address < Number.parseInt(end, 16)) return name
  }
  return null
}

function callsOf(name: Allocator, engine: Engine, own: DeclareOwn): AllocatorCalls | null {
  if (name === 'jemalloc') return jemallocCalls(engine, own)
  if (name === 'mimalloc') return mimallocCalls(engine, own)
  return name === 'tcmalloc' ? tcmallocCalls(engine, own) : null
}

const ENOSYS = 38

/** mi_process_info counts what mimalloc has committed, and mimalloc does not tell what of that is free. */
function mimallocCalls(engine: Engine, own: DeclareOwn): AllocatorCalls {
  const collect = own('mi_collect', 'int', ['int'])
  const info = own(
    'mi_process_info',
    'int',
    Array.from({ length: 8 }, () => 'address' as const),
  )
  const committed = 5
  const words = info === null ? null : openWords(engine, 8)
  return {
    figures() {
      if (info === null || words === null) return { resident: NaN, free: NaN }
      void info(...words.addresses)
      return { resident: Number(words.values[committed]), free: NaN }
    },
    // It returns nothing, and collects the memory that this thread and those that ended have freed.
    trim() {
      if (collect === null) return -ENOSYS
      void collect(1)
      return 1
    },
  }
}

/** Bytes that MallocExtension_GetStats may write. Its report has some 1,500. */
const REPORT_BYTES = 8192

/** gperftools's. Its properties leave out its own tables, so its figures are read from its report. */
function tcmallocCalls(engine: Engine, own: DeclareOwn): AllocatorCalls {
  const release = own('MallocExtension_ReleaseFreeMemory', 'int', [])
  const report = own('MallocExtension_GetStats', 'int', ['address', 'int'])
  const buffer = report === null ? 0 : engine.func(null, 'calloc', 'address', ['size', 'size'])(1, REPORT_BYTES)
  const bytes = buffer === 0 ? null : new Uint8Array(engine.view(buffer, REPORT_BYTES))
  return {
    figures() {
      if (report === null || bytes === null) return { resident: NaN, free: NaN }
      void report(buffer, REPORT_BYTES)
      return tcmallocFigures(new TextDecoder('latin1').decode(bytes.subarray(0, bytes.indexOf(0))))
    },
    // It returns nothing.
    trim() {
      if (release === null) return -ENOSYS
      void release()
      return 1
    },
  }
}

/** What tcmalloc's report says. NaN when lines are missing. */
export function tcmallocFigures(report: string): AllocatorFigures {
  const line = (name: string): number =>
    Number(new RegExp(`^MALLOC:[ =+]*(\\d+) \\(.*\\) ${name}`, 'm').exec(report)?.[1] ?? NaN)
  const resident = line('Actual memory used')
  return { resident, free: resident - line('Bytes in use by application') - line('Bytes in malloc metadata') }
}

/** Memory for results: 64-bit words and their addresses. Null: there is no memory. */
function openWords(engine: Engine, count: number): { addresses: number[]; values: BigUint64Array } | null {
  const first = engine.func(null, 'calloc', 'address', ['size', 'size'])(count, 8)
  if (first === 0) return null
  const values = new BigUint64Array(engine.view(first, count * 8))
  return { addresses: Array.from({ length: count }, (_, i) => first + i * 8), values }
}
