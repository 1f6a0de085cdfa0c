// Error numbers by name, one table for each family of kernels. The numbers 1 to 34, except 11, are the same on
// every Unix since V7. Each family assigned the rest itself.

/** Kernels that share their error numbers. The names are those of Node's `process.platform` where Node has one. */
export type ErrnoFamily =
  | 'linux'
  | 'linux-mips'
  | 'darwin'
  | 'freebsd'
  | 'dragonfly'
  | 'netbsd'
  | 'openbsd'
  | 'solaris'
  | 'illumos'
  | 'aix'
  | 'windows'

type Numbers = Readonly<Record<string, number>>

const v7: Numbers = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  ECHILD: 10,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  ENOTBLK: 15,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  EDOM: 33,
  ERANGE: 34,
}

const bsd: Numbers = { ...v7, EDEADLK: 11, EAGAIN: 35, EOPNOTSUPP: 45, ENOSYS: 78 }
const sunos: Numbers = { ...v7, EAGAIN: 11, EDEADLK: 45, ENOTSUP: 48, EOVERFLOW: 79, ENOSYS: 89, EOPNOTSUPP: 122 }

/** Error numbers by family and name: `errnos.linux.ENOMEM`. */
export const errnos: Readonly<Record<ErrnoFamily, Readonly<Record<string, number>>>> = {
  linux: { ...v7, EAGAIN: 11, EDEADLK: 35, ENOSYS: 38, EOVERFLOW: 75, EOPNOTSUPP: 95 },
  // mips took System V's numbers: arch/mips/include/uapi/asm/errno.h.
  'linux-mips': { ...v7, EAGAIN: 11, EDEADLK: 45, EOVERFLOW: 79, ENOSYS: 89, EOPNOTSUPP: 122 },
  darwin: { ...v7, EDEADLK: 11, EAGAIN: 35, ENOTSUP: 45, ENOSYS: 78, EOVERFLOW: 84, EOPNOTSUPP: 102 },
  freebsd: { ...bsd, EOVERFLOW: 84 },
  dragonfly: { ...bsd, EOVERFLOW: 84 },
  netbsd: { ...bsd, EOVERFLOW: 84, ENOTSUP: 86 },
  openbsd: { ...bsd, EOVERFLOW: 87, ENOTSUP: 91 },
  solaris: sunos,
  illumos: sunos,
  aix: { ...v7, EAGAIN: 11, EDEADLK: 45, EOPNOTSUPP: 64, ENOSYS: 109, ENOTSUP: 124, EOVERFLOW: 127 },
  // winerror.h: the errors that VirtualAlloc and VirtualFree are known to set.
  windows: {
    ERROR_INVALID_FUNCTION: 1,
    ERROR_ACCESS_DENIED: 5,
    ERROR_INVALID_HANDLE: 6,
    ERROR_NOT_ENOUGH_MEMORY: 8,
    ERROR_OUTOFMEMORY: 14,
    ERROR_GEN_FAILURE: 31,
    ERROR_NOT_SUPPORTED: 50,
    ERROR_INVALID_PARAMETER: 87,
    ERROR_INVALID_ADDRESS: 487,
    ERROR_COMMITMENT_MINIMUM: 635,
    ERROR_NOACCESS: 998,
    ERROR_NO_SYSTEM_RESOURCES: 1450,
    ERROR_NONPAGED_SYSTEM_RESOURCES: 1451,
    ERROR_PAGED_SYSTEM_RESOURCES: 1452,
    ERROR_WORKING_SET_QUOTA: 1453,
    ERROR_PAGEFILE_QUOTA: 1454,
    ERROR_COMMITMENT_LIMIT: 1455,
    ERROR_PRIVILEGE_NOT_HELD: 1314,
  },
}

const names = new Map<ErrnoFamily, ReadonlyMap<number, string>>()

/**
 * The name of an error number in its family: `errnoName('linux', 12)` is `'ENOMEM'`. A number without a name gives
 * its number, as in `'errno 4242'`.
 */
export function errnoName(family: ErrnoFamily, errno: number): string {
  let byNumber = names.get(family)
  if (byNumber === undefined) {
    byNumber = new Map(Object.entries(errnos[family]).map(([name, number]) => [number, name]))
    names.set(family, byNumber)
  }
  return byNumber.get(errno) ?? `${family === 'windows' ? 'error' : 'errno'} ${errno}`
}
