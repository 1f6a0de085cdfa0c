// The host's own kernel behind the Windows port: kernel32 by foreign calls. Every function is the call, and on
// failure GetLastError at once. koffi saves the last error when a foreign call returns and restores it before the
// next. So the runtime's own calls in between do no harm. The other engines do not, and with them the number may be
// another call's. The README says so.
import { NoEngineError } from '#engine'
import type { Address, WindowsKernel, WindowsLimits } from '@memlayer/kernel'
import { MEM_COMMIT, MEM_RESERVE, PAGE_READWRITE, memoryStatus, systemInfo } from './windows-defs.js'
import type { Engine } from './engine.js'
import { hostEngine } from './host-engine.js'
import { windowsPages, windowsTrim } from './windows-pages.js'
import { windowsPressure } from './windows-pressure.js'
import { windowsTable } from './windows-table.js'

const KERNEL32 = 'kernel32.dll'

// A failure without a number would look like the address 0.
const ERROR_GEN_FAILURE = 31

let kernel: WindowsKernel | undefined

/**
 * The host's kernel behind the Windows port. The first call loads the engine for foreign calls. One kernel serves
 * all backends of a thread.
 *
 * @throws NoEngineError ERR_MEMLAYER_NO_ENGINE when foreign calls can't be made here.
 */
export function windowsKernel(): WindowsKernel {
  kernel ??= openWindowsKernel(process.platform, process.arch)
  return kernel
}

function openWindowsKernel(platform: string, arch: string): WindowsKernel {
  const remedy = 'Hand a kernel to createOS({ kernel }).'
  if (platform !== 'win32') throw new NoEngineError(`${platform} has no kernel32`, remedy)
  // 32-bit Windows needs stdcall, which differs from C's own convention only there. It was never tried.
  if (arch === 'ia32') throw new NoEngineError('32-bit Windows is not supported', remedy)
  const engine = hostEngine()

  // Declared as size, not address: no answer here is all ones, and a failure answers 0.
  const virtualAlloc = engine.func(KERNEL32, 'VirtualAlloc', 'size', ['size', 'size', 'int', 'int'])
  const virtualFree = engine.func(KERNEL32, 'VirtualFree', 'int', ['size', 'size', 'int'])
  const getLastError = engine.func(KERNEL32, 'GetLastError', 'int', [])
  const failure = (): number => -(getLastError() || ERROR_GEN_FAILURE)

  // A page of its own, for the structures that the kernel fills in. It is never given back.
  const scratch = virtualAlloc(0, scratchSize, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE)
  if (scratch === 0)
    throw new NoEngineError('VirtualAlloc refused a page for this kernel', 'Free memory and try again.')
  const structure = new DataView(engine.view(scratch, scratchSize))
  engine.func(KERNEL32, 'GetSystemInfo', 'int', ['size'])(scratch)
  const pageSize = structure.getUint32(systemInfo.dwPageSize, true)
  const allocationGranularity = structure.getUint32(systemInfo.dwAllocationGranularity, true)

  const discard = findDiscard(engine)
  let pages: ReturnType<typeof windowsPages> | undefined

  return {
    pageSize,
    allocationGranularity,
    foreignCalls: { engine: engine.name, passedOver: engine.passedOver ?? [] },
    virtualAlloc(addr: Address, size: number, type: number, protect: number): number {
      const p = virtualAlloc(addr, size, type, protect)
      return p === 0 ? failure() : p
    },
    virtualFree: (addr: Address, size: number, type: number): number =>
      virtualFree(addr, size, type) === 0 ? failure() : 0,
    view: (addr: Address, length: number): ArrayBuffer => engine.view(addr, length),
    addressOf: (buffer: ArrayBufferLike): Address => engine.addressOf(buffer),
    read: (addr: Address, target: Uint8Array): void => engine.read(addr, target),
    write: (addr: Address, source: Uint8Array): void => engine.write(addr, source),
    ...(discard === null ? {} : { discard }),
    processTable: () => windowsTable(engine, KERNEL32),
    limits: windowsLimits(engine, scratch, structure),
    pressure: windowsPressure(engine, KERNEL32, scratch, structure),
    residency(addr: Address, length: number): number[] | null {
      pages ??= windowsPages(engine, KERNEL32, pageSize)
      return pages(addr, length)
    },
    residentMemory: () => process.memoryUsage.rss(),
    trim: windowsTrim(engine, KERNEL32, failure),
  }
}

const scratchSize = 4096

/** DiscardVirtualMemory, which answers its error number. Null: this kernel32 has none, as Wine's before version 10. */
function findDiscard(engine: Engine): ((addr: Address, size: number) => number) | null {
  try {
    const discard = engine.func(KERNEL32, 'DiscardVirtualMemory', 'int', ['size', 'size'])
    return (addr, size) => -discard(addr, size)
  } catch {
    return null
  }
}

/** Asks GlobalMemoryStatusEx, which also knows a job's limit. */
function windowsLimits(engine: Engine, scratch: Address, structure: DataView): () => WindowsLimits {
  const globalMemoryStatus = engine.func(KERNEL32, 'GlobalMemoryStatusEx', 'int', ['size'])
  return () => {
    structure.setUint32(memoryStatus.dwLength, memoryStatus.size, true)
    const known = globalMemoryStatus(scratch) !== 0
    const bytes = (offset: number): number => (known ? Number(structure.getBigUint64(offset, true)) : NaN)
    return {
      commitLimit: bytes(memoryStatus.ullTotalPageFile),
      commitAvailable: bytes(memoryStatus.ullAvailPageFile),
      addressSpace: bytes(memoryStatus.ullTotalVirtual),
      addressSpaceAvailable: bytes(memoryStatus.ullAvailVirtual),
    }
  }
}
