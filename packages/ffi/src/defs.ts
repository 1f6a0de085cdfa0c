// What libc calls the function that tells where errno is, by Node's process.platform.

/** The function that returns the address of the calling thread's errno. */
export const errnoLocation: Readonly<Record<string, string>> = {
  linux: '__errno_location', // glibc and musl <errno.h>
  android: '__errno', // bionic <errno.h>
  darwin: '__error', // <sys/errno.h>
  freebsd: '__error', // <errno.h>
  dragonfly: '__error', // <errno.h>
  openbsd: '__errno', // <errno.h>
  netbsd: '__errno', // <errno.h>
  sunos: '___errno', // <errno.h>
  aix: '_Errno', // <errno.h>
}
