// What the Windows kernel needs from the headers of its host. 64-bit processes only.

// winnt.h: the flags with which the Windows kernel allocates its own page.
export const MEM_COMMIT = 0x1000
export const MEM_RESERVE = 0x2000
export const MEM_DECOMMIT = 0x4000
export const MEM_RELEASE = 0x8000
export const MEM_FREE = 0x10000
export const PAGE_READWRITE = 0x04

// winnt.h: what a handle of a thread may do.
export const SYNCHRONIZE = 0x100000
export const THREAD_QUERY_LIMITED_INFORMATION = 0x800

// winbase.h, winerror.h
export const WAIT_OBJECT_0 = 0
export const ERROR_INVALID_PARAMETER = 87

/** SYSTEM_INFO, <sysinfoapi.h>: where its members begin. */
export const systemInfo = { dwPageSize: 4, dwAllocationGranularity: 40 } as const

/** MEMORYSTATUSEX, <sysinfoapi.h>: its bytes, and where its members begin. */
export const memoryStatus = {
  size: 64,
  dwLength: 0,
  ullTotalPageFile: 24,
  ullAvailPageFile: 32,
  ullTotalVirtual: 40,
  ullAvailVirtual: 48,
} as const

/** MEMORY_BASIC_INFORMATION, <winnt.h>: its bytes, and where its members begin. */
export const memoryBasicInformation = {
  size: 48,
  BaseAddress: 0,
  AllocationBase: 8,
  RegionSize: 24,
  State: 32,
  Protect: 36,
} as const
