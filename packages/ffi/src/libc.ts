// Where libc is, for engines that open no library without a name: Bun's and Deno's. koffi and
// node:ffi ask the process itself.

/** The names by which libc may be opened, most likely first, by Node's process.platform. */
const names: Readonly<Record<string, readonly string[]>> = {
  // glibc; musl, by its own name and where it is the linker's.
  linux: ['libc.so.6', `libc.musl-${muslArch(process.arch)}.so.1`, 'libc.so'],
  android: ['libc.so'],
  darwin: ['/usr/lib/libSystem.B.dylib'],
  freebsd: ['libc.so.7'],
}

/** Opens libc by the first of its names that `open` takes; where it takes none, throws what it threw at first. */
export function openLibc<T>(open: (name: string) => T): T {
  const [first = 'libc.so', ...others] = names[process.platform] ?? []
  try {
    return open(first)
  } catch (error) {
    for (const name of others) {
      try {
        return open(name)
      } catch {
        // The first one's error tells what a person knows libc by.
      }
    }
    throw error
  }
}

function muslArch(arch: string): string {
  return { x64: 'x86_64', arm64: 'aarch64' }[arch] ?? arch
}
