// Where a Linux process's memory is: /proc/self/smaps by mapping, the allocator's figures, and the engine's figures
// for its heap. Also the allocator's trim. posix-kernel.ts calls it.
import type { Address, ProcessMapping, ProcessMemory } from '@memlayer/kernel'
import type { Engine, ForeignFunction } from './engine.js'
import type { ReadHostFile } from './host-file.js'
import { findAllocator, type AllocatorCalls, type FoundAllocator } from './linux-allocator.js'
import { openOwners, type NamedMapping, type Owners, type ResidencyCall } from './linux-owners.js'
import { declare } from './linux-symbols.js'

const ENOSYS = 38
/** HEAP_MAX_SIZE in glibc's malloc/arena.c. Each arena except the first begins at a multiple of it. */
const ARENA_BYTES = 2 ** 26

/** A Linux process's memory, and the call that asks its allocator to give free memory back. */
export interface LinuxProcess {
  processMemory(): ProcessMemory | null
  trim(): number
}

/** Opens both. The allocator is looked for at the first call, and each call reads the figures again. */
export function linuxProcess(engine: Engine, read: ReadHostFile, residency: ResidencyCall): LinuxProcess {
  let found: FoundAllocator | null = null
  const allocatorIn = (maps: string): FoundAllocator | null => (found ??= findAllocator(engine, maps))
  let owners: Owners | undefined
  const glibc = openGlibc(engine)
  return {
    processMemory() {
      const smaps = read('/proc/self/smaps')
      // A sandbox may have the file and write nothing into it.
      if (smaps === null || smaps === '') return null
      const { name = 'unknown', calls = null } = allocatorIn(smaps) ?? {}
      // malloc_info tells of glibc's own heaps, which are empty where another allocator serves.
      const isGlibc = name === 'glibc'
      const own = isGlibc ? mallocTotals(glibc.info()) : figuresOf(calls)
      const heap = heapOf()
      owners ??= openOwners(engine, residency, isGlibc)
      const { mappings, blocks } = owners(mappingsOf(smaps, isGlibc))
      const rollup = /^Rss:\s+(\d+) kB/m.exec(read('/proc/self/smaps_rollup') ?? '')?.[1]
      return {
        allocator: name,
        resident:
          rollup === undefined ? mappings.reduce((sum, { resident }) => sum + resident, 0) : Number(rollup) * 1024,
        mappings,
        ...own,
        // Minus the blocks that were found, because they are mappings of their own.
        mallocMapped: own.mallocMapped - blocks,
        ...heap,
      }
    },
    trim() {
      const allocator = allocatorIn(read('/proc/self/maps') ?? '')
      // What is not known may stand before glibc's malloc and hand on to it.
      return allocator?.calls?.trim() ?? glibc.trim()
    },
  }
}

type MallocFigures = Pick<ProcessMemory, 'mallocFree' | 'mallocMapped' | 'mallocResident'>

function figuresOf(calls: AllocatorCalls | null): MallocFigures {
  const { resident, free } = calls?.figures() ?? { resident: NaN, free: NaN }
  return { mallocResident: resident, mallocFree: free, mallocMapped: 0 }
}

/** malloc_info(3) and malloc_trim(3). Each is declared at its first use. */
function openGlibc(engine: Engine): { info(): string; trim(): number } {
  let mallocInfo: (() => string) | null | undefined
  let mallocTrim: ForeignFunction | null | undefined
  return {
    info() {
      if (mallocInfo === undefined) mallocInfo = declare(() => openMallocInfo(engine))
      return mallocInfo?.() ?? ''
    },
    // musl does not have it.
    trim() {
      if (mallocTrim === undefined) mallocTrim = declare(() => engine.func(null, 'malloc_trim', 'int', ['size']))
      return mallocTrim === null ? -ENOSYS : mallocTrim(0)
    },
  }
}

/**
 * What malloc_info(3) says of all arenas together. The totals stand behind the last arena. NaN when they are
 * missing.
 */
export function mallocTotals(text: string): Pick<ProcessMemory, 'mallocFree' | 'mallocMapped'> {
  const totals = text.slice(text.lastIndexOf('</heap>'))
  const sizeOf = (type: string): number =>
    Number(new RegExp(`<total type="${type}" count="\\d+" size="(\\d+)"`).exec(totals)?.[1] ?? NaN)
  const fast = sizeOf('fast')
  // glibc 2.43 has no fast bins any more, so it writes no line for them.
  return { mallocFree: sizeOf('rest') + (Number.isNaN(fast) ? 0 : fast), mallocMapped: sizeOf('mmap') }
}

type Heap = Pick<ProcessMemory, 'heapCommitted' | 'heapTouched' | 'arrayBuffers' | 'external'>

function heapOf(): Heap {
  const v8 = process.getBuiltinModule('node:v8')
  const { total_heap_size: heapCommitted, total_physical_size: heapTouched } = v8.getHeapStatistics()
  const { arrayBuffers, external } = usage()
  return { heapCommitted, heapTouched: Math.min(heapTouched, heapCommitted), arrayBuffers, external }
}

/** The engine reads a file of /proc for the process's size as well, and throws where a sandbox does not show it. */
function usage(): Pick<NodeJS.MemoryUsage, 'arrayBuffers' | 'external'> {
  try {
    return process.memoryUsage()
  } catch {
    return { arrayBuffers: NaN, external: process.getBuiltinModule('node:v8').getHeapStatistics().external_memory }
  }
}

/**
 * malloc_info(3) into memory. mallinfo2 returns a structure, and each processor returns structures in its own way.
 */
function openMallocInfo(engine: Engine): () => string {
  const openMemstream = engine.func(null, 'open_memstream', 'address', ['address', 'address'])
  const mallocInfo = engine.func(null, 'malloc_info', 'int', ['int', 'address'])
  const fclose = engine.func(null, 'fclose', 'int', ['address'])
  const free = engine.func(null, 'free', 'int', ['address'])
  const slots: Address = engine.func(null, 'calloc', 'address', ['size', 'size'])(2, 8)
  const words = new BigUint64Array(engine.view(slots, 16))
  return () => {
    const stream = openMemstream(slots, slots + 8)
    if (stream === 0) return ''
    const failed = mallocInfo(0, stream) !== 0
    void fclose(stream)
    const [text, length] = [Number(words[0]), Number(words[1])]
    const bytes = new Uint8Array(length)
    if (length > 0) engine.read(text, bytes)
    void free(text)
    return failed ? '' : new TextDecoder().decode(bytes)
  }
}

interface Line {
  readonly address: Address
  readonly end: Address
  readonly permissions: string
  readonly name: string
  readonly resident: number
  /** glibc maps stacks with MAP_STACK: no huge pages. */
  readonly isSmallPaged: boolean
}

function linesOf(smaps: string): Line[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap((block) => {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+[ \t]*(.*)$/m.exec(block)
    if (head === null) return []
    const [address, end] = [Number.parseInt(head[1] ?? '', 16), Number.parseInt(head[2] ?? '', 16)]
    const resident = Number(/^Rss:\s+(\d+) kB/m.exec(block)?.[1] ?? 0) * 1024
    const isSmallPaged = /^VmFlags:.*\bnh\b/m.test(block)
    return [{ address, end, permissions: head[3] ?? '', name: head[4] ?? '', resident, isSmallPaged }]
  })
}

/** The mappings that smaps tells of. `hasArenas`: glibc serves malloc. */
export function mappingsOf(smaps: string, hasArenas: boolean): NamedMapping[] {
  const lines = linesOf(smaps)
  return lines.map((line, i) => {
    const kind = kindOf(line, lines[i - 1], hasArenas && isArena(line, lines[i + 1]))
    const { address, end, resident, name } = line
    return { address, size: end - address, resident, kind, isNameless: name === '' && kind === 'anonymous' }
  })
}

/**
 * Whether a mapping is an arena of glibc, as far as that is in use. The rest of the arena follows, without access. The
 * kernel makes one mapping of the arena and of memory before it, so the arena may begin inside.
 */
function isArena({ address, end, permissions }: Line, next: Line | undefined): boolean {
  if (permissions !== 'rw-p') return false
  if (address % ARENA_BYTES === 0) return end < address + ARENA_BYTES
  const isRest = next?.address === end && next.permissions === '---p' && next.end % ARENA_BYTES === 0
  return isRest && next.end - ARENA_BYTES >= address && next.end - ARENA_BYTES < end
}

/** The kind of a mapping. Threads' stacks have no name. They lie behind a guard, which is a mapping without access. */
function kindOf(line: Line, before: Line | undefined, inArena: boolean): ProcessMapping['kind'] {
  const { address, permissions, name, isSmallPaged } = line
  if (name === '[heap]') return 'malloc'
  if (name === '[stack]') return 'stack'
  if (name.startsWith('[anon')) return 'anonymous'
  if (name.startsWith('[')) return 'kernel'
  if (name !== '') return 'file'
  if (isSmallPaged && before?.permissions === '---p' && before.end === address) return 'stack'
  // Code that was generated at run time.
  if (permissions.includes('x')) return 'engine'
  return inArena ? 'malloc' : 'anonymous'
}
