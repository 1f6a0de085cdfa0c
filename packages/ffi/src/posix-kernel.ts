// The host's own kernel behind the POSIX port: libc by foreign calls. Every function is the call, and on failure a
// plain load of errno. Nothing may stand between the two. An allocation can run the collector, and so can the entry
// of a function, where engines look for waiting work. Their system calls overwrite errno. So the load is written
// out each time.
import { NoEngineError } from '#engine'
import type { Address, PosixKernel, PosixLimits, Use } from '@memlayer/kernel'
import { darwinTrim } from './darwin-trim.js'
import { errnoLocation } from './defs.js'
import type { Engine, ForeignFunction } from './engine.js'
import { hostEngine } from './host-engine.js'
import { hostFiles, type ReadHostFile } from './host-file.js'
import { isBatchOff, linuxBatch } from './linux-batch.js'
import { linuxHugePages, linuxHugePageSize } from './linux-huge-pages.js'
import { linuxPages } from './linux-pages.js'
import { linuxPressure } from './linux-pressure.js'
import { linuxProcess } from './linux-process.js'
import { groupLimits } from './linux-groups.js'
import { linuxLimits, linuxMappings, linuxProcessLimits } from './linux-limits.js'
import { processTable } from './linux-table.js'

let kernel: PosixKernel | undefined

/**
 * The host's kernel behind the POSIX port. The first call loads the engine for foreign calls. One kernel serves all
 * backends of a thread.
 *
 * @throws NoEngineError ERR_MEMLAYER_NO_ENGINE when foreign calls can't be made here.
 */
export function posixKernel(): PosixKernel {
  kernel ??= openPosixKernel(hostEngine(), process.platform)
  return kernel
}

function openPosixKernel(engine: Engine, platform: string): PosixKernel {
  const location = errnoLocation[platform]
  if (location === undefined) {
    throw new NoEngineError(
      `@memlayer/ffi has no POSIX kernel for ${platform}`,
      'Hand a kernel to createOS({ kernel }).',
    )
  }
  // errno is per thread, and so is an instance of this module.
  const errno = new Int32Array(engine.view(engine.func(null, location, 'address', [])(), 4))

  const mmap = findMmap(engine)
  const munmap = engine.func(null, 'munmap', 'int', ['address', 'size'])
  const mprotect = engine.func(null, 'mprotect', 'int', ['address', 'size', 'int'])
  const madvise = engine.func(null, 'madvise', 'int', ['address', 'size', 'int'])
  const readFile = hostFiles(engine)

  return {
    pageSize: engine.func(null, 'getpagesize', 'int', [])(),
    hugePageSize: platform === 'linux' ? linuxHugePageSize(readFile) : 0,
    arch: process.arch,
    foreignCalls: { engine: engine.name, passedOver: engine.passedOver ?? [] },
    mmap(addr: Address, length: number, prot: number, flags: number, fd: number, offset: number): number {
      const p = mmap(addr, length, prot, flags, fd, offset)
      return p === -1 ? -(errno[0] as number) : p
    },
    munmap: (addr: Address, length: number): number => (munmap(addr, length) === 0 ? 0 : -(errno[0] as number)),
    mprotect: (addr: Address, length: number, prot: number): number =>
      mprotect(addr, length, prot) === 0 ? 0 : -(errno[0] as number),
    madvise: (addr: Address, length: number, advice: number): number =>
      madvise(addr, length, advice) === 0 ? 0 : -(errno[0] as number),
    view: (addr: Address, length: number): ArrayBuffer => engine.view(addr, length),
    addressOf: (buffer: ArrayBufferLike): Address => engine.addressOf(buffer),
    read: (addr: Address, target: Uint8Array): void => engine.read(addr, target),
    write: (addr: Address, source: Uint8Array): void => engine.write(addr, source),
    ...(platform === 'linux' ? linuxExtras(engine, errno, readFile) : {}),
    ...(platform === 'darwin' ? darwinExtras(engine) : {}),
  }
}

/** What Linux alone offers. */
function linuxExtras(engine: Engine, errno: Int32Array, readFile: ReadHostFile): Partial<PosixKernel> {
  let batch: ReturnType<typeof linuxBatch> | undefined
  const batched = {
    madviseAll(ranges: ArrayLike<number>, advice: number): number {
      batch ??= linuxBatch(engine, errno)
      return batch(ranges, advice)
    },
  }
  let pages: ReturnType<typeof linuxPages> | undefined
  const residency = (addr: Address, length: number): number[] | null => {
    pages ??= linuxPages(engine)
    return pages(addr, length)
  }
  return {
    ...(isBatchOff() ? {} : batched),
    hugePages: (addr: Address, length: number): number => linuxHugePages(readFile, addr, length),
    mappings: () => linuxMappings(readFile),
    processLimits: () => linuxProcessLimits(readFile),
    processTable: () => processTable(engine),
    heap: heapOfThread,
    limits: (): PosixLimits => linuxLimits(readFile),
    groupLimits: () => groupLimits(readFile),
    pressure: () => linuxPressure(readFile),
    residency,
    ...linuxProcess(engine, readFile, residency),
  }
}

function heapOfThread(): Use {
  const v8 = process.getBuiltinModule('node:v8') as Partial<typeof import('node:v8')>
  // A script that ends while the engine loads this module leaves it without functions.
  const { total_heap_size: used, heap_size_limit: limit } = v8.getHeapStatistics?.() ?? {
    total_heap_size: NaN,
    heap_size_limit: NaN,
  }
  return { used, limit }
}

/** What Darwin alone offers. */
function darwinExtras(engine: Engine): Partial<PosixKernel> {
  return { residentMemory: () => process.memoryUsage.rss(), trim: darwinTrim(engine) }
}

/**
 * mmap with an offset of 64 bits. On 32-bit glibc and bionic that is mmap64, because their mmap has a 32-bit
 * offset. A libc without the name mmap64 has only the wide mmap.
 */
function findMmap(engine: Engine): ForeignFunction {
  const params = ['address', 'size', 'int', 'int', 'int', 'offset'] as const
  try {
    return engine.func(null, 'mmap64', 'address', params)
  } catch {
    return engine.func(null, 'mmap', 'address', params)
  }
}
