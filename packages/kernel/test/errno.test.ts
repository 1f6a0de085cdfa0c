// The error numbers, checked against this host and its headers. For other systems they are checked against Go's
// syscall package (src/syscall/zerrors_*.go, made from their headers).
import { constants } from 'node:os'
import { errnoName, errnos, type ErrnoFamily } from '@memlayer/kernel'
import { describe, expect, it } from 'vitest'
import { defined } from './headers.js'

// By number: those that decide what the layer does, and those whose numbers differ from system to system.
const table: Record<Exclude<ErrnoFamily, 'windows'>, Record<string, number>> = {
  linux: { EAGAIN: 11, EDEADLK: 35, ENOSYS: 38, EOVERFLOW: 75, EOPNOTSUPP: 95 },
  'linux-mips': { EAGAIN: 11, EDEADLK: 45, EOVERFLOW: 79, ENOSYS: 89, EOPNOTSUPP: 122 },
  darwin: { EDEADLK: 11, EAGAIN: 35, ENOTSUP: 45, ENOSYS: 78, EOVERFLOW: 84, EOPNOTSUPP: 102 },
  freebsd: { EDEADLK: 11, EAGAIN: 35, EOPNOTSUPP: 45, ENOSYS: 78, EOVERFLOW: 84 },
  dragonfly: { EDEADLK: 11, EAGAIN: 35, EOPNOTSUPP: 45, ENOSYS: 78, EOVERFLOW: 84 },
  netbsd: { EDEADLK: 11, EAGAIN: 35, EOPNOTSUPP: 45, ENOSYS: 78, EOVERFLOW: 84, ENOTSUP: 86 },
  openbsd: { EDEADLK: 11, EAGAIN: 35, EOPNOTSUPP: 45, ENOSYS: 78, EOVERFLOW: 87, ENOTSUP: 91 },
  solaris: { EAGAIN: 11, EDEADLK: 45, ENOTSUP: 48, EOVERFLOW: 79, ENOSYS: 89, EOPNOTSUPP: 122 },
  illumos: { EAGAIN: 11, EDEADLK: 45, ENOTSUP: 48, EOVERFLOW: 79, ENOSYS: 89, EOPNOTSUPP: 122 },
  aix: { EAGAIN: 11, EDEADLK: 45, EOPNOTSUPP: 64, ENOSYS: 109, ENOTSUP: 124, EOVERFLOW: 127 },
}
const families = Object.keys(table) as (keyof typeof table)[]

// EPERM to ERANGE, without 11, in order.
const everywhere = [
  'EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD - ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST',
  'EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE',
].flatMap((line) => line.split(' '))

describe('errnos', () => {
  it.each(families)('%s: 1 to 34, except 11, are those of every Unix', (family) => {
    everywhere.forEach((name, i) => {
      if (name !== '-') expect(errnos[family][name], name).toBe(i + 1)
    })
  })

  it.each(families)('%s: the rest are its own, and the table has nothing more', (family) => {
    const rest = Object.fromEntries(Object.entries(errnos[family]).filter(([name]) => !everywhere.includes(name)))
    expect(rest).toEqual(table[family])
  })

  it('windows: the errors of VirtualAlloc and VirtualFree, as in winerror.h', () => {
    expect(errnos.windows).toEqual({
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
      ERROR_PRIVILEGE_NOT_HELD: 1314,
      ERROR_NO_SYSTEM_RESOURCES: 1450,
      ERROR_NONPAGED_SYSTEM_RESOURCES: 1451,
      ERROR_PAGED_SYSTEM_RESOURCES: 1452,
      ERROR_WORKING_SET_QUOTA: 1453,
      ERROR_PAGEFILE_QUOTA: 1454,
      ERROR_COMMITMENT_LIMIT: 1455,
    })
  })

  it('agree with the numbers that this host’s Node was built with', (context) => {
    const family = families.find((name) => name === process.platform)
    if (family === undefined) return context.skip(`the package has no table for ${process.platform}`)
    const host: Record<string, number> = constants.errno
    const shared = Object.keys(errnos[family]).filter((name) => host[name] !== undefined)
    expect(shared.length).toBeGreaterThan(30)
    for (const name of shared) expect(errnos[family][name], name).toBe(host[name])
  })

  it('all agree with this host’s <errno.h>', (context) => {
    if (process.platform !== 'linux') context.skip('reads the headers of Linux')
    const found = defined(['errno.h'], Object.keys(errnos.linux), context)
    expect(Object.fromEntries(found)).toEqual(errnos.linux)
  })
})

describe('errnoName', () => {
  it('gives back the name of every number', () => {
    for (const family of [...families, 'windows'] as const) {
      for (const [name, number] of Object.entries(errnos[family])) expect(errnoName(family, number)).toBe(name)
    }
  })

  it('tells 11 and 35 apart by family', () => {
    expect(errnoName('linux', 11)).toBe('EAGAIN')
    expect(errnoName('linux', 35)).toBe('EDEADLK')
    expect(errnoName('freebsd', 11)).toBe('EDEADLK')
    expect(errnoName('freebsd', 35)).toBe('EAGAIN')
  })

  it('gives the number when it has no name', () => {
    expect(errnoName('linux', 4242)).toBe('errno 4242')
    expect(errnoName('windows', 4242)).toBe('error 4242')
  })

  it('has one name for each number, so that a lookup loses no name', () => {
    for (const numbers of Object.values(errnos)) {
      expect(new Set(Object.values(numbers)).size).toBe(Object.keys(numbers).length)
    }
  })
})
