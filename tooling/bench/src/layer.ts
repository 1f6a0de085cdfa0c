// Opens memlayer on this host, and the bare foreign calls beside it. All benchmarks use them.
import { createRequire } from 'node:module'
import { createMemory, type Memory, type MemoryOptions, type SysMemStat } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { alignUp, type Address } from '@memlayer/kernel'

export const KiB: number = 2 ** 10
export const MiB: number = 2 ** 20
export const GiB: number = 2 ** 30

// <asm-generic/mman-common.h>
export const MADV_DONTNEED = 4
export const MADV_HUGEPAGE = 14
export const MADV_NOHUGEPAGE = 15

/** Opens a memory over the host's kernel. */
export function openMemory(options?: MemoryOptions): Memory {
  return createMemory(createOS(), options)
}

/** A range that is Ready from end to end. It starts at a huge page and shares its huge pages with nothing else. */
export interface ReadyRange {
  readonly memory: Memory
  readonly stat: SysMemStat
  readonly address: Address
  readonly size: number
}

/** Reserves, maps and uses `size` bytes. */
export function readyRange(memory: Memory, size: number): ReadyRange {
  const { hugePageSize, pageSize } = memory.os.traits
  const stat = memory.stat('bench')
  const whole = alignUp(size, hugePageSize || pageSize)
  const { address } = memory.sysReserveAligned(null, whole, hugePageSize || pageSize)
  // A kernel with heuristic overcommit refuses one commit of more memory than the machine has.
  for (let at = 0; at < whole; at += GiB) {
    const n = Math.min(GiB, whole - at)
    memory.sysMap(address + at, n, stat)
    memory.sysUsed(address + at, n)
  }
  return { memory, stat, address, size: whole }
}

/** libc for a program that has only foreign calls. */
export interface BareLibc {
  mmap(addr: number, length: number, prot: number, flags: number, fd: number, offset: number): number
  munmap(addr: number, length: number): number
  madvise(addr: number, length: number, advice: number): number
  /** Makes a koffi view of the bytes at an address. */
  view(addr: number, length: number): ArrayBuffer
}

interface Koffi {
  readonly version: string
  view(addr: number, length: number): ArrayBuffer
  load(library: string | null): { func(name: string, result: string, params: string[]): (...args: number[]) => number }
}

function koffi(): Koffi {
  return createRequire(import.meta.url)(`@koromix/koffi-${process.platform}-${process.arch}`) as Koffi
}

/** Declares the foreign functions again, so that the bare way shares nothing with the layer. */
export function bareLibc(): BareLibc {
  const libc = koffi().load(null)
  const { view } = koffi()
  return {
    mmap: libc.func('mmap', 'intptr_t', ['intptr_t', 'size_t', 'int', 'int', 'int', 'int64_t']),
    munmap: libc.func('munmap', 'int', ['intptr_t', 'size_t']),
    madvise: libc.func('madvise', 'int', ['intptr_t', 'size_t', 'int']),
    view: (addr, length) => view(addr, length),
  }
}

/** C's allocator, called from JavaScript: mimalloc, where the machine has it. */
export interface BareAllocator {
  readonly name: string
  alloc(bytes: number): number
  free(address: number): void
}

/** Declares C's allocator as foreign functions. */
export function bareAllocator(): BareAllocator {
  const declare = (name: string, library: string | null, prefix: string): BareAllocator => {
    const c = koffi().load(library)
    const free = c.func(`${prefix}free`, 'void', ['intptr_t'])
    return { name, alloc: c.func(`${prefix}malloc`, 'intptr_t', ['size_t']), free: (address) => void free(address) }
  }
  try {
    return declare("C's mimalloc, by foreign calls", 'libmimalloc.so.2', 'mi_')
  } catch {
    return declare("libc's malloc, by foreign calls", null, '')
  }
}

/** Returns the version of koffi. */
export function koffiVersion(): string {
  return koffi().version
}
