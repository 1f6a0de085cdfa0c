// The host's own kernel behind the POSIX port: libc by foreign calls. Every function is the
// call, and on failure a plain load of errno, which nothing may stand before: an allocation
// can run the collector, whose own system calls overwrite errno.
import { readFileSync } from 'node:fs'
import { isPowerOfTwo, type Address, type PosixKernel, type PosixLimits } from '@memlayer/kernel'
import { errnoLocation } from './defs.js'
import { NoEngineError, type Engine } from './engine.js'
import { koffiEngine } from './koffi.js'
import { linuxLimits } from './linux-limits.js'

let kernel: PosixKernel | undefined

/**
 * The host's kernel behind the POSIX port. Loads the engine for foreign calls at the first call;
 * one kernel serves all backends of a thread.
 *
 * @throws NoEngineError ERR_MEMLAYER_NO_ENGINE when foreign calls can't be made here.
 */
export function posixKernel(): PosixKernel {
  kernel ??= openPosixKernel(koffiEngine(), process.platform)
  return kernel
}

function openPosixKernel(engine: Engine, platform: string): PosixKernel {
  const location = errnoLocation[platform]
  if (location === undefined) {
    throw new NoEngineError(`${platform} is not known as a POSIX host`, 'Hand a kernel to createOS({ kernel }).')
  }
  // errno is per thread, and so is an instance of this module.
  const errno = new Int32Array(engine.view(engine.func(null, location, 'address', [])(), 4))
  const failure = (): number => -(errno[0] as number)

  const mmap = engine.func(null, 'mmap', 'address', ['address', 'size', 'int', 'int', 'int', 'offset'])
  const munmap = engine.func(null, 'munmap', 'int', ['address', 'size'])
  const mprotect = engine.func(null, 'mprotect', 'int', ['address', 'size', 'int'])
  const madvise = engine.func(null, 'madvise', 'int', ['address', 'size', 'int'])

  return {
    pageSize: engine.func(null, 'getpagesize', 'int', [])(),
    hugePageSize: platform === 'linux' ? linuxHugePageSize() : 0,
    arch: process.arch,
    mmap(addr: Address, length: number, prot: number, flags: number, fd: number, offset: number): number {
      const p = mmap(addr, length, prot, flags, fd, offset)
      return p === -1 ? failure() : p
    },
    munmap: (addr: Address, length: number): number => (munmap(addr, length) === 0 ? 0 : failure()),
    mprotect: (addr: Address, length: number, prot: number): number =>
      mprotect(addr, length, prot) === 0 ? 0 : failure(),
    madvise: (addr: Address, length: number, advice: number): number =>
      madvise(addr, length, advice) === 0 ? 0 : failure(),
    view: (addr: Address, length: number): ArrayBuffer => engine.view(addr, length),
    ...(platform === 'linux' ? { limits: (): PosixLimits => linuxLimits() } : {}),
  }
}

/** As Go reads it: unreadable, or no power of two, means that huge pages are of no use here. */
function linuxHugePageSize(): number {
  try {
    const size = Number(readFileSync('/sys/kernel/mm/transparent_hugepage/hpage_pmd_size', 'latin1'))
    return isPowerOfTwo(size) ? size : 0
  } catch {
    return 0
  }
}
