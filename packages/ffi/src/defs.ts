// How the libcs and kernels below the POSIX port differ, by Node's process.platform: where errno is, and how memory
// without a file is mapped.

/** The function that returns the address of the calling thread's errno. */
export const errnoLocation: Readonly<Record<string, string>> = {
  linux: '__errno_location', // glibc and musl <errno.h>
  android: '__errno', // bionic <errno.h>
  darwin: '__error', // <sys/errno.h>
  freebsd: '__error', // <errno.h>
  dragonfly: '__error', // <errno.h>
  openbsd: '__errno', // <errno.h>
  netbsd: '__errno', // <errno.h>
  sunos: '___errno', // <errno.h>, illumos and Solaris
  aix: '_Errno', // <errno.h>
}

/** MAP_PRIVATE with MAP_ANON. MAP_NORESERVE is added where a reservation would take swap space without it. */
export const privateMemory: Readonly<Record<string, number>> = {
  linux: 0x22, // asm-generic/mman-common.h
  android: 0x22, // asm-generic/mman-common.h
  darwin: 0x1002, // <sys/mman.h>
  freebsd: 0x1002, // <sys/mman.h>
  dragonfly: 0x1002, // <sys/mman.h>
  openbsd: 0x1002, // <sys/mman.h>
  netbsd: 0x1002, // <sys/mman.h>
  sunos: 0x142, // <sys/mman.h>, MAP_NORESERVE
  aix: 0x12, // <sys/mman.h>
}

/** MAP_PRIVATE with MAP_ANON on mips, where Linux kept IRIX's numbers: arch/mips/include/uapi/asm/mman.h. */
export const privateMemoryOnMips = 0x802
